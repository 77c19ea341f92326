"""What a machine gets by its guest's system, and what of a document a client's change touches."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest

from api.machines.bus import attachment, has_virtio
from api.machines.drafting import new_machine
from api.machines.editing import change_console, change_sizes, password_of
from specs.host import Host

NOW = datetime(2030, 1, 1, tzinfo=UTC)
PC = Host(machines=("pc", "q35"))


@pytest.mark.parametrize(
    ("distribution", "version", "expected"),
    [
        ("debian", "12", True), ("debian", "6.0", True), ("debian", "5.0", False), ("Ubuntu", "7.10", True),
        ("ubuntu", "7.04", False), ("opensuse", "10.3", True), ("opensuse", "tumbleweed", True),
        ("centos", "5.2", False), ("rhel", "9.4", True), ("fedora", "15", False), ("sles", "11sp4", True),
        ("gentoo", "", True), ("arch", "", True),
        ("debian", "unknown", False), ("unknown", "unknown", False), ("windows", "11", False), ("", "", False),
    ],
)  # fmt: skip
def test_systems_of_the_last_decade_have_virtio(distribution: str, version: str, expected: bool) -> None:
    assert has_virtio(distribution, version) is expected


def test_an_unknown_system_gets_what_every_system_has() -> None:
    how = attachment({}, PC)
    assert (how.machine, how.disk_bus, how.cdrom_bus, how.model) == ("pc", "ide", "ide", "e1000")
    assert attachment({}, Host(machines=("q35",))).disk_bus == "sata", "there is no IDE on a q35"
    assert attachment({}, Host(arch="ppc64")).disk_bus == ""


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


def test_a_new_password_is_not_born_dead() -> None:
    over = {"graphics": {"type": "vnc", "passwordValidTo": "2029-12-31T00:00:00Z"}}
    change_console(over, {"passwd": "x"}, "/secret", NOW)
    assert over["graphics"] == {
        "type": "vnc", "passwordFrom": {"file": "/secret"}, "passwordValidTo": "2030-01-01T00:00:30Z",
    }  # fmt: skip
    valid = {"graphics": {"passwordValidTo": "2031-01-01T00:00:00Z"}}
    change_console(valid, {"passwd": "x"}, "/secret", NOW)
    assert valid["graphics"]["passwordValidTo"] == "2031-01-01T00:00:00Z"


@pytest.mark.parametrize(
    ("graphics", "has_one", "length"),
    [
        ({"passwd": " "}, True, 8),
        ({}, True, None),
        ({"passwdValidTo": 5}, True, None),
        ({"passwdValidTo": 5}, False, 8),
    ],
)
def test_when_a_password_is_made_up(graphics: dict[str, Any], has_one: bool, length: int | None) -> None:
    password = password_of(graphics, has_one=has_one)
    assert (None if password is None else len(password)) == length
