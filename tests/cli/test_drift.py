"""`onggi drift` on the real hypervisor: compared now, or as the agent recorded it."""

from __future__ import annotations

import ipaddress
from dataclasses import dataclass
from pathlib import Path

import libvirt
import pytest
import yaml

from reconciler.ledger.lock import StateFolder
from tests.cli.command import Done, Onggi
from tests.lab.libvirtd import HostObjects
from tests.lab.repositories import Repository


@dataclass
class Host:
    """A repository with one inactive network, applied."""

    onggi: Onggi
    uri: str
    connection: libvirt.virConnect
    repository: Repository
    state: Path
    name: str
    subnet: ipaddress.IPv4Network

    def commit(self, **fields: object) -> None:
        spec = {"mode": "isolated", "subnet": str(self.subnet), "domain": "ours.example", "active": False, **fields}
        document = {"apiVersion": "onggi/v1", "kind": "Network", "metadata": {"name": self.name}, "spec": spec}
        self.repository.commit({"lan.yaml": yaml.safe_dump(document)})

    def apply(self) -> None:
        assert self("apply", self.repository.path, "--yes").code == 0

    def __call__(self, verb: str, *words: object) -> Done:
        return self.onggi(verb, "--connect", self.uri, "--state", self.state, *words)

    def drift(self, *words: object) -> Done:
        return self("drift", self.repository.path, *words)

    def by_hand(self, old: str = "ours.example", new: str = "theirs.example") -> None:
        xml = self.connection.networkLookupByName(self.name).XMLDesc()
        assert old in xml
        self.connection.networkDefineXML(xml.replace(old, new))


@pytest.fixture
def host(
    onggi: Onggi,
    qemu_system: str,
    qemu_connection: libvirt.virConnect,
    host_objects: HostObjects,
    repository: Repository,
    free_subnet: ipaddress.IPv4Network,
    tmp_path: Path,
) -> Host:
    name = host_objects.name("lan")
    made = Host(onggi, qemu_system, qemu_connection, repository, tmp_path / "state", name, free_subnet)
    made.commit()
    made.apply()
    return made


def test_without_drift_there_is_a_sentence_and_the_exit_code_is_zero(host: Host) -> None:
    done = host.drift("--detailed-exitcode")
    assert (done.code, done.out.startswith("No drift: ")) == (0, True)


def test_a_change_by_hand_is_a_row_and_the_exit_code_is_two_when_asked(host: Host) -> None:
    host.by_hand()
    assert host.drift().code == 0
    done = host.drift("--detailed-exitcode")
    assert done.code == 2
    assert done.out.splitlines()[1].split() == [
        f"Network/{host.name}", "/domain", "ours.example", "theirs.example", "config", "now", "enforce",
    ]  # fmt: skip


def test_nothing_is_changed_and_an_agent_beside_is_not_in_the_way(host: Host) -> None:
    host.by_hand()
    before = host.connection.networkLookupByName(host.name).XMLDesc()
    with StateFolder.open(host.state, exclusive=True):
        assert host.drift("--detailed-exitcode").code == 2
    assert host.connection.networkLookupByName(host.name).XMLDesc() == before


def test_what_a_new_revision_asks_for_is_one_line_and_no_drift(host: Host) -> None:
    host.commit(domain="new.example")
    done = host.drift("--detailed-exitcode")
    assert done.code == 0
    assert done.out.splitlines()[-1] == "1 change waits to be applied: onggi plan"
    assert host.drift("-o", "json").json["waitingToBeApplied"] == 1


@pytest.mark.parametrize("form", ["json", "yaml"])
def test_scripts_get_the_values(host: Host, form: str) -> None:
    host.by_hand()
    told = yaml.safe_load(host.drift("-o", form).out)
    [item] = told["drift"]
    assert (item["kind"], item["name"], item["type"], item["policy"]) == ("Network", host.name, "changed", "enforce")
    [field] = item["fields"]
    assert (field["field"], field["declared"], field["config"]) == ("/domain", "ours.example", "theirs.example")


def test_a_pull_request_gets_a_table(host: Host) -> None:
    host.by_hand()
    rows = [line for line in host.drift("-o", "markdown").out.splitlines() if line.startswith("|")]
    assert rows[-1] == (
        f"| `Network/{host.name}` | `/domain` | `ours.example` | `theirs.example` | config | now | enforce |"
    )


def test_a_broken_document_is_told_and_its_neighbours_drift_too(host: Host) -> None:
    host.by_hand()
    host.repository.commit({"broken.yaml": "kind: ["})
    done = host.drift("--detailed-exitcode")
    assert done.code == 1
    assert "broken.yaml" in done.out
    assert "theirs.example" in done.out


def test_a_one_shot_apply_records_what_it_healed(host: Host) -> None:
    assert host("drift", "--history").err == "No drift is recorded.\n"
    host.by_hand()
    host.apply()
    assert host("drift", "--detailed-exitcode").code == 0
    [record] = host("drift", "--history", "-o", "json").json
    assert (record["name"], record["field"], record["found"]) == (host.name, "/domain", "theirs.example")
    assert record["healedBy"] == "onggi"
    assert host("drift", "--since", "2099-01-01T00:00:00Z", "-o", "json").json == []
    assert "onggi at 2" in host("drift", "--history").out
    assert "| `/domain` |" in host("drift", "--history", "-o", "markdown").out


def test_what_is_left_as_it_is_stays_open_in_the_records_and_dates_the_comparison(host: Host) -> None:
    host.commit(driftPolicy="warn")
    host.apply()
    host.by_hand()
    host.apply()
    recorded = host("drift", "-o", "json", "--detailed-exitcode")
    assert recorded.code == 2
    [record] = recorded.json
    assert (record["policy"], record["healedAt"]) == ("warn", "")
    assert host.drift("-o", "json").json["drift"][0]["fields"][0]["since"] == record["firstSeen"]


def test_the_repository_of_the_variable_is_compared_and_its_history_can_be_asked_for(host: Host) -> None:
    words = ("drift", "--connect", host.uri, "--state", host.state)
    assert host.onggi(*words, ONGGI_REPOSITORY=str(host.repository.path)).out.startswith("No drift: ")
    assert host.onggi(*words, "--history", ONGGI_REPOSITORY=str(host.repository.path)).out == ""


def test_a_password_is_in_no_plan_no_drift_and_no_record(host: Host, host_objects: HostObjects, tmp_path: Path) -> None:
    secret, name = tmp_path / "secret", host_objects.name("vm")
    host.onggi.env["ONGGI_ALLOWED_SECRET_FOLDER"] = str(tmp_path)
    secret.write_text("hunter22")
    spec = {
        "memory": 64,
        "runStrategy": "Halted",
        "title": "ours",
        "graphics": {"type": "vnc", "passwordFrom": {"file": str(secret)}},
    }
    document = {"apiVersion": "onggi/v1", "kind": "VirtualMachine", "metadata": {"name": name}, "spec": spec}
    host.repository.commit({"vm.yaml": yaml.safe_dump(document)})
    host.apply()
    flags = libvirt.VIR_DOMAIN_XML_SECURE
    xml = host.connection.lookupByName(name).XMLDesc(flags)
    host.connection.defineXML(xml.replace(" passwd='hunter22'", "").replace("ours", "theirs"))
    done = host.drift("-o", "json")
    assert "/title" in done.out
    host.apply()
    texts = [
        done.out,
        host("drift", "--history", "-o", "json").out,
        (host.state / "onggi.db").read_bytes().decode("latin-1"),
    ]
    assert not any("hunter22" in text for text in texts)
