"""Storage servers through HTTP: those that pools use, and what a server offers that no pool has yet."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import libvirt
import pytest

from reconciler.errors import Unsupported
from reconciler.host.storage_servers import StorageServers, StorageTarget
from tests.api.host import harmless_host
from tests.api.live import LiveApi, live_api
from tests.lab.repositories import Repository

_POOLS = {
    "films": "<pool type='netfs'><name>films</name><source><host name='nas.example.org'/><dir path='/srv/films'/>"
    "</source><target><path>/mnt/films</path></target></pool>",
    "music": "<pool type='netfs'><name>music</name><source><host name='nas.example.org'/><dir path='/srv/music'/>"
    "</source><target><path>/mnt/music</path></target></pool>",
    "disks": "<pool type='iscsi'><name>disks</name><source><host name='192.0.2.9' port='3261'/>"
    "<device path='iqn.2026-01.org.example:one'/></source><target><path>/dev/disk/by-path</path></target></pool>",
}


class Offering(StorageServers):
    """A network on which every server offers the same."""

    def targets(
        self, host: str, target_type: str | None = None, port: int | str | None = None
    ) -> tuple[StorageTarget, ...]:
        super().targets("127.0.0.1", target_type, port)  # what can't be is refused as ever
        return (
            StorageTarget(host, "nfs", "/srv/films"),
            StorageTarget(host, "nfs", "/srv/new"),
            StorageTarget(host, "iscsi", "iqn.2026-01.org.example:one"),
        )


@pytest.fixture
def api(hand: libvirt.virConnect, repository: Repository, tmp_path: Path) -> Iterator[LiveApi]:
    for xml in _POOLS.values():
        hand.storagePoolDefineXML(xml)
    repository.commit({}, "Begin")
    host = harmless_host(tmp_path / "machine", storage_servers=Offering(timeout_s=2))
    with live_api(repository, tmp_path / "state", host=host) as running:
        yield running


def test_each_server_is_listed_once(api: LiveApi) -> None:
    nas, iscsi = {"host": "nas.example.org", "actions": []}, {"host": "192.0.2.9", "port": "3261", "actions": []}
    assert api.client.get("/storageservers").json() == [iscsi, nas]
    assert api.client.get("/storageservers?_target_type=netfs").json() == [nas]
    assert api.client.get("/storageservers?_target_type=iscsi").json() == [iscsi]
    assert api.client.get("/storageservers/192.0.2.9").json() == iscsi
    missing = api.client.get("/storageservers/127.0.0.1")
    assert missing.status_code == 404
    assert missing.json()["reason"].startswith("KCHSR0001E: ")


def test_what_a_pool_has_isnt_offered_again(api: LiveApi) -> None:
    offered = api.client.get("/storageservers/nas.example.org/storagetargets").json()
    assert [each["target"] for each in offered] == ["/srv/new", "iqn.2026-01.org.example:one"]
    assert offered[0] == {"host": "nas.example.org", "target_type": "nfs", "target": "/srv/new"}
    other = api.client.get("/storageservers/192.0.2.9/storagetargets").json()
    assert [each["target"] for each in other] == ["/srv/films", "/srv/new"]


@pytest.mark.parametrize(
    "path",
    [
        "?_target_type=rice", "?_rice=1", "?host=x", "/nas.example.org/storagetargets?_target_type=netfsx",
        "/nas.example.org/storagetargets?_server_port=0", "/nas.example.org/storagetargets?_server_port=99999",
        "/nas.example.org/storagetargets?_server_port=1%0A", "/nas.example.org/storagetargets?_server_port=-1",
    ],
)  # fmt: skip
def test_what_cant_be_asked_is_refused(api: LiveApi, path: str) -> None:
    answer = api.client.get(f"/storageservers{path}")
    assert answer.status_code == 400
    assert answer.json()["reason"].startswith("KCHAPI0001E: ")


@pytest.mark.parametrize("host", ["--help", "-e", "a b", "a;b", "x%0Ay", "%60id%60", "a@b", "host:3260"])
def test_a_host_that_could_be_an_option_or_more_is_refused(
    hand: libvirt.virConnect, repository: Repository, tmp_path: Path, host: str
) -> None:
    repository.commit({}, "Begin")
    with live_api(repository, tmp_path / "state") as api:
        answer = api.client.get(f"/storageservers/{host}/storagetargets")
        assert answer.status_code == 400


def test_a_server_that_isnt_there_offers_nothing(
    hand: libvirt.virConnect, repository: Repository, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    repository.commit({}, "Begin")
    with live_api(repository, tmp_path / "state") as api:
        for kind in ("netfs", "iscsi"):
            answer = api.client.get(f"/storageservers/127.0.0.1/storagetargets?_target_type={kind}&_server_port=1")
            assert (answer.status_code, answer.json()) == (200, [])

        def missing(*_: object) -> tuple[StorageTarget, ...]:
            raise Unsupported("showmount is needed to look for NFS exports; install it.")

        monkeypatch.setattr(StorageServers, "targets", missing)
        assert api.client.get("/storageservers/127.0.0.1/storagetargets").json() == []
