"""The outcome in one story, on qemu:///system: a client of Kimchi's works, and `git log` tells what it did."""

from __future__ import annotations

import ipaddress
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import libvirt
import pytest
import requests
import yaml

from tests.api.live import LiveApi, live_api
from tests.lab.libvirtd import HostObjects
from tests.lab.repositories import Repository
from tests.lab.serial_console import SerialConsole
from tests.lab.waiting import until

CHUNK = 8 << 20


class Client:
    """A program that was written for Kimchi, with `requests`."""

    def __init__(self, url: str) -> None:
        self._url = url
        self._session = requests.Session()
        self._session.headers["Accept"] = "application/json"

    def __call__(self, method: str, path: str, expect: int | tuple[int, ...] = 200, **more: Any) -> Any:
        answer = self._session.request(method, self._url + path, timeout=180, allow_redirects=False, **more)
        expected = (expect,) if isinstance(expect, int) else expect
        assert answer.status_code in expected, f"{method} {path}: {answer.status_code} {answer.text}"
        is_json = answer.content and answer.headers.get("Content-Type", "").startswith("application/json")
        return answer.json() if is_json else answer

    def task(self, method: str, path: str, **more: Any) -> dict[str, Any]:
        number = self(method, path, 202, **more)["id"]
        return self.finished(number)

    def finished(self, number: str) -> dict[str, Any]:
        def ended() -> dict[str, Any] | None:
            task: dict[str, Any] = self("GET", f"/tasks/{number}")
            return task if task["status"] != "running" else None

        task = until(ended, 120, f"task {number} ends")
        assert task["status"] == "finished", task
        return task

    def upload(self, pool: str, name: str, image: Path) -> None:
        """In pieces, as Kimchi's own pages do."""
        volumes = f"/storagepools/{pool}/storagevolumes"
        size = image.stat().st_size
        number = self("POST", volumes, 202, json={"name": name, "capacity": size, "format": "raw", "upload": True})[
            "id"
        ]

        def ready() -> bool:
            return any(each["name"] == name for each in self("GET", volumes))

        until(ready, 60, "the volume waits for its content")
        with image.open("rb") as file:
            while piece := file.read(CHUNK):
                form = {"chunk_size": str(len(piece))}
                self("PUT", f"{volumes}/{name}", data=form, files={"chunk": ("blob", piece)})
        self.finished(number)


@pytest.fixture
def api(qemu_system: str, repository: Repository, tmp_path: Path, host_objects: HostObjects) -> Iterator[LiveApi]:
    repository.commit({}, "Begin")
    with live_api(repository, tmp_path / "state", qemu_system) as running:
        yield running


def test_a_client_of_kimchis_lives_a_machines_life_and_git_log_tells_it(
    api: LiveApi,
    qemu_system: str,
    qemu_connection: libvirt.virConnect,
    host_objects: HostObjects,
    dir_pool_folder: Path,
    free_subnet: ipaddress.IPv4Network,
    guest_image: Path,
) -> None:
    client = Client(api.url)
    pool, net, tmpl, vm = (host_objects.name(what) for what in ("pool", "net", "template", "vm"))
    base = host_objects.name("base.img")

    client("POST", "/storagepools", 201, json={"name": pool, "type": "dir", "path": str(dir_pool_folder / "pool")})
    assert client("POST", f"/storagepools/{pool}/activate")["state"] == "active"
    client.upload(pool, base, guest_image)
    client("POST", "/networks", 201, json={"name": net, "connection": "isolated", "subnet": str(free_subnet)})
    assert client("POST", f"/networks/{net}/activate")["state"] == "active"
    volume = client("GET", f"/storagepools/{pool}/storagevolumes/{base}")
    template = {
        "name": tmpl, "memory": 512, "storagepool": f"/storagepools/{pool}", "networks": [net],
        "os_distro": "debian", "os_version": "12", "disks": [{"index": 0, "size": 1, "base": volume["path"]}],
    }  # fmt: skip
    assert client("POST", "/templates", 201, json=template)["name"] == tmpl

    client.task("POST", "/vms", json={"name": vm, "template": f"/templates/{tmpl}"})
    made = client("GET", f"/vms/{vm}")
    assert (made["state"], made["memory"], made["cpus"]) == ("shutoff", 512, 1)
    assert client("POST", f"/vms/{vm}/start")["state"] == "running"
    with SerialConsole(qemu_system, vm) as console:
        console.wait_until_ready()
        assert client("GET", f"/vms/{vm}/screenshot").headers["Content-Type"] == "image/png"
        extra = host_objects.name("extra.qcow2")
        volumes = f"/storagepools/{pool}/storagevolumes"
        client.task("POST", volumes, json={"name": extra, "capacity": 64 << 20, "format": "qcow2"})
        disk = client("POST", f"/vms/{vm}/storages", 201, json={"type": "disk", "pool": pool, "vol": extra})
        until(lambda: console.command(f"blockdev --getsize64 /dev/{disk['dev']}") == str(64 << 20), 60, "a new disk")
        assert client("GET", f"{volumes}/{extra}")["used_by"] == [vm]
        assert "used" in client("DELETE", f"{volumes}/{extra}", 400)["reason"]
        console.command(f"echo before > /dev/{disk['dev']}; sync")

        # Meanwhile a colleague edits the machine's document.
        path = f"vms/{vm}.yaml"
        file = api.repository.path / path
        file.write_text(f"# kept by ada\n{file.read_text()}".replace("spec:\n", "spec:\n  title: the colleague's\n", 1))
        api.repository.commit({}, "Give it a title")
        domain = qemu_connection.lookupByName(vm)
        title = libvirt.VIR_DOMAIN_METADATA_TITLE
        until(lambda: domain.metadata(title, None) == "the colleague's", 60, "the title is on the host")

        client("POST", f"/vms/{vm}/shutdown")
        until(lambda: client("GET", f"/vms/{vm}")["state"] == "shutoff", 60, "the guest has shut down")
    assert domain.state()[1] == libvirt.VIR_DOMAIN_SHUTOFF_SHUTDOWN

    # A raw base below a qcow2 overlay is fine for a snapshot: the machine's own disks are qcow2.
    client.task("POST", f"/vms/{vm}/snapshots", json={"name": "clean"})
    assert [each["name"] for each in client("GET", f"/vms/{vm}/snapshots")] == ["clean"]
    assert client("POST", f"/vms/{vm}/start")["state"] == "running"
    with SerialConsole(qemu_system, vm) as console:
        console.wait_until_ready()
        console.command(f"echo after! > /dev/{disk['dev']}; sync")
    assert client("POST", f"/vms/{vm}/poweroff")["state"] == "shutoff"
    client("POST", f"/vms/{vm}/snapshots/clean/revert", (200, 303))
    assert client("GET", f"/vms/{vm}/snapshots/current")["name"] == "clean"

    clone = client.task("POST", f"/vms/{vm}/clone")["target_uri"].split("/")[2]
    assert client("GET", f"/vms/{clone}")["uuid"] != made["uuid"]
    assert client("POST", f"/vms/{clone}/start")["state"] == "running"
    with SerialConsole(qemu_system, clone) as console:
        console.wait_until_ready()
        copies = [each["dev"] for each in client("GET", f"/vms/{clone}/storages") if each["type"] == "disk"]
        assert len(copies) == 2
        assert console.command(f"head -n 1 /dev/{copies[1]}") == "before", "the copy is of the reverted disk"
    client("DELETE", f"/vms/{clone}", 204)

    assert client("PUT", f"/vms/{vm}", json={"cpus": 2})["cpus"] in (1, 2)
    assert api.text(path).startswith("# kept by ada\n")
    assert yaml.safe_load(api.text(path))["spec"]["title"] == "the colleague's"
    client("DELETE", f"/vms/{vm}", 204)
    client("GET", f"/vms/{vm}", 404)
    left = {each["name"] for each in client("GET", volumes)}
    assert base in left
    assert not {each for each in left if each.startswith((f"{vm}-", f"{clone}-"))}
    assert extra in left, "a disk that was attached by hand isn't the machine's"

    told = "\n".join(reversed(api.log()))
    for word in (f"Create network {net}", f"Activate network {net}", tmpl, vm, "Give it a title", clone):
        assert word in told
    assert {event.who for event in api.agent.line.ledger.history.events(1000)} >= {"reconcile", "api:api"}
