"""/status, /drift, /plan, /revisions and /metrics: how the host stands to the repository."""

from __future__ import annotations

import re

import jsonschema
import libvirt
import pytest
from prometheus_client.parser import text_string_to_metric_families

from api.metrics.view import gauge, text_of
from reconciler.reporting.metrics import BOUNDS_S
from tests.api.live import LiveApi
from tests.lab.waiting import until

NETWORK = """
apiVersion: onggi/v1
kind: Network
metadata: {{name: lab}}
spec: {{mode: isolated, subnet: 192.168.77.0/24, active: true, driftPolicy: {policy}}}
"""


def declare(api: LiveApi, policy: str = "enforce") -> str:
    commit = api.repository.commit({"lab.yaml": NETWORK.format(policy=policy)})
    until(lambda: commit in api.client.get("/plan").json()["revision"], 60, "the revision is read")
    until(lambda: not api.client.get("/plan").json()["steps"], 60, "the network is made")
    return commit


def test_the_status_tells_of_the_agent_and_of_every_object(api: LiveApi) -> None:
    commit = declare(api)
    told = api.client.get("/status").json()
    assert told["agent"]["running"] is told["agent"]["connected"] is True
    assert (told["agent"]["suspended"], told["agent"]["revision"]) == (False, f"main@sha1:{commit}")
    (network,) = told["objects"]
    assert (network["kind"], network["metadata"]["name"]) == ("Network", "lab")
    assert network["status"]["summary"] == "Active"
    assert network["status"]["conditions"][0]["type"] == "Ready"
    assert api.client.get("/status/net/lab").json() == network
    assert api.client.get("/status/Network/none").status_code == 404
    assert api.client.get("/status/Nothing/none").status_code == 404


def test_the_name_of_a_volume_may_be_written_with_its_pool(api: LiveApi) -> None:
    api.repository.commit({
        "volume.yaml": "apiVersion: onggi/v1\nkind: StorageVolume\nmetadata: {name: data.img}\n"
        "spec: {pool: default-pool, capacity: 1MiB, format: raw}\n"
    })  # fmt: skip
    for name in ("default-pool/data.img", "default-pool%2Fdata.img"):
        until(lambda name=name: api.client.get(f"/status/StorageVolume/{name}").status_code == 200, 60, "it is known")
    found = api.client.get("/drift/volume/default-pool/data.img").json()
    assert (found["name"], found["drift"]) == ("default-pool/data.img", [])


def test_drift_is_told_with_what_is_declared_and_what_is_there(api: LiveApi, hand: libvirt.virConnect) -> None:
    declare(api, "warn")
    hand.networkLookupByName("lab").destroy()
    until(lambda: api.client.get("/drift").json()["drift"], 60, "the drift is found")
    (found,) = api.client.get("/drift").json()["drift"]
    assert (found["kind"], found["name"], found["policy"]) == ("Network", "lab", "warn")
    assert found["fields"][0]["field"] == "/active"
    one = api.client.get("/drift/Network/lab").json()
    assert one["drift"][0]["fields"][0]["declared"] == found["fields"][0]["declared"]
    assert [record["field"] for record in one["records"]] == ["/active"]
    assert [record["name"] for record in api.client.get("/drift/history?kind=Network").json()] == ["lab"]
    assert api.client.get("/drift/Network/default").status_code == 404
    assert 'onggi_drift_fields{kind="Network",name="lab",policy="warn"} 1' in api.client.get("/metrics").text


def test_the_plan_is_empty_at_rest_and_tells_of_mistakes(api: LiveApi) -> None:
    declare(api)
    api.repository.commit({"bad.yaml": "apiVersion: onggi/v1\nkind: Network\nmetadata: {name: bad}\nspec: {mode: x}\n"})
    until(lambda: api.client.get("/plan").json()["problems"], 60, "the mistake is found")
    told = api.client.get("/plan").json()
    assert told["summary"] == {"create": 0, "update": 0, "delete": 0, "replace": 0, "blocked": 0, "waiting": 0}
    assert (told["problems"][0]["path"], told["problems"][0]["name"]) == ("bad.yaml", "bad")
    assert told["digest"].startswith("sha256:")


def test_revisions_are_those_that_something_was_done_for(api: LiveApi) -> None:
    first = declare(api)
    api.repository.commit({"README.md": "Nothing to do\n"})
    commit = api.repository.head
    until(lambda: commit in api.client.get("/plan").json()["revision"], 60, "the revision is read")
    current, made = api.client.get("/revisions").json()
    assert current == {
        "revision": f"main@sha1:{commit}", "inForce": True, "firstApplied": "", "lastApplied": "", "steps": 0,
        "failed": 0,
    }  # fmt: skip
    assert (made["revision"], made["inForce"], made["steps"], made["failed"]) == (f"main@sha1:{first}", False, 1, 0)
    assert [each["revision"] for each in api.client.get("/revisions?inForce=true").json()] == [f"main@sha1:{commit}"]


def test_metrics_are_in_prometheus_format(api: LiveApi) -> None:
    declare(api)
    answer = api.client.get("/metrics")
    assert answer.headers["content-type"] == "text/plain; version=0.0.4; charset=utf-8"
    found = {family.name: family for family in text_string_to_metric_families(answer.text)}
    samples = {(each.name, *sorted(each.labels.values())): each.value for one in found.values() for each in one.samples}
    assert samples["onggi_libvirt_connected",] == 1
    assert samples["onggi_reconcile_total", "Network", "created"] == 1
    (lab,) = [each for each in found["onggi_resource_info"].samples if each.labels["name"] == "lab"]
    assert (lab.labels, lab.value) == ({"kind": "Network", "name": "lab", "ready": "true", "status": "Active"}, 1)
    durations = "onggi_reconcile_duration_seconds"
    buckets = [each.value for each in found[durations].samples if each.name == f"{durations}_bucket"]
    assert len(buckets) == len(BOUNDS_S) + 1
    assert buckets == sorted(buckets)
    assert buckets[-1] == samples[f"{durations}_count",] >= 1
    assert samples[f"{durations}_sum",] > 0


def test_every_metric_keeps_its_name_and_its_type(api: LiveApi) -> None:
    told = api.client.get("/metrics").text
    assert re.findall(r"^# TYPE onggi_(\w+ \w+)$", told, re.MULTILINE) == [
        "build_info gauge", "revision_info gauge", "reconcile_duration_seconds histogram", "reconcile_total counter",
        "resource_info gauge", "drift_fields gauge", "restart_required gauge", "data_lost gauge", "plan_steps gauge",
        "plan_blocked gauge", "libvirt_connected gauge", "source_readable gauge",
        "source_unreadable_since_seconds gauge", "source_rewritten_since_seconds gauge", "document_problems gauge",
        "conditions gauge", "tasks gauge", "webhook_requests_total counter",
    ]  # fmt: skip
    assert len(re.findall(r"^# HELP onggi_\w+ .+\.$", told, re.MULTILINE)) == 18
    assert all(line.startswith(("# HELP onggi_", "# TYPE onggi_", "onggi_")) for line in told.splitlines())
    assert 'onggi_reconcile_duration_seconds_bucket{le="1"} ' in told
    assert "_created" not in told


def test_what_a_label_holds_stays_in_it() -> None:
    told = text_of([gauge("x", "Of x.", ["name"], [(('a"\\\nb',), 1.5)])])
    assert told == '# HELP x Of x.\n# TYPE x gauge\nx{name="a\\"\\\\\\nb"} 1.5\n'


@pytest.mark.parametrize("path", ["/status", "/drift", "/plan", "/metrics", "/revisions"])
def test_reports_can_only_be_read(api: LiveApi, path: str) -> None:
    assert api.client.post(path, json={}).status_code == 405
    assert api.client.delete(path).status_code == 405


def test_answers_are_as_the_documentation_says(api: LiveApi, hand: libvirt.virConnect) -> None:
    declare(api, "warn")
    hand.networkLookupByName("lab").destroy()
    until(lambda: api.client.get("/drift").json()["drift"], 60, "the drift is found")
    api.repository.commit({
        "bad.yaml": "apiVersion: onggi/v1\nkind: Network\nmetadata: {name: bad}\nspec: {mode: x}\n---\n"
        "apiVersion: onggi/v1\nkind: VirtualMachine\nmetadata: {name: vm}\n"
        "spec: {memory: 64, interfaces: [{network: none}], runStrategy: Halted}\n"
    })  # fmt: skip
    until(lambda: api.client.get("/plan").json()["blocked"], 60, "something is blocked")
    document = api.client.get("/openapi.json").json()
    for path in ("/status", "/drift", "/drift/history", "/plan", "/revisions", "/events", "/status/Network/lab"):
        template = "/status/{kind}/{name}" if path.count("/") > 2 else path
        schema = document["paths"][template]["get"]["responses"]["200"]["content"]["application/json"]["schema"]
        validator = jsonschema.Draft202012Validator({**schema, "components": document["components"]})
        told = api.client.get(path).json()
        assert told
        validator.validate(told)
