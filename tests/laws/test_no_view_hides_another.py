"""The law of the bulkheads for clients: whatever fails for one object, all others are shown as if it weren't there."""

from __future__ import annotations

import json
import pkgutil
import threading
from collections.abc import Iterator, Mapping
from dataclasses import replace
from typing import Any

import httpx
import pytest
import yaml

import api as api_folder
from api.vms.view import VOLATILE
from tests.api.live import LiveApi, live_api
from tests.lab.repositories import Repository
from tests.laws.odd_ones import fail_for, functions
from tests.laws.test_one_object_holds_up_no_other import ODD, documents

CHANGING = VOLATILE | {"last_pass"}  # whoever asks for a pool has it looked at again

ADDRESSES = (
    "/vms", "/vms/good", "/vms/good/storages", "/vms/good/ifaces", "/vms/good/snapshots", "/vms/good/hostdevs",
    "/networks", "/networks/good", "/storagepools", "/storagepools/good-pool",
    "/storagepools/good-pool/storagevolumes", "/storagepools/good-pool/storagevolumes/good-data.qcow2",
    "/storagepools/kimchi_isos/storagevolumes", "/templates", "/templates/good", "/status", "/plan", "/drift",
    "/metrics", "/config/distros", "/revisions", "/status/VirtualMachine/good",
)  # fmt: skip
# What only looks something up.
BEYOND = frozenset({"reconciler.observed.snapshot:Snapshot.get", "api.storagepools.storagevolumes.iso_images:_ref"})
NOUNS = [
    each.name for each in pkgutil.iter_modules(api_folder.__path__, "api.") if each.ispkg and each.name != "api.http"
]
PLACES = sorted(
    {
        *functions(*NOUNS, "reconciler.planning.storagevolume.uses"),
        *functions("reconciler.observed.consoles", "reconciler.observed.snapshot", "reconciler.reporting.status_text"),
    }
    - BEYOND
)


@pytest.fixture
def api(repository: Repository, private_test_uri: str, tmp_path: Any) -> Iterator[LiveApi]:
    files = {f"{name}.yaml": yaml.safe_dump_all(documents(name).values()) for name in ("good", "odd")}
    repository.commit(files)
    with live_api(repository, tmp_path / "state", private_test_uri) as running:
        yield running


def shown(api: LiveApi) -> dict[str, Any]:
    """What clients see of everything but the odd ones, from a snapshot of which nothing has been worked out yet."""
    world = api.agent.passes.latest
    assert world is not None
    snapshot = world.snapshot
    fresh = replace(snapshot, objects={ref: replace(seen) for ref, seen in snapshot.objects.items()})
    api.agent.passes.publish(replace(world, snapshot=fresh))
    return {address: of_others(api.client.get(address)) for address in ADDRESSES}


def of_others(answer: httpx.Response) -> Any:
    if answer.status_code != 200:
        return answer.text
    if not answer.headers["content-type"].startswith("application/json"):
        return [line for line in answer.text.splitlines() if "odd" not in line and "_duration_" not in line]
    return without(answer.json())


def without(value: Any) -> Any:
    if isinstance(value, Mapping):
        return {key: without(each) for key, each in value.items() if key not in CHANGING}
    if isinstance(value, list):
        return [without(each) for each in value if "odd" not in json.dumps(each)]
    return value


def passes_held(api: LiveApi, monkeypatch: pytest.MonkeyPatch) -> threading.Lock:
    """Whoever has this lock is alone: what a pass makes of an odd object, and publishes, is another law's."""
    loop = api.agent._loop
    assert loop is not None
    lock, go = threading.Lock(), loop.go

    def go_alone(*arguments: Any) -> None:
        with lock:
            go(*arguments)

    monkeypatch.setattr(loop, "go", go_alone)
    return lock


def test_whatever_fails_for_one_object_the_others_are_shown(api: LiveApi, monkeypatch: pytest.MonkeyPatch) -> None:
    usual = shown(api)
    assert all(not isinstance(found, str) for found in usual.values()), usual
    assert usual["/vms"] and usual["/networks"] and usual["/storagepools"] and usual["/templates"]
    reached, wrong = 0, []
    at_rest = passes_held(api, monkeypatch)
    for place in PLACES:
        with at_rest, pytest.MonkeyPatch.context() as patch:
            raised = fail_for(ODD, place, patch)
            found = shown(api)
        reached += bool(raised)
        wrong += [
            f"{place}: {address}: {found[address]!s:.160}" for address in usual if found[address] != usual[address]
        ]
    assert not wrong, "\n".join(wrong)
    assert reached > 10
    assert shown(api) == usual
