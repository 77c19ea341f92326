"""Disks and partitions through HTTP: those of recorded machines, told by the real reader."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import libvirt
import pytest

from reconciler.errors import Transient
from reconciler.host.partitions import Partitions
from tests.api.host import harmless_host
from tests.api.live import LiveApi, live_api
from tests.host.test_partitions import recorded
from tests.lab.repositories import Repository


class Disks:
    """What the machine has; `fails` as while its partition table is being written."""

    def __init__(self) -> None:
        self.found: Partitions = recorded("server-with-lvm")
        self.fails = False

    def __call__(self) -> Partitions:
        if self.fails:
            raise Transient("lsblk couldn't list this host's disks: busy; ask again in a moment.")
        return self.found


@pytest.fixture
def disks() -> Disks:
    return Disks()


@pytest.fixture
def api(hand: libvirt.virConnect, repository: Repository, tmp_path: Path, disks: Disks) -> Iterator[LiveApi]:
    repository.commit({}, "Begin")
    with live_api(repository, tmp_path / "state", host=harmless_host(tmp_path / "m", disks=disks)) as running:
        yield running


def test_all_are_listed_and_found_with_whether_they_are_free(api: LiveApi, disks: Disks) -> None:
    listed = api.client.get("/host/partitions").json()
    assert [each["path"] for each in listed] == [each.path for each in disks.found.shown]
    assert [each["path"] for each in listed if each["available"]] == [each.path for each in disks.found.available]
    assert {each["available"] for each in listed} == {True, False}
    for each in listed:
        assert each["size"].isdecimal()
        assert each.keys() == {"name", "path", "type", "fstype", "size", "mountpoint", "available", "actions"}
        assert api.client.get(f"/host/partitions/{each['name']}").json() == each
    name = listed[0]["name"]
    assert [each["name"] for each in api.client.get(f"/host/partitions?name=^{name}$").json()] == [name]
    free = api.client.get("/host/partitions?available=true").json()
    assert free == [each for each in listed if each["available"]]
    assert api.client.get("/host/partitions?_available_only=true").json() == free
    assert api.client.get("/host/partitions?_available_only=false").json() == listed
    assert api.client.get("/host/partitions?_available_only=1").status_code == 400


def test_unknown_ones_arent_there(api: LiveApi) -> None:
    for name in ("rice", "--help", "..%2Fsda", "sr0"):
        assert api.client.get(f"/host/partitions/{name}").status_code == 404
    assert api.client.get("/host/partitions/rice").json()["reason"].startswith("KCHPART0001E: ")


def test_in_the_middle_of_a_change_it_is_asked_for_again(api: LiveApi, disks: Disks) -> None:
    disks.fails = True
    answer = api.client.get("/host/partitions")
    assert answer.status_code == 503
    assert int(answer.headers["Retry-After"]) >= 1
    disks.fails = False
    assert api.client.get("/host/partitions").status_code == 200
