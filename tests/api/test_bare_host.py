"""A host on which no program can be found, and one whose libvirt is away: the agent starts, answers everything
truthfully, and says what is missing.
"""

from __future__ import annotations

import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx
import pytest

from api.http.discovery import resource_classes
from api.http.endpoint import endpoints
from tests.cli.command import Onggi, onggi
from tests.lab.repositories import Repository
from tests.lab.waiting import until

__all__ = ["onggi"]

AWAY = "qemu+unix:///system?socket=/nonexistent/libvirt-sock"
NO_PROGRAMS = "/nonexistent"
PROGRAMS = {"lsblk", "systemctl", "sos", "showmount", "iscsiadm or iscsi-ls", "qemu-img", "apt-get or dnf"}


@contextmanager
def running(onggi: Onggi, connect: str, repository: Repository, state: Path) -> Iterator[httpx.Client]:
    """The agent as a process that finds no program at all; it is told by its log where it answers."""
    process = onggi.start(
        "run", repository.path, "--connect", connect, "--state", state, "--listen", "127.0.0.1:0", PATH=NO_PROGRAMS
    )
    try:
        with httpx.Client(base_url=_url(process), timeout=60) as client:
            yield client
    finally:
        process.kill()
        process.communicate()


def _url(process: subprocess.Popen[str]) -> str:
    assert process.stderr is not None
    for line in process.stderr:
        if "serving on " in line:
            return line.rpartition(" ")[2].strip()
    raise AssertionError("the agent ended before it served anybody")


def addresses() -> list[str]:
    """Every address that can be read, with a name that nothing has where one belongs."""
    found = set()
    for resource in resource_classes():
        for endpoint in endpoints(resource).values():
            if endpoint.method == "GET" and "stream" not in endpoint.content_type:
                found.add(resource.address)
    return sorted(found)


@pytest.fixture
def bare(onggi: Onggi, repository: Repository, tmp_path: Path) -> Iterator[httpx.Client]:
    repository.commit({}, "Begin")
    with running(onggi, "test:///default", repository, tmp_path / "state") as client:
        until(lambda: client.get("/healthz").status_code == 200, 60, "the agent is healthy")
        yield client


def test_every_address_answers(bare: httpx.Client) -> None:
    for address in addresses():
        with bare.stream("GET", _filled(address)) as answer:
            # 405: a page, for who wants HTML. 426: a WebSocket, for who speaks it.
            known = (405,) if address == "/login" else (200, 303, 400, 403, 404, 426, 501)
            assert answer.status_code in known, (address, answer.status_code)
            if answer.status_code >= 400 and "html" not in answer.headers["Content-Type"]:
                answer.read()
                assert answer.json().keys() == {"code", "reason"}, address


def _filled(address: str) -> str:
    return "/".join("nothing" if part.startswith("{") else part for part in address.split("/")) or "/"


def test_what_is_missing_is_told(bare: httpx.Client) -> None:
    found = bare.get("/config/capabilities").json()
    missing = {each["tool"]: each["remedy"] for each in found["missing"]}
    assert missing.keys() >= PROGRAMS
    assert "install it (Debian package sosreport)" in missing["sos"]
    assert (found["system_report_tool"], found["update_tool"], found["qemu_stream"]) == (False, False, False)


def test_what_needs_no_program_works(bare: httpx.Client) -> None:
    assert bare.get("/host").json()["memory"] > 0
    assert bare.get("/host/stats").json()["memory"]["total"] > 0
    assert bare.get("/host/cpuinfo").json()["threading_enabled"] is True
    assert bare.get("/host/devices/computer").status_code == 200
    assert "root" in bare.get("/users").json()
    for address in ("/host/partitions", "/debugreports", "/storageservers/127.0.0.1/storagetargets", "/peers"):
        assert bare.get(address).json() == []


def test_what_needs_one_says_which(bare: httpx.Client) -> None:
    for method, address, code in (
        ("GET", "/host/packagesupdate", "KCHPKGUPD0004E"),
        ("POST", "/host/swupdate", "KCHPKGUPD0004E"),
        ("POST", "/debugreports", "KCHDR0002E"),
    ):
        answer = bare.request(method, address)
        assert answer.status_code == 501
        assert answer.json()["reason"].startswith(f"{code}: ")
    assert bare.post("/host/reboot").status_code == 400  # the test driver's machine runs
    assert bare.get("/tasks").json() == []


def test_without_libvirt_the_host_is_told_of_all_the_same(onggi: Onggi, repository: Repository, tmp_path: Path) -> None:
    repository.commit({}, "Begin")
    with running(onggi, AWAY, repository, tmp_path / "state") as client:
        until(lambda: client.get("/config/capabilities").status_code == 200, 60, "the agent has opened its state")
        found = client.get("/config/capabilities").json()
        assert "can't be reached" in {each["tool"]: each["remedy"] for each in found["missing"]}["libvirt"]
        assert (found["screenshot"], found["qemu_spice"]) == (None, False)
        for address in ("/host", "/host/stats", "/host/stats/history", "/users", "/groups", "/peers", "/plugins"):
            assert client.get(address).status_code == 200, address
        assert client.get("/config/distros").status_code == 200
        assert client.get("/host/cpuinfo").json()["sockets"] >= 1  # as the kernel tells it
        for address in ("/host/devices", "/storageservers", "/vms", "/networks"):
            answer = client.get(address)
            assert answer.status_code == 503, address
            assert "Retry-After" in answer.headers
        for action in ("reboot", "shutdown"):
            assert client.post(f"/host/{action}").status_code == 503
