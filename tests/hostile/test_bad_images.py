"""Images whose headers name other files, and downloads that aren't what was declared: no guest ever sees them."""

from __future__ import annotations

import hashlib
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import libvirt
import pytest

from tests.hostile.commands import onggi, planned, told
from tests.hostile.documents import pool, vm
from tests.hostile.web_server import WebServer, web_server
from tests.lab.libvirtd import HostObjects
from tests.lab.repositories import Repository

__all__ = ["web_server"]  # a fixture


def qemu_img(*words: str | Path) -> None:
    subprocess.run(["qemu-img", *map(str, words)], check=True, capture_output=True)


def backed_by(file: Path, backing: str, form: str = "raw") -> bytes:
    qemu_img("create", "-q", "-u", "-f", "qcow2", "-b", backing, "-F", form, file, "1M")
    return file.read_bytes()


def with_data_file(file: Path) -> bytes:
    """An image that keeps its data in a file of the host, which it would show to a guest."""
    outside = file.with_name("outside")
    qemu_img("create", "-q", "-f", "qcow2", "-o", f"data_file={outside},data_file_raw=on", file, "1M")
    outside.unlink()
    return file.read_bytes()


HEADERS: dict[str, Callable[[Path], bytes]] = {
    "a backing file": lambda file: backed_by(file, "/etc/passwd"),
    "a backing file without a format": lambda file: backed_by(file, "/etc/passwd").replace(
        b"\xe2\x79\x2a\xca", b"abcd"
    ),
    "a relative backing file": lambda file: backed_by(file, "../../../../etc/passwd"),
    "a pseudo protocol": lambda file: backed_by(
        file, 'json:{"driver":"raw","file":{"driver":"file","filename":"/etc/passwd"}}'
    ),
    "a file protocol": lambda file: backed_by(file, "file:/etc/passwd"),
    "a network protocol": lambda file: backed_by(file, "nbd://127.0.0.1:1/x"),
    "a backing device": lambda file: backed_by(file, "/dev/sda"),
    "an external data file": with_data_file,
}
EACH = pytest.mark.parametrize("header", HEADERS.values(), ids=[name.replace(" ", "-") for name in HEADERS])


class World:
    """One pool, one repository, and onggi on qemu:///system."""

    def __init__(self, objects: HostObjects, repository: Repository, folder: Path, state: Path, uri: str) -> None:
        self.objects = objects
        self.repository = repository
        self.folder = folder
        self._words = (repository.path, "--connect", uri, "--state", state, "-o", "json")
        self.pool = objects.name("pool")

    def documents(self) -> dict[str, str]:
        """The pool, and a neighbour with a disk of its own in it."""
        good = vm(self.objects.name("good"), disks=f"[{{name: root, size: 1MiB, pool: {self.pool}}}]")
        return {"pool.yaml": pool(self.pool, self.folder), "good.yaml": good}

    def volume(self, name: str, **fields: object) -> str:
        lines = "".join(f"  {key}: {value}\n" for key, value in {"pool": self.pool, **fields}.items())
        return f"apiVersion: onggi/v1\nkind: StorageVolume\nmetadata: {{name: {name}}}\nspec:\n{lines}"

    def run(self, verb: str) -> tuple[int, Any]:
        done = onggi(verb, *self._words)
        return done.returncode, told(done)

    @property
    def healthy(self) -> set[str]:
        """What is there of the pool and the neighbour."""
        good = self.objects.name("good")
        return {f"pool {self.pool}", f"domain {good}", f"volume {good}-root.qcow2"}


@pytest.fixture
def world(
    qemu_system: str, host_objects: HostObjects, repository: Repository, dir_pool_folder: Path, tmp_path: Path
) -> World:
    return World(host_objects, repository, dir_pool_folder, tmp_path / "state", qemu_system)


def why(result: Any, name: str) -> str:
    """Why nothing became of the object `name`: from its outcome, or from what blocks it."""
    said = [each["message"] for each in result["outcomes"] if each["name"] == name and each["result"] == "failed"]
    said += [each["message"] for each in result["remaining"]["blocked"] if each["name"] == name]
    assert said, result["outcomes"]
    return str(said[0])


@EACH
def test_a_base_image_that_names_another_file_gets_no_overlay(
    world: World, tmp_path: Path, header: Callable[[Path], bytes]
) -> None:
    (world.folder / "base.qcow2").write_bytes(header(tmp_path / "image"))
    bad = world.objects.name("bad")
    overlay = vm(bad, disks=f"[{{name: root, size: 1MiB, pool: {world.pool}, base: base.qcow2}}]")
    world.repository.commit({**world.documents(), "bad.yaml": overlay})
    code, result = world.run("apply")
    assert code == 1
    assert set(world.objects.left()) == world.healthy | {"volume base.qcow2"}
    message = why(result, f"{world.pool}/{bad}-root.qcow2")
    assert "image" in message
    assert "\n" not in message


@EACH
def test_an_existing_volume_that_names_another_file_becomes_no_disk(
    world: World, tmp_path: Path, header: Callable[[Path], bytes]
) -> None:
    (world.folder / "disk.qcow2").write_bytes(header(tmp_path / "image"))
    bad = world.objects.name("bad")
    world.repository.commit({**world.documents(), "bad.yaml": vm(bad, disks=f"[{{volume: {world.pool}/disk.qcow2}}]")})
    code, result = world.run("apply")
    assert code == 1
    assert set(world.objects.left()) == world.healthy | {"volume disk.qcow2"}
    assert why(result, bad)


def test_a_header_that_a_guest_wrote_into_its_raw_disk_is_never_believed(
    world: World, qemu_connection: libvirt.virConnect, tmp_path: Path
) -> None:
    name = world.objects.name("raw")
    declared = world.objects.name("data.raw")
    root = f"{{name: root, size: 1MiB, pool: {world.pool}, format: raw}}"
    own = vm(name, disks=f"[{root}, {{volume: {world.pool}/{declared}}}]")
    data = world.volume(declared, format="raw", capacity="1MiB")
    world.repository.commit({**world.documents(), "raw.yaml": own, "data.yaml": data})
    assert world.run("apply")[0] == 0
    hostile = backed_by(tmp_path / "image", "/etc/passwd")
    for file in (next(world.folder.glob(f"{name}-root*")), world.folder / declared):
        file.write_bytes(hostile.ljust(1 << 20, b"\0"))
    qemu_connection.storagePoolLookupByName(world.pool).refresh()

    def formats() -> list[str]:
        xml = qemu_connection.lookupByName(name).XMLDesc(libvirt.VIR_DOMAIN_XML_INACTIVE)
        return [line.split("type='")[1].split("'")[0] for line in xml.splitlines() if "<driver name='qemu'" in line]

    assert formats() == ["raw", "raw"]
    world.repository.commit({"raw.yaml": own.replace("memory: 64", "memory: 80")})
    world.run("apply")
    assert formats() == ["raw", "raw"]
    world.repository.remove("raw.yaml")
    world.run("apply")
    world.repository.commit({"raw.yaml": own}, "Again")
    world.run("apply")
    assert formats() == ["raw", "raw"], "the machine is made anew upon disks that a guest has written to"


def test_an_image_that_libvirt_took_for_raw_while_it_was_written_is_never_attached_as_raw(
    world: World, qemu_connection: libvirt.virConnect
) -> None:
    name, file = world.objects.name("late"), world.folder / world.objects.name("late.qcow2")
    volume = world.volume(file.name, format="qcow2", capacity="1MiB")
    world.repository.commit({**world.documents(), "volume.yaml": volume})
    assert world.run("apply")[0] == 0
    file.write_bytes(bytes(file.stat().st_size))
    qemu_connection.storagePoolLookupByName(world.pool).refresh()
    world.repository.commit({"late.yaml": vm(name, disks=f"[{{volume: {world.pool}/{file.name}}}]")})
    world.run("apply")
    assert "<driver name='qemu' type='qcow2'" in qemu_connection.lookupByName(name).XMLDesc()


@EACH
def test_a_downloaded_image_that_names_another_file_leaves_nothing(
    world: World, web_server: WebServer, tmp_path: Path, header: Callable[[Path], bytes]
) -> None:
    content = header(tmp_path / "image")
    web_server.files["/image.qcow2"] = content
    source = f"{{url: '{web_server.url('/image.qcow2')}', sha256: {hashlib.sha256(content).hexdigest()}}}"
    world.repository.commit(
        {**world.documents(), "image.yaml": world.volume("image.qcow2", format="qcow2", source=source)}
    )
    code, result = world.run("apply")
    assert code == 1
    assert set(world.objects.left()) == world.healthy
    assert not (world.folder / "image.qcow2").exists()
    assert "qemu-img convert" in why(result, f"{world.pool}/image.qcow2")


@pytest.mark.parametrize(
    ("path", "redirect", "sha256", "expected"),
    [
        ("/good", "", "0" * 64, "sha256"),
        ("/gone", "", "", "404"),
        ("/out", "file:///etc/passwd", "", "http"),
        ("/out", "ftp://127.0.0.1:1/x", "", "http"),
        ("/ring", "/ring", "", "circle"),
        ("/packed", "", "", "compressed"),
        ("/qcow2", "", "", "qcow2"),
    ],
    ids=["digest", "missing", "file", "ftp", "circle", "compressed", "format"],
)
def test_a_download_that_isnt_what_was_declared_leaves_nothing(
    world: World, web_server: WebServer, tmp_path: Path, path: str, redirect: str, sha256: str, expected: str
) -> None:
    qemu_img("create", "-q", "-f", "qcow2", tmp_path / "image", "1M")
    web_server.files |= {
        "/good": b"content" * 1000,
        "/packed": b"\x1f\x8b" + b"\0" * 1000,
        "/qcow2": (tmp_path / "image").read_bytes(),
    }
    if redirect:
        web_server.redirects[path] = redirect
    digest = f", sha256: '{sha256}'" if sha256 else ""
    source = f"{{url: '{web_server.url(path)}'{digest}}}"
    world.repository.commit({**world.documents(), "image.yaml": world.volume("image.raw", format="raw", source=source)})
    code, result = world.run("apply")
    assert code == 1
    assert set(world.objects.left()) == world.healthy
    assert expected in why(result, f"{world.pool}/image.raw")


def test_a_repaired_download_is_made(world: World, web_server: WebServer) -> None:
    web_server.files["/image"] = b"content" * 10_000
    url = web_server.url("/image")

    def image(digest: str) -> dict[str, str]:
        return {"image.yaml": world.volume("image.raw", format="raw", source=f"{{url: '{url}', sha256: '{digest}'}}")}

    world.repository.commit({**world.documents(), **image("1" * 64)})
    code, result = world.run("apply")
    assert code == 1
    assert web_server.asked == ["/image"], "what fails for good is tried once in one call"
    assert [each["result"] for each in result["outcomes"] if each["name"].endswith("image.raw")] == ["failed"]
    world.repository.commit(image(hashlib.sha256(web_server.files["/image"]).hexdigest()))
    assert world.run("apply")[0] == 0
    assert (world.folder / "image.raw").read_bytes() == web_server.files["/image"]
    assert planned(world.run("plan")[1]) == set()
