"""LVM's volume groups and Open vSwitch's bridges, as this machine has them."""

from __future__ import annotations

import pytest

from reconciler.host import ovs
from reconciler.host.commands import Program
from reconciler.host.group_list import volume_groups
from tests.lab.volume_groups import SIZE, Disks, disks

__all__ = ["disks"]


def test_each_group_has_its_devices_and_volumes(disks: Disks) -> None:
    first, second = disks.device(), disks.device()
    group = disks.group(first, second)
    (found,) = [each for each in volume_groups() if each.name == group]
    assert set(found.devices) == {first, second} and found.volumes == ()
    assert 0 < found.free == found.size < 2 * SIZE


def test_a_machine_without_open_vswitch_has_no_bridges_of_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ovs, "OVS_VSCTL", Program("onggi-no-such-program", "nothing", "test"))
    assert ovs.ovs_bridges() == ()
