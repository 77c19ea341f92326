"""What a new pool would be of is looked for first: real NFS and iSCSI servers, real volume groups."""

from __future__ import annotations

import json
import secrets
import subprocess
import sys
import threading
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from api.http.refusal import Refusal
from api.storagepools.sources import _is_within, check_devices
from tests.api.live import LiveApi, live_api
from tests.host.namespaces import Namespace, namespace
from tests.host.storage_network import NEVER, exported, network, silent
from tests.lab.libvirtd import HostObjects
from tests.lab.ports import free_port
from tests.lab.repositories import Repository
from tests.lab.volume_groups import Disks, disks, tool
from tests.lab.waiting import until

__all__ = ["disks", "exported", "network", "silent"]
TARGET = "iqn.2026-01.org.example:disk0"
NFS_4 = """
import socket
server = socket.create_server(("127.0.0.1", 2049))
print("ready", flush=True)
while True:
    server.accept()
"""
CHECK = """
import json, sys, types
from api.http.refusal import Refusal
from api.storagepools.sources import check_source
from reconciler.host.storage_servers import StorageServers
host = types.SimpleNamespace(storage_servers=StorageServers(timeout_s=float(sys.argv[1])))
try:
    check_source(host, "new", *json.loads(sys.argv[2]))
except Refusal as refusal:
    print(refusal.status, refusal.reason.partition(":")[0])
"""


def asked(where: Namespace, kind: str, *, patience_s: float = 20, **source: Any) -> str:
    """What comes of asking inside a namespace: empty, or the refusal's status and code."""
    return where.python(CHECK, str(patience_s), json.dumps([kind, source])).strip()


def test_a_folder_has_to_be_exported(network: Namespace, exported: list[str]) -> None:
    first, second = exported
    for path in (first, f"{first}/", f"{second}/deeper"):
        assert asked(network, "netfs", host="127.0.0.1", path=path) == ""
    for path in ("/nowhere", f"{first}-other"):
        assert asked(network, "netfs", host="127.0.0.1", path=path) == "400 KCHPOOL0013E"


def test_a_server_that_is_not_there_exports_nothing() -> None:
    with namespace() as alone:
        assert asked(alone, "netfs", host="127.0.0.1", path="/x") == "400 KCHPOOL0013E"
        # One that only speaks NFSv4 has nobody to ask.
        server = alone.start(sys.executable, "-c", NFS_4)
        assert server.stdout is not None
        assert server.stdout.readline() == "ready\n"
        assert asked(alone, "netfs", host="127.0.0.1", path="/x") == ""


def test_a_server_that_never_answers_would_block_the_mount() -> None:
    with namespace() as alone:
        server = alone.start(sys.executable, "-c", NEVER)
        assert server.stdout is not None
        assert server.stdout.readline() == "ready\n"
        assert asked(alone, "netfs", patience_s=0.5, host="127.0.0.1", path="/x") == "400 KCHPOOL0012E"


def test_what_is_exported_covers_what_lies_in_it() -> None:
    assert all(_is_within(path, "/srv/iso") for path in ("/srv/iso", "/srv//iso/", "/srv/iso/a", "/iso", "/"))
    assert not any(_is_within(path, "/srv/iso") for path in ("/srv", "/srv/isos", "/other", "/srv/iso/../x"))


def test_a_device_has_to_be_there(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    for device, code in (
        ("/dev/none", "KCHPOOL0027E"),
        ("/dev/null", "KCHPOOL0027E"),
        (str(tmp_path / "file"), "KCHPOOL0027E"),
        ("/dev/\0", "KCHPOOL0027E"),
        ("sdb", "KCHPOOL0020E"),
    ):
        with pytest.raises(Refusal) as refused:
            check_devices("lab", [device])
        assert (refused.value.status, refused.value.reason.partition(":")[0]) == (400, code), device


@dataclass
class Lab:
    api: LiveApi
    objects: HostObjects
    repository: Repository

    def refused(self, **body: Any) -> str:
        """The code with which a new pool is refused; nothing was committed for it."""
        head = self.repository.head
        answer = self.api.client.post("/storagepools", json={"name": self.objects.name("new"), **body})
        assert answer.status_code == 400, answer.text
        assert self.repository.head == head
        code: str = answer.json()["reason"].partition(":")[0]
        return code


@pytest.fixture
def lab(host_objects: HostObjects, qemu_system: str, repository: Repository, tmp_path: Path) -> Iterator[Lab]:
    repository.commit({}, "Begin")
    with live_api(repository, tmp_path / "state", qemu_system) as api:
        yield Lab(api, host_objects, repository)


@pytest.fixture
def iscsi() -> Iterator[int]:
    """The port on the loopback of a server that offers TARGET."""
    port = free_port()
    control = str(1000 + secrets.randbelow(30_000))
    Path("/run/tgtd").mkdir(exist_ok=True)
    process = subprocess.Popen(
        ["tgtd", "-f", "-C", control, "--iscsi", f"portal=127.0.0.1:{port}"],
        stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
    )  # fmt: skip
    admin = ["tgtadm", "-C", control, "--lld", "iscsi", "--mode"]
    try:
        until(lambda: tool(*admin, "sys", "--op", "show"), 60, "tgt answers")
        tool(*admin, "target", "--tid", "1", "--op", "new", "-T", TARGET)
        tool(*admin, "target", "--tid", "1", "--op", "bind", "-I", "ALL")
        yield port
    finally:
        process.kill()
        process.wait()


def test_a_target_has_to_be_offered(lab: Lab, iscsi: int) -> None:
    source = {"host": "127.0.0.1", "port": iscsi, "target": TARGET}
    made = lab.api.client.post(
        "/storagepools", json={"name": lab.objects.name("san"), "type": "iscsi", "source": source}
    )
    assert made.status_code == 201, made.text
    assert lab.refused(type="iscsi", source={**source, "target": f"{TARGET}0"}) == "KCHISCSI0002E"
    assert lab.refused(type="iscsi", source={**source, "port": 1}) == "KCHISCSI0002E"
    auth = {"username": "me", "password": "s3cret"}
    assert lab.refused(type="iscsi", source={**source, "port": 1, "auth": auth}) == "KCHISCSI0002E"
    assert not [*lab.api.serving.secrets.folder.glob("*")], "no password is kept for nothing"


def test_others_are_answered_while_a_server_is_silent(lab: Lab, silent: int) -> None:
    # Were the loop held up, nobody would be answered before the silent server's time is over.
    source = {"host": "127.0.0.1", "port": silent, "target": TARGET}
    done = threading.Event()

    def ask() -> None:
        lab.api.client.post("/storagepools", json={"name": lab.objects.name("san"), "type": "iscsi", "source": source})
        done.set()

    asking = threading.Thread(target=ask)
    asking.start()
    for _ in range(20):
        assert lab.api.client.get("/storagepools").status_code == 200
    assert not done.is_set()
    asking.join()


def test_a_folder_of_no_server_is_refused(lab: Lab) -> None:
    assert lab.refused(type="netfs", source={"host": "127.0.0.1", "path": "/nowhere"}) == "KCHPOOL0013E"


def test_the_name_of_a_volume_group_is_taken(disks: Disks, lab: Lab) -> None:
    first, second = disks.device(), disks.device()
    group = disks.group(first)
    answer = lab.api.client.post(
        "/storagepools", json={"name": group, "type": "logical", "source": {"devices": [second]}}
    )
    assert answer.status_code == 400
    assert answer.json()["reason"].startswith("KCHPOOL0036E: "), answer.text
    assert (lab.api.log(), disks.of(group)) == ([], {first})


def test_a_logical_pool_on_a_device_that_is_not_there_is_refused_before_it_is_committed(lab: Lab) -> None:
    assert lab.refused(type="logical", source={"devices": ["/dev/none"]}) == "KCHPOOL0027E"
