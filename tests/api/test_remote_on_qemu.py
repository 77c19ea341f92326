"""A hypervisor on another machine: its files aren't those that have the same paths here."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from tests.api.images import an_iso
from tests.api.live import LiveApi, live_api
from tests.lab.libvirtd import HostObjects
from tests.lab.relay import remote_qemu
from tests.lab.repositories import Repository
from tests.lab.waiting import until

__all__ = ["remote_qemu"]
pytestmark = pytest.mark.qemu


@pytest.mark.parametrize("here", [True, False])
def test_an_image_is_looked_into_on_its_own_machine_alone(
    qemu_system: str,
    remote_qemu: str,
    host_objects: HostObjects,
    dir_pool_folder: Path,
    repository: Repository,
    tmp_path: Path,
    here: bool,
) -> None:
    repository.commit({}, "Begin")
    an_iso(dir_pool_folder / "some.iso")
    pool = host_objects.name("pool")
    with live_api(repository, tmp_path / "state", qemu_system if here else remote_qemu) as api:
        assert api.client.post(
            "/storagepools", json={"name": pool, "type": "dir", "path": str(dir_pool_folder)}
        ).is_success
        assert api.client.post(f"/storagepools/{pool}/activate").is_success
        volume = api.client.get(f"/storagepools/{pool}/storagevolumes/some.iso").json()
        assert (volume["format"], volume["capacity"] > 0) == ("iso", True)
        assert volume.get("bootable", False) is here
        (listed,) = _images(api, str(dir_pool_folder))
        assert listed["bootable"] is here
        _check_what_is_copied_there_shows(api, pool, dir_pool_folder)
        below = dir_pool_folder / "below"
        below.mkdir()
        scan = {"name": host_objects.name("scan"), "type": "kimchi-iso", "path": str(below)}
        assert api.client.post("/storagepools", json=scan).status_code == (202 if here else 501)


def _check_what_is_copied_there_shows(api: LiveApi, pool: str, folder: Path) -> None:
    """Nothing tells of another machine's files: who asks has them looked at."""
    an_iso(folder / "other.iso")
    address = f"/storagepools/{pool}/storagevolumes/other.iso"
    until(lambda: len(_images(api, str(folder))) == 2, 60, "the new image is in the list of all")
    until(lambda: api.client.get(f"/storagepools/{pool}").json()["nr_volumes"] == 2, 60, "the pool counts it")
    before = api.client.get(address).json()["capacity"]
    with (folder / "other.iso").open("ab") as file:  # somebody's copy goes on
        file.write(bytes(1 << 20))
    until(lambda: api.client.get(address).json()["capacity"] == before + (1 << 20), 60, "it has grown")
    (folder / "other.iso").unlink()
    until(lambda: api.client.get(address).status_code == 404, 60, "it is gone")


def _images(api: LiveApi, folder: str) -> list[dict[str, Any]]:
    found = api.client.get("/storagepools/kimchi_isos/storagevolumes").json()
    return [image for image in found if image["path"].startswith(folder)]
