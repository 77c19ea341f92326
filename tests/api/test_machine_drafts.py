"""What a machine gets by its guest's system, and what of a document a client's change touches."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest

from api.vms.bus import Attachment, attachment, has_virtio
from api.vms.drafting import new_machine
from api.vms.editing import change_console, change_sizes, password_of
from specs.host import Host

NOW = datetime(2030, 1, 1, tzinfo=UTC)
PC = Host(machines=("pc", "q35"))


@pytest.mark.parametrize(
    ("distribution", "version", "expected"),
    [
        ("debian", "12", True), ("debian", "6.0", True), ("debian", "5.0", False), ("Ubuntu", "7.10", True),
        ("ubuntu", "7.04", False), ("opensuse", "10.3", True), ("opensuse", "tumbleweed", True),
        ("centos", "5.2", False), ("rhel", "9.4", True), ("fedora", "15", False), ("sles", "11sp4", True),
        ("gentoo", "", True), ("arch", "", True), ("debian", "unknown", True), ("alpine", "3.20", True),
        ("unknown", "unknown", True), ("", "", True), ("windows", "11", False), ("win", "2k22", False),
    ],
)  # fmt: skip
def test_only_systems_that_are_known_to_lack_virtio_go_without(distribution: str, version: str, expected: bool) -> None:
    assert has_virtio(distribution, version) is expected


def test_an_old_system_gets_what_every_system_has_and_an_unknown_one_what_onggi_chooses() -> None:
    old = {"osDistro": "debian", "osVersion": "5.0"}
    how = attachment(old, PC)
    assert (how.machine, how.disk_bus, how.cdrom_bus, how.model) == ("pc", "ide", "ide", "e1000")
    assert attachment(old, Host(machines=("q35",))).disk_bus == "sata", "there is no IDE on a q35"
    assert attachment(old, Host(arch="ppc64")).disk_bus == ""
    assert attachment({}, PC) == Attachment()


def spec_of(template: dict[str, Any], **more: Any) -> dict[str, Any]:
    spec: dict[str, Any] = new_machine("vm", {"osDistro": "debian", **template}, "t", PC, **more)["spec"]
    return spec


def test_another_pool_leaves_the_base_image_where_it_is() -> None:
    template = {"storagePool": "slow", "disks": [{"size": 5, "base": "debian.qcow2"}, {"volume": "data"}]}
    assert spec_of(template, pool="fast")["disks"] == [
        {"name": "disk0", "size": "5GiB", "base": "slow/debian.qcow2", "pool": "fast"},
        {"name": "disk1", "volume": "data", "pool": "slow"},
    ]


def test_a_volume_of_another_pool_is_taken_from_there() -> None:
    assert spec_of({"storagePool": "slow", "disks": [{"volume": "fast/data"}]})["disks"] == [
        {"name": "disk0", "volume": "fast/data"}
    ]


def test_a_volume_group_holds_no_images() -> None:
    disks = [{"size": 5, "format": "qcow2"}]
    made = spec_of({"disks": disks}, pool="vg", block_pools=frozenset({"vg"}))
    assert made["disks"] == [{"name": "disk0", "size": "5GiB", "format": "raw", "pool": "vg"}]


def test_processors_follow_from_their_topology() -> None:
    topology = {"sockets": 2, "cores": 2, "threads": 1}
    assert spec_of({"cpuTopology": topology})["cpus"] == 4
    assert spec_of({}) == {
        "osDistro": "debian", "cpus": 1, "memory": 1024, "graphics": {"type": "vnc", "listen": "127.0.0.1"},
        "runStrategy": "Halted",
    }  # fmt: skip


def test_a_maximum_that_is_in_the_way_moves_along() -> None:
    spec = {"cpus": 2, "maximumCpus": 4, "memory": "1GiB", "maximumMemory": "2GiB"}
    change_sizes(spec, {"cpus": 3, "memory": 1024})
    assert spec == {"cpus": 3, "maximumCpus": 4, "memory": "1GiB", "maximumMemory": "2GiB"}
    change_sizes(spec, {"cpus": 8, "memory": 4096})
    assert spec == {"cpus": 8, "maximumCpus": 8, "memory": 4096, "maximumMemory": 4096}


def test_a_password_is_valid_for_half_a_minute_unless_it_is_said() -> None:
    spec = {"graphics": {"type": "vnc", "passwordValidTo": "2031-01-01T00:00:00Z"}}
    change_console(spec, {"passwd": "x"}, "/secret", NOW)
    assert spec["graphics"] == {
        "type": "vnc", "passwordFrom": {"file": "/secret"}, "passwordValidTo": "2030-01-01T00:00:30Z",
    }  # fmt: skip
    change_console(spec, {"passwdValidTo": 3600}, "/secret", NOW)
    assert spec["graphics"]["passwordValidTo"] == "2030-01-01T01:00:00Z"


def test_a_password_that_isnt_given_is_made_up() -> None:
    assert password_of({"passwd": "x"}) == "x"
    made_up = [password_of(graphics) for graphics in ({}, {"passwd": " "}, {"passwdValidTo": 5})]
    assert [len(password) for password in made_up] == [8, 8, 8]
    assert len(set(made_up)) == 3
