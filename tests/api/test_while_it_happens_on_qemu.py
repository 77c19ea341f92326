"""What clients see meanwhile, on the real hypervisor: how far a download is, and a disk that grows in a guest."""

from __future__ import annotations

import os
import re
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from tests.api.test_vm_devices_on_qemu import Machine, machine
from tests.lab.serial_console import SerialConsole
from tests.lab.waiting import until
from tests.stories.live_guest import BASE, BOOT_LIMIT_S

__all__ = ["machine"]
pytestmark = pytest.mark.qemu
MIB = 1 << 20
CONTENT = os.urandom(64 * MIB)


class SlowServer:
    """Offers CONTENT on the loopback, the first piece at once and another one each time that it is told to go on."""

    def __init__(self) -> None:
        self._pieces = threading.Semaphore(0)
        pieces = self._pieces

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                self.send_response(200)
                self.send_header("Content-Length", str(len(CONTENT)))
                self.end_headers()
                try:
                    for start in range(0, len(CONTENT), MIB):
                        assert start == 0 or pieces.acquire(timeout=120)
                        self.wfile.write(CONTENT[start : start + MIB])
                        self.wfile.flush()
                except OSError:
                    self.close_connection = True  # who only asked whether there is anything has gone

            def log_message(self, *_: object) -> None:
                """Nothing."""

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._server.daemon_threads = True
        self.url = f"http://127.0.0.1:{self._server.server_port}/slow.raw"
        threading.Thread(target=self._server.serve_forever, daemon=True).start()

    def go_on(self, pieces: int = 1) -> None:
        """Send more."""
        self._pieces.release(pieces)

    def close(self) -> None:
        self.go_on(len(CONTENT) // MIB)
        self._server.shutdown()
        self._server.server_close()


@pytest.fixture
def slow() -> Iterator[SlowServer]:
    server = SlowServer()
    yield server
    server.close()


def test_a_task_tells_how_far_its_download_is(machine: Machine, slow: SlowServer) -> None:
    client, volumes = machine.api.client, f"/storagepools/{machine.pool}/storagevolumes"
    answer = client.post(volumes, json={"url": slow.url})
    assert answer.status_code == 202, answer.text
    address = f"/tasks/{answer.json()['id']}"
    told: list[int] = []

    def moves_on() -> bool:
        slow.go_on()
        task = client.get(address).json()
        assert task["status"] == "running", task
        if found := re.fullmatch(rf"(\d+)/{len(CONTENT)}", task["message"]):
            told.append(int(found[1]))
        return len(set(told)) > 1

    until(moves_on, 60, "the task tells more and more", every_s=0.1)
    assert told == sorted(told)
    assert 0 < told[-1] < len(CONTENT)
    assert client.get(f"{volumes}/slow.raw").status_code == 404
    slow.go_on(len(CONTENT) // MIB)
    assert machine.api.task(answer)["status"] == "finished"
    assert (machine.folder / "slow.raw").read_bytes() == CONTENT
    assert client.get(f"{volumes}/slow.raw").json()["capacity"] == len(CONTENT)


def test_a_guest_sees_its_disk_grow(guest_base: Path, machine: Machine) -> None:
    api, client = machine.api, machine.api.client
    root = {"name": "root", "size": "1GiB", "pool": machine.pool, "base": BASE}
    data = {"name": "data", "size": "16MiB", "pool": machine.pool}
    machine.declare(disks=[root, data], runStrategy="Always")
    run = machine.domain.ID()
    volume = f"/storagepools/{machine.pool}/storagevolumes/{machine.name}-data.qcow2"
    with SerialConsole("qemu:///system", machine.name) as console:
        console.wait_until_ready(BOOT_LIMIT_S)
        assert console.command("cat /sys/block/vdb/size") == str(16 * MIB // 512)
        grown = client.post(f"{volume}/resize", json={"size": 48 * MIB})
        assert (grown.status_code, grown.json()["capacity"]) == (200, 48 * MIB), grown.text
        until(lambda: console.command("cat /sys/block/vdb/size") == str(48 * MIB // 512), 60, "the guest has the room")
        smaller = client.post(f"{volume}/resize", json={"size": 32 * MIB})
        assert (smaller.status_code, smaller.json()["reason"].partition(":")[0]) == (400, "KCHVOL0011E")
        assert console.command("cat /sys/block/vdb/size") == str(48 * MIB // 512)
    assert machine.domain.ID() == run
    assert "size: 48MiB" in api.text("vm.yaml")
    assert client.get(volume).json()["used_by"] == [machine.name]
