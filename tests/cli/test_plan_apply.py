"""`onggi plan` and `onggi apply` on the real hypervisor: what they say, what they do, how they end."""

from __future__ import annotations

import ipaddress
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import libvirt
import pytest

from reconciler.ledger.lock import StateFolder
from tests.cli.command import Done, Onggi
from tests.lab.libvirtd import HostObjects
from tests.lab.repositories import Repository


@dataclass
class Host:
    """A repository with one network, and the host that it is for."""

    onggi: Onggi
    uri: str
    connection: libvirt.virConnect
    repository: Repository
    state: Path
    name: str
    subnet: ipaddress.IPv4Network

    def document(self, domain: str = "lab.example") -> str:
        return (
            "apiVersion: onggi/v1\nkind: Network\n"
            f"metadata: {{name: {self.name}}}\n"
            f"spec:\n  mode: isolated\n  subnet: {self.subnet}\n  domain: {domain}\n"
        )

    def __call__(self, verb: str, *words: object) -> Done:
        return self.onggi(verb, self.repository.path, "--connect", self.uri, "--state", self.state, *words)

    def networks(self) -> list[str]:
        return [network.name() for network in self.connection.listAllNetworks() if network.name() == self.name]


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
    host = Host(onggi, qemu_system, qemu_connection, repository, tmp_path / "state", name, free_subnet)
    repository.commit({"net/lan.yaml": host.document()})
    return host


def test_a_plan_tells_what_apply_does_and_changes_nothing(host: Host) -> None:
    done = host("plan")
    assert done.code == 0
    assert done.out.startswith(f"  + Network/{host.name}  (net/lan.yaml:1)\n      declared, and not on the host\n")
    assert done.out.endswith("Plan: 1 to create, 0 to change, 0 to delete.\n")
    assert host.networks() == []


def test_scripts_tell_changes_from_none_by_the_exit_code(host: Host) -> None:
    planned = host("plan", "-o", "json", "--detailed-exitcode")
    assert planned.code == 2
    assert planned.json["summary"]["create"] == 1
    assert planned.json["steps"][0]["name"] == host.name
    assert planned.json["digest"].startswith("sha256:")
    assert planned.json["problems"] == []

    applied = host("apply", "-o", "json", "--detailed-exitcode")
    assert applied.code == 2
    assert [(item["name"], item["result"]) for item in applied.json["outcomes"]] == [(host.name, "created")]
    assert host.networks() == [host.name]

    again = host("plan", "-o", "json", "--detailed-exitcode")
    assert (again.code, again.json["steps"]) == (0, [])
    assert host("apply", "--detailed-exitcode").code == 0


def test_apply_shows_the_plan_and_what_became_of_it(host: Host) -> None:
    done = host("apply")
    assert done.code == 0
    assert "Plan: 1 to create, 0 to change, 0 to delete.\n\nApplied: 1 created.\n" in done.out
    assert f"+ Network/{host.name}: created" in done.err
    assert host("apply").out.startswith("No changes: the host is as main@sha1:")


def test_a_change_is_shown_from_old_to_new(host: Host) -> None:
    host("apply")
    host.repository.commit({"net/lan.yaml": host.document("other.example")})
    assert "/domain:  lab.example → other.example  (" in host("plan").out


def test_a_document_with_errors_hides_nothing_and_is_an_error(host: Host) -> None:
    host.repository.commit(
        {"bad.yaml": "apiVersion: onggi/v1\nkind: Network\nmetadata: {name: x}\nspec: {mode: odd}\n"}
    )
    done = host("plan", "-o", "json", "--detailed-exitcode")
    assert done.code == 1
    assert [step["name"] for step in done.json["steps"]] == [host.name]
    assert [(item["path"], item["line"], item["name"]) for item in done.json["problems"]] == [("bad.yaml", 4, "x")]
    text = host("plan")
    assert text.code == 1
    assert "  ! bad.yaml:4:" in text.out
    assert f"+ Network/{host.name}" in text.out


def test_apply_does_what_it_can_and_ends_with_an_error_when_documents_are_broken(host: Host) -> None:
    host.repository.commit({"bad.yaml": "kind: Nothing\n"})
    assert host("apply").code == 1
    assert host.networks() == [host.name]


def test_yaml_is_as_good_as_json(host: Host) -> None:
    assert host("plan", "-o", "yaml").out.startswith("revision: main@sha1:")


def test_plan_works_beside_an_agent_and_apply_does_not(host: Host) -> None:
    with StateFolder.open(host.state, exclusive=True):
        assert host("plan").code == 0
        done = host("apply")
        assert done.code == 1
        assert "is in use by another onggi" in done.err
    assert host.networks() == []


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (lambda host: (host.repository.path / "nowhere",), "There is nothing at"),
        (lambda host: (host.repository.path, "--branch", "nowhere"), "nowhere"),
        (lambda host: (host.repository.path, "--path", "../x"), "leaves the repository"),
        (lambda host: (host.repository.path, "--connect", "qemu+nonsense:///system"), "can't be reached"),
    ],
    ids=["repository", "branch", "path", "host"],
)
def test_what_cannot_be_read_is_one_sentence_and_exit_code_1(
    host: Host, words: Callable[[Host], tuple[object, ...]], told: str
) -> None:
    done = host.onggi("plan", "--state", host.state, "--detailed-exitcode", *words(host))
    assert (done.code, done.out) == (1, "")
    last = done.err.splitlines()[-1]
    assert last.startswith("onggi: error: ")
    assert told in last


def test_a_remote_that_cannot_be_asked_is_an_error_and_the_revision_fetched_last_is_planned_and_applied(
    onggi: Onggi, pushed_repository: Repository, private_test_uri: str, tmp_path: Path
) -> None:
    remote, host = tmp_path / "remote.git", ("--connect", private_test_uri, "--state", tmp_path / "state")
    network = "apiVersion: onggi/v1\nkind: Network\nmetadata: {name: lan}\nspec: {mode: isolated}\n"
    pushed_repository.commit({"lan.yaml": network})
    pushed_repository.push()
    assert onggi("plan", f"file://{remote}", *host).code == 0
    remote.rename(tmp_path / "moved.git")
    for verb, shown in (("plan", "+ Network/lan"), ("apply", "Applied: 1 created.")):
        done = onggi(verb, f"file://{remote}", *host)
        assert done.code == 1
        assert shown in done.out
        assert "Going on with the revision that was fetched last" in done.err
