"""`onggi run`: up, ready, keeping, and gone when it is told to."""

from __future__ import annotations

import ipaddress
import re
import signal
import socket
import subprocess
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path

import httpx
import libvirt
import pytest

from tests.cli.command import Onggi
from tests.lab.libvirtd import HostObjects
from tests.lab.ports import free_port
from tests.lab.repositories import Repository
from tests.lab.waiting import until

DOCUMENT = (
    "apiVersion: onggi/v1\nkind: Network\nmetadata: {{name: {name}}}\nspec: {{mode: isolated, subnet: {subnet}}}\n"
)


@pytest.fixture
def name(host_objects: HostObjects, repository: Repository, free_subnet: ipaddress.IPv4Network) -> str:
    """A network that the repository declares."""
    name = host_objects.name("lan")
    repository.commit({"lan.yaml": DOCUMENT.format(name=name, subnet=free_subnet)})
    return name


@contextmanager
def running(onggi: Onggi, *words: object) -> Iterator[subprocess.Popen[str]]:
    process = onggi.start("run", *words)
    try:
        yield process
    finally:
        process.kill()
        process.communicate()


def networks(connection: libvirt.virConnect, name: str) -> list[str]:
    return [network.name() for network in connection.listAllNetworks() if network.name() == name]


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_it_comes_up_keeps_the_host_and_ends_in_time(
    onggi: Onggi,
    qemu_system: str,
    qemu_connection: libvirt.virConnect,
    repository: Repository,
    name: str,
    tmp_path: Path,
    number: signal.Signals,
) -> None:
    url = f"127.0.0.1:{free_port()}"
    words = (repository.path, "--connect", qemu_system, "--state", tmp_path / "state", "--listen", url)
    with running(onggi, *words) as process:
        until(lambda: httpx.get(f"http://{url}/healthz").status_code == 200, 60, "the agent is healthy")
        assert httpx.get(f"http://{url}/readyz", timeout=60).json()["revision"] == f"main@sha1:{repository.head}"
        assert networks(qemu_connection, name) == [name]  # the first pass is through
        assert onggi("status", "--state", tmp_path / "state", "-o", "json").json["agent"]["running"] is True

        network = qemu_connection.networkLookupByName(name)
        network.destroy()
        network.undefine()
        until(lambda: networks(qemu_connection, name) == [name], 60, "what was removed by hand is back")

        began = time.monotonic()
        process.send_signal(number)
        out, err = process.communicate(timeout=60)
        assert time.monotonic() - began < 5
        assert process.returncode == 0, err
        assert out == ""
        assert f"INFO onggi.run: serving on http://{url}" in err
        assert "Traceback" not in err
    assert onggi("status", "--state", tmp_path / "state").out.startswith("Agent:      not running")


def test_asked_by_a_signal_it_says_what_each_thread_does_and_goes_on(onggi: Onggi, repository: Repository) -> None:
    repository.commit({})
    url = f"http://127.0.0.1:{free_port()}"
    words = (repository.path, "--connect", "test:///default", "--listen", url.removeprefix("http://"))
    with running(onggi, *words) as process:
        until(lambda: httpx.get(f"{url}/readyz", timeout=60).status_code == 200, 120, "the agent is ready")
        for _ in range(2):
            process.send_signal(signal.SIGUSR1)
            assert httpx.get(f"{url}/readyz", timeout=60).status_code == 200
        process.terminate()
        _out, err = process.communicate(timeout=60)
    assert process.returncode == 0, err
    for thread in (r"cli/run\.py", r"reconciler/loop/\w+\.py", r"cli/signals\.py", r"uvicorn/server\.py"):
        assert len(re.findall(rf'^  File ".*{thread}", line \d+, in', err, re.MULTILINE)) >= 2, err


def test_asked_very_often_while_much_is_done_it_still_lives(onggi: Onggi, repository: Repository) -> None:
    repository.commit({})
    url = f"http://127.0.0.1:{free_port()}"
    words = (repository.path, "--connect", "test:///default", "--listen", url.removeprefix("http://"))
    with running(onggi, *words) as process, ThreadPoolExecutor() as beside:
        until(lambda: httpx.get(f"{url}/readyz", timeout=60).status_code == 200, 120, "the agent is ready")
        written = beside.submit(process.communicate)
        with httpx.Client(timeout=60) as client:
            for _ in range(40):
                for _ in range(50):
                    process.send_signal(signal.SIGUSR1)
                assert client.get(f"{url}/openapi.json").status_code == 200
        process.terminate()
        assert "Thread onggi-signals" in written.result(60)[1]
    assert process.returncode == 0


def test_the_log_can_be_for_machines(
    onggi: Onggi, qemu_system: str, tmp_path: Path, name: str, repository: Repository
) -> None:
    words = (repository.path, "--connect", qemu_system, "--state", tmp_path / "state", "--once", "--log-format", "json")
    done = onggi("run", *words)
    assert done.code == 0
    lines = [line for line in done.err.splitlines() if line]
    assert lines
    assert all(line.startswith('{"time": "2') and '"message": ' in line for line in lines)


def test_once_is_one_pass_and_its_exit_code(
    onggi: Onggi,
    qemu_system: str,
    qemu_connection: libvirt.virConnect,
    repository: Repository,
    name: str,
    tmp_path: Path,
) -> None:
    words = ("run", repository.path, "--connect", qemu_system, "--state", tmp_path / "state", "--once")
    assert onggi(*words).code == 0
    assert networks(qemu_connection, name) == [name]
    repository.commit({"bad.yaml": "kind: Nothing\n"})
    done = onggi(*words)
    assert done.code == 1
    assert "bad.yaml:1:" in done.err


def test_a_port_in_use_is_told_before_anything_is_touched(
    onggi: Onggi,
    qemu_system: str,
    qemu_connection: libvirt.virConnect,
    repository: Repository,
    name: str,
    tmp_path: Path,
) -> None:
    with socket.create_server(("127.0.0.1", 0)) as other:
        url = f"127.0.0.1:{other.getsockname()[1]}"
        done = onggi("run", repository.path, "--connect", qemu_system, "--state", tmp_path / "state", "--listen", url)
    assert done.code == 1
    assert f"onggi: error: {url} can't be listened on" in done.err
    assert networks(qemu_connection, name) == []


def test_an_address_that_others_can_reach_is_refused(onggi: Onggi, tmp_path: Path) -> None:
    done = onggi("run", tmp_path, "--listen", "0.0.0.0:8010")
    assert done.code == 1
    assert "takes a login and TLS" in done.err


def test_a_second_agent_on_one_state_gives_up(
    onggi: Onggi, qemu_system: str, repository: Repository, name: str, tmp_path: Path
) -> None:
    url = f"127.0.0.1:{free_port()}"
    words = (repository.path, "--connect", qemu_system, "--state", tmp_path / "state")
    with running(onggi, *words, "--listen", url):
        until(lambda: httpx.get(f"http://{url}/readyz").status_code == 200, 60, "the agent is ready")
        done = onggi("run", *words)
        assert done.code == 1
        assert "is in use by another onggi" in done.err


def test_a_repository_that_is_not_there_ends_it_with_an_error(onggi: Onggi, qemu_system: str, tmp_path: Path) -> None:
    done = onggi("run", tmp_path / "nowhere", "--connect", qemu_system, "--state", tmp_path / "state")
    assert done.code == 1
    assert "There is nothing at" in done.err.splitlines()[-1]


def test_it_is_not_ready_while_the_host_cannot_be_reached_and_still_ends_in_time(
    onggi: Onggi, repository: Repository, tmp_path: Path
) -> None:
    repository.commit({"note.txt": "nothing"})
    url = f"127.0.0.1:{free_port()}"
    nowhere = f"qemu+unix:///system?socket={tmp_path}/no-socket"
    words = (repository.path, "--connect", nowhere, "--state", tmp_path / "state", "--listen", url)
    with running(onggi, *words) as process:
        answer = until(lambda: httpx.get(f"http://{url}/readyz"), 60, "the server answers")
        assert answer.status_code == 503
        assert answer.json()["code"] == "503 Service Unavailable"
        process.terminate()
        _, err = process.communicate(timeout=60)
        assert process.returncode == 0, err
