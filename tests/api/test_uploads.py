"""Volumes with bytes on the real host: uploads piece by piece and whole, downloads, growing, wiping, ISO images."""

from __future__ import annotations

import random
import resource
import socket
import subprocess
import threading
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import quote

import httpx
import libvirt
import pytest
import requests
import yaml

from reconciler.serving.client import Client
from reconciler.serving.uploads import Uploads
from specs.reference import Ref
from tests.api.images import an_iso
from tests.api.live import LiveApi, live_api
from tests.hostile.web_server import WebServer, web_server
from tests.lab.libvirtd import HostObjects
from tests.lab.repositories import Repository
from tests.lab.waiting import until

__all__ = ["web_server"]

pytestmark = pytest.mark.qemu

MIB = 1 << 20


@dataclass
class Lab:
    """An API on the real host, with an active pool of files in `folder`."""

    api: LiveApi
    pool: str
    folder: Path

    @property
    def volumes(self) -> str:
        return f"/storagepools/{self.pool}/storagevolumes"

    def url(self, name: str, action: str = "") -> str:
        return f"{self.volumes}/{quote(name)}{action}"

    def get(self, name: str) -> dict[str, Any]:
        answer = self.api.client.get(self.url(name))
        assert answer.status_code == 200, answer.text
        found: dict[str, Any] = answer.json()
        return found

    def begin(self, name: str, capacity: int) -> str:
        answer = self.api.client.post(self.volumes, json={"name": name, "capacity": capacity, "upload": True})
        assert answer.status_code == 202, answer.text
        assert (answer.json()["status"], answer.json()["message"]) == ("running", "ready for upload")
        number: str = answer.json()["id"]
        return number

    def put(self, name: str, chunk: bytes, size: int | None = None, **fields: str) -> httpx.Response:
        data = {"chunk_size": str(len(chunk) if size is None else size), **fields}
        return self.api.client.put(self.url(name), data=data, files={"chunk": ("chunk", chunk)})

    def task(self, number: str) -> dict[str, Any]:
        found: dict[str, Any] = self.api.client.get(f"/tasks/{number}").json()
        return found

    def spec(self, name: str) -> dict[str, Any]:
        found: dict[str, Any] = yaml.safe_load(self.api.text(f"volumes/{self.pool}/{name}.yaml"))["spec"]
        return found

    def files(self) -> list[str]:
        return sorted(path.name for path in self.folder.iterdir())


@pytest.fixture
def lab(
    qemu_system: str, host_objects: HostObjects, dir_pool_folder: Path, repository: Repository, tmp_path: Path
) -> Iterator[Lab]:
    pool, folder = host_objects.name("pool"), dir_pool_folder / "pool"
    document = {
        "apiVersion": "onggi/v1", "kind": "StoragePool", "metadata": {"name": pool},
        "spec": {"type": "dir", "path": str(folder)},
    }  # fmt: skip
    repository.commit({"pool.yaml": yaml.safe_dump(document)})
    with live_api(repository, tmp_path / "state", connect=qemu_system) as api:
        yield Lab(api, pool, folder)


def refused(answer: httpx.Response, code: str) -> None:
    reason = answer.json()["reason"]
    assert (answer.status_code, reason.partition(":")[0]) == (400, code), reason


def bytes_of(length: int) -> bytes:
    return random.Random(length).randbytes(length)


def qcow2(folder: Path, size: str = "64M") -> bytes:
    path = folder / "made.qcow2"
    subprocess.run(["qemu-img", "create", "-q", "-f", "qcow2", str(path), size], check=True)
    return path.read_bytes()


def test_chunks_make_a_volume_that_ends_up_in_git(lab: Lab) -> None:
    content = bytes_of(3 * MIB + 17)
    number = lab.begin("data.img", len(content))
    pieces = [content[start : start + MIB] for start in range(0, len(content), MIB)]
    for piece in pieces[:-1]:
        answer = lab.put("data.img", piece)
        assert (answer.status_code, answer.json()["name"]) == (200, "data.img")
        assert lab.task(number)["status"] == "running"
    assert lab.task(number)["message"] == f"{3 * MIB}/{len(content)}"
    assert f"volumes/{lab.pool}/data.img.yaml" not in lab.api.log()
    last = lab.put("data.img", pieces[-1])
    assert (last.status_code, last.json()["capacity"]) == (200, len(content)), last.text
    task = lab.task(number)
    assert (task["status"], task["message"]) == ("finished", "OK")
    assert (lab.folder / "data.img").read_bytes() == content
    assert lab.spec("data.img") == {"pool": lab.pool, "capacity": f"{len(content)}B", "format": "raw"}
    assert lab.api.log()[0] == f"Upload volume {lab.pool}/data.img"
    refused(lab.put("data.img", b"more"), "KCHVOL0027E")


def test_the_chunk_may_come_before_its_size(lab: Lab) -> None:
    lab.begin("data", 5)
    answer = requests.put(
        lab.api.url + lab.url("data"),
        files=[("chunk", ("blob", b"12345")), ("chunk_size", (None, "5"))],
        timeout=60,
    )
    assert answer.status_code == 200, answer.text
    assert (lab.folder / "data").read_bytes() == b"12345"


def test_an_image_is_taken_for_what_it_is(lab: Lab, tmp_path: Path) -> None:
    content = qcow2(tmp_path)
    lab.begin("disk.qcow2", len(content))
    view = lab.put("disk.qcow2", content).json()
    assert (view["format"], view["capacity"]) == ("qcow2", 64 * MIB)
    assert lab.spec("disk.qcow2") == {"pool": lab.pool, "capacity": "64MiB", "format": "qcow2"}


def test_an_image_that_opens_another_file_is_refused_and_removed(lab: Lab, tmp_path: Path) -> None:
    path = tmp_path / "evil.qcow2"
    backing = ["-b", "/etc/passwd", "-F", "raw"]
    subprocess.run(["qemu-img", "create", "-q", "-f", "qcow2", *backing, str(path)], check=True)
    content = path.read_bytes()
    number = lab.begin("evil", len(content))
    answer = lab.put("evil", content)
    assert (answer.status_code, "isn't used" in answer.json()["reason"]) == (400, True)
    assert lab.task(number)["status"] == "failed"
    assert lab.files() == []


def test_a_broken_connection_is_resumed_at_the_chunk(lab: Lab) -> None:
    content = bytes_of(2 * MIB)
    number = lab.begin("data", len(content))
    assert lab.put("data", content[:MIB], offset="0").status_code == 200
    _send_half_of(lab, "data", content[MIB:])
    until(lambda: lab.task(number)["message"] == f"{MIB}/{2 * MIB}", 60, "the first half is acknowledged")
    refused(lab.put("data", content[MIB:], offset="7"), "KCHVOL0026E")
    refused(lab.put("data", content[MIB:], offset=str(2 * MIB)), "KCHVOL0026E")
    # The answer to the first piece may have been lost: it comes once more, which changes nothing.
    assert lab.put("data", content[:MIB], offset="0").status_code == 200
    assert lab.put("data", content[MIB:], offset=str(MIB)).status_code == 200
    assert (lab.folder / "data").read_bytes() == content
    assert lab.put("data", content[MIB:], offset=str(MIB)).status_code == 200  # so may that of the last
    assert lab.task(number)["status"] == "finished"


def _send_half_of(lab: Lab, name: str, chunk: bytes) -> None:
    """A PUT whose connection breaks in the middle of the chunk."""
    head = '--b\r\nContent-Disposition: form-data; name="chunk_size"\r\n\r\n' + str(len(chunk))
    head += '\r\n--b\r\nContent-Disposition: form-data; name="chunk"; filename="c"\r\n\r\n'
    _connected(lab, name, len(head) + len(chunk), head.encode() + chunk[: len(chunk) // 2]).close()


def _first_line(lab: Lab, name: str, announced: int, content: bytes) -> str:
    """What the answer to a PUT begins with, of which `announced` bytes are to come and `content` does."""
    with _connected(lab, name, announced, content) as connection, connection.makefile("rb") as answer:
        return answer.readline().decode().strip()


def _connected(lab: Lab, name: str, announced: int, content: bytes) -> socket.socket:
    host, _, port = lab.api.url.removeprefix("http://").partition(":")
    lines = [f"PUT {lab.url(name)} HTTP/1.1", f"Host: {host}", f"Content-Length: {announced}"]
    lines += ["Content-Type: multipart/form-data; boundary=b", "", ""]
    connection = socket.create_connection((host, int(port)), timeout=60)
    connection.sendall("\r\n".join(lines).encode() + content)
    return connection


def test_chunks_that_do_not_fit_are_refused(lab: Lab) -> None:
    number = lab.begin("data", 10)
    refused(lab.put("data", b"12345", size=4), "KCHVOL0026E")
    refused(lab.put("data", b"12345", size=6), "KCHVOL0026E")
    refused(lab.put("data", b"12345678901"), "KCHVOL0028E")
    client, url = lab.api.client, lab.url("data")
    refused(client.put(url, data={"chunk_size": "many"}, files={"chunk": ("c", b"x")}), "KCHVOL0024E")
    refused(client.put(url, data={"chunk_size": "5"}, files={"other": ("c", b"x")}), "KCHVOL0024E")
    refused(client.put(url, files={"chunk": ("c", b"x")}), "KCHVOL0024E")
    assert client.put(url, json={"chunk_size": "1", "chunk": "x"}).status_code == 415
    assert client.put(url, content=b"x", headers={"Content-Type": "multipart/form-data"}).status_code == 400
    broken = {"Content-Type": "multipart/form-data; boundary=b"}
    assert client.put(url, content=b"--b\r\nno form at all", headers=broken).status_code == 400
    assert _first_line(lab, "data", 6 << 30, b"").endswith(" 413 Request Entity Too Large")
    assert lab.put("nosuch", b"x").status_code == 404
    assert lab.put("data", b"1234567890").status_code == 200
    assert (lab.folder / "data").read_bytes() == b"1234567890"
    assert lab.task(number)["status"] == "finished"


def test_one_piece_at_a_time(lab: Lab) -> None:
    lab.begin("data", 2 * MIB)
    began, go = threading.Event(), threading.Event()

    def slowly() -> Iterator[bytes]:
        began.set()
        assert go.wait(60)
        yield b"a" * MIB

    ref = Ref.volume(lab.pool, "data")
    first = threading.Thread(target=lab.api.serving.uploads.put, args=(ref, MIB, slowly(), Client("test")))
    first.start()
    assert began.wait(60)
    answer = lab.put("data", b"b" * MIB)
    go.set()
    first.join(60)
    assert answer.status_code == 409
    assert lab.put("data", b"b" * MIB).status_code == 200
    assert (lab.folder / "data").read_bytes() == b"a" * MIB + b"b" * MIB


def test_an_upload_that_is_deleted_leaves_nothing(lab: Lab) -> None:
    number = lab.begin("data", 2 * MIB)
    lab.put("data", b"a" * MIB)
    refused(lab.api.client.post(lab.volumes, json={"name": "data", "capacity": MIB}), "KCHVOL0001E")
    assert lab.api.client.delete(lab.url("data")).status_code == 204
    assert lab.files() == []
    task = lab.task(number)
    assert (task["status"], task["message"]) == ("failed", "The volume was deleted while it was uploaded.")
    assert lab.put("data", b"a" * MIB).status_code == 404


def test_an_upload_that_nobody_goes_on_with_is_given_up(lab: Lab) -> None:
    serving = lab.api.serving
    impatient = Uploads(serving.agent.line, serving.volumes, serving.tasks, idle_s=0.3)
    task = impatient.begin(Ref.volume(lab.pool, "data"), MIB, "/x", Client("tester"))
    until(lambda: lab.task(str(task.id))["status"] == "failed", 60, "the upload is given up")
    assert "was given up and removed" in lab.task(str(task.id))["message"]
    until(lambda: lab.files() == [], 60, "nothing of it is left")


def test_a_restart_cleans_up_what_was_cut_off(
    qemu_system: str, host_objects: HostObjects, dir_pool_folder: Path, repository: Repository, tmp_path: Path
) -> None:
    pool, folder = host_objects.name("pool"), dir_pool_folder / "pool"
    document = {
        "apiVersion": "onggi/v1", "kind": "StoragePool", "metadata": {"name": pool},
        "spec": {"type": "dir", "path": str(folder)},
    }  # fmt: skip
    repository.commit({"pool.yaml": yaml.safe_dump(document)})
    with live_api(repository, tmp_path / "state", connect=qemu_system) as api:
        lab = Lab(api, pool, folder)
        number = lab.begin("data", 2 * MIB)
        lab.put("data", b"a" * MIB)
        assert lab.files() == ["data"]
    with live_api(repository, tmp_path / "state", connect=qemu_system) as api:
        lab = Lab(api, pool, folder)
        assert lab.files() == []
        task = lab.task(number)
        assert (task["status"], "restarted" in task["message"]) == ("failed", True)
        assert lab.put("data", b"a" * MIB).status_code == 404
        assert lab.begin("data", MIB) != number


def test_a_file_is_uploaded_whole_by_a_form(lab: Lab, tmp_path: Path) -> None:
    image = an_iso(tmp_path / "boot me.iso")
    with image.open("rb") as file:
        answer = requests.post(lab.api.url + lab.volumes, files={"file": ("boot me.iso", file)}, timeout=60)
    assert answer.status_code == 202, answer.text
    assert answer.json()["target_uri"] == f"{lab.volumes}/boot%20me.iso"
    assert lab.task(answer.json()["id"])["status"] == "finished"
    assert (lab.folder / "boot me.iso").read_bytes() == image.read_bytes()
    view = lab.get("boot me.iso")
    assert (view["format"], view["bootable"], view["os_distro"]) == ("iso", True, "unknown")
    empty = lab.api.client.post(lab.volumes, files={"file": ("x", b"")})
    refused(empty, "KCHVOL0024E")
    hostile = lab.api.client.post(lab.volumes, files={"file": ("../../etc/x", b"bytes")})
    assert hostile.status_code == 202
    assert lab.files() == ["boot me.iso", "x"]


def test_a_large_chunk_never_sits_in_memory(lab: Lab, tmp_path: Path) -> None:
    size = 192 * MIB
    with (tmp_path / "large").open("wb") as file:
        file.truncate(size)
        file.seek(size - 3)
        file.write(b"end")
    number = lab.begin("large", size)
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    fields = ["-F", f"chunk_size={size}", "-F", f"chunk=@{tmp_path / 'large'}"]
    command = ["curl", "--silent", "--fail", "--max-time", "120", "-X", "PUT", *fields, lab.api.url + lab.url("large")]
    done = subprocess.run(command, capture_output=True, check=False)
    assert done.returncode == 0, (done, lab.task(number))
    grown_kib = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before
    assert grown_kib < 64 * 1024, grown_kib
    assert lab.get("large")["capacity"] == size
    with (lab.folder / "large").open("rb") as file:
        file.seek(size - 3)
        assert file.read() == b"end"


def test_images_are_told_for_bootable_or_not(lab: Lab) -> None:
    an_iso(lab.folder / "plain.iso", boots=False)
    an_iso(lab.folder / "boots.iso")
    (lab.folder / "broken.iso").write_bytes(b"no image")
    (lab.folder / "folder").mkdir()
    lab.api.serving.hypervisor.present([])
    connection = libvirt.open("qemu:///system")
    connection.storagePoolLookupByName(lab.pool).refresh()
    connection.close()
    lab.api.serving.operations.look_again(None)
    assert [view["name"] for view in lab.api.client.get(lab.volumes).json()] == ["boots.iso", "broken.iso", "plain.iso"]
    assert "bootable" not in lab.get("plain.iso")
    assert lab.get("boots.iso")["bootable"] is True
    images = {
        image["name"]: image["bootable"]
        for image in lab.api.client.get("/storagepools/kimchi_isos/storagevolumes").json()
        if image["path"].startswith(str(lab.folder))
    }
    assert images == {"boots.iso": True, "broken.iso": False, "plain.iso": False}


def test_a_download_is_a_document(lab: Lab, web_server: WebServer, tmp_path: Path) -> None:
    content = qcow2(tmp_path)
    web_server.files["/images/debian.qcow2"] = content
    web_server.redirects["/latest.qcow2"] = "/images/debian.qcow2"
    for url, name in (("/images/debian.qcow2", "debian.qcow2"), ("/images/debian.qcow2", "debian (1).qcow2")):
        task = lab.api.task(lab.api.client.post(lab.volumes, json={"url": web_server.url(url)}))
        assert (task["status"], task["target_uri"]) == ("finished", lab.url(name)), task
        assert lab.get(name)["format"] == "qcow2"
    assert lab.spec("debian.qcow2") == {
        "pool": lab.pool, "source": {"url": web_server.url("/images/debian.qcow2")}, "format": "qcow2",
    }  # fmt: skip
    moved = lab.api.client.post(lab.volumes, json={"url": web_server.url("/latest.qcow2"), "name": "moved"})
    assert lab.api.task(moved)["status"] == "finished"


def test_a_download_tells_how_far_it_is_and_an_image_that_is_too_large_is_refused(
    lab: Lab, web_server: WebServer
) -> None:
    told: list[str] = []
    content = bytes_of(3 * MIB)
    web_server.files["/data"] = content
    lab.api.serving.volumes.declare(
        Ref.volume(lab.pool, "data"),
        {"source": {"url": web_server.url("/data")}, "format": "raw"},
        Client("tester"),
        told.append,
        threading.Event(),
    )
    assert told[-1] == f"{3 * MIB}/{3 * MIB}"
    assert (lab.folder / "data").read_bytes() == content


def test_a_volume_grows_and_its_document_with_it(lab: Lab) -> None:
    made = lab.api.client.post(lab.volumes, json={"name": "disk", "capacity": 8 * MIB, "format": "qcow2"})
    assert lab.api.task(made)["status"] == "finished"
    grown = lab.api.client.post(lab.url("disk", "/resize"), json={"size": 16 * MIB})
    assert (grown.status_code, grown.json()["capacity"]) == (200, 16 * MIB), grown.text
    assert lab.spec("disk")["capacity"] == "16MiB"
    refused(lab.api.client.post(lab.url("disk", "/resize"), json={"size": 8 * MIB}), "KCHVOL0011E")


def test_a_volume_that_git_does_not_know_is_adopted_by_a_resize(lab: Lab, qemu_connection: libvirt.virConnect) -> None:
    xml = "<volume><name>byhand</name><capacity>2097152</capacity><target><format type='qcow2'/></target></volume>"
    qemu_connection.storagePoolLookupByName(lab.pool).createXML(xml)
    lab.api.serving.operations.look_again(None)
    grown = lab.api.client.post(lab.url("byhand", "/resize"), json={"size": 4 * MIB})
    assert (grown.status_code, grown.json()["capacity"]) == (200, 4 * MIB), grown.text
    assert lab.spec("byhand")["capacity"] == "4MiB"


def test_a_machines_own_disk_grows_in_the_machines_document(lab: Lab, host_objects: HostObjects) -> None:
    name = host_objects.name("vm")
    document = {
        "apiVersion": "onggi/v1", "kind": "VirtualMachine", "metadata": {"name": name},
        "spec": {
            "memory": 64, "runStrategy": "Halted",
            "disks": [{"name": each, "size": "8MiB", "pool": lab.pool} for each in ("root", "more")],
        },
    }  # fmt: skip
    lab.api.repository.commit({"vm.yaml": yaml.safe_dump(document)})
    lab.api.agent.fetch_now()
    disk = f"{name}-more.qcow2"
    until(lambda: lab.api.client.get(lab.url(disk)).status_code == 200, 60, "the disk is made")
    grown = lab.api.client.post(lab.url(disk, "/resize"), json={"size": 16 * MIB})
    assert (grown.status_code, grown.json()["capacity"]) == (200, 16 * MIB), grown.text
    disks = yaml.safe_load(lab.api.text("vm.yaml"))["spec"]["disks"]
    assert [each["size"] for each in disks] == ["8MiB", "16MiB"]
    refusal = lab.api.client.delete(lab.url(disk)).json()["reason"]
    assert f"machine {name}" in refusal


def test_what_another_volume_is_based_on_stays(lab: Lab) -> None:
    made = lab.api.client.post(lab.volumes, json={"name": "base", "capacity": 8 * MIB, "format": "qcow2"})
    assert lab.api.task(made)["status"] == "finished"
    document = {
        "apiVersion": "onggi/v1", "kind": "StorageVolume", "metadata": {"name": "overlay"},
        "spec": {"pool": lab.pool, "capacity": "8MiB", "format": "qcow2", "backingVolume": "base"},
    }  # fmt: skip
    lab.api.repository.commit({"overlay.yaml": yaml.safe_dump(document)})
    lab.api.agent.fetch_now()
    until(lambda: lab.api.client.get(lab.url("overlay")).status_code == 200, 60, "the overlay is made")
    assert lab.get("overlay")["base"] == str(lab.folder / "base")
    for answer in (lab.api.client.delete(lab.url("base")), lab.api.client.post(lab.url("base", "/wipe"))):
        assert (answer.status_code, f"volume {lab.pool}/overlay" in answer.json()["reason"]) == (400, True)


def test_a_wiped_volume_holds_nothing_any_more(lab: Lab) -> None:
    content = bytes_of(MIB)
    lab.begin("secret", MIB)
    lab.put("secret", content)
    wiped = lab.api.client.post(lab.url("secret", "/wipe"))
    assert (wiped.status_code, wiped.json()["capacity"]) == (200, MIB), wiped.text
    assert (lab.folder / "secret").read_bytes() == bytes(MIB)


def test_a_copy_goes_into_another_pool(lab: Lab, host_objects: HostObjects, dir_pool_folder: Path) -> None:
    other = host_objects.name("other")
    body = {"name": other, "type": "dir", "path": str(dir_pool_folder / "other")}
    assert lab.api.client.post("/storagepools", json=body).status_code == 201
    assert lab.api.client.post(f"/storagepools/{other}/activate").status_code == 200
    content = bytes_of(MIB)
    lab.begin("data", MIB)
    lab.put("data", content)
    task = lab.api.task(lab.api.client.post(lab.url("data", "/clone"), json={"pool": other, "name": "copy ∨"}))
    expected = f"/storagepools/{other}/storagevolumes/{quote('copy ∨')}"
    assert (task["status"], task["target_uri"]) == ("finished", expected), task
    assert (dir_pool_folder / "other" / "copy ∨").read_bytes() == content
    assert lab.api.client.delete(f"/storagepools/{other}/storagevolumes/{quote('copy ∨')}").status_code == 204
    assert list((dir_pool_folder / "other").iterdir()) == []
