"""LVM's volume groups: looked at and extended, on loop devices of the tests' own."""

from __future__ import annotations

from pathlib import Path

import pytest

from reconciler.errors import Refused, Terminal, Unsupported
from reconciler.host.volume_groups import VolumeGroups, arguments
from tests.lab.volume_groups import Disks, disks, tool

__all__ = ["disks"]


def test_a_group_grows_by_the_devices_that_it_lacks(disks: Disks, tmp_path: Path) -> None:
    first, second, third = disks.device(), disks.device(), disks.device()
    group = disks.group(first)
    groups = VolumeGroups()
    assert groups.devices(group) == (first,)
    link = tmp_path / "by-another-name"
    link.symlink_to(first)
    assert groups.lacking(group, [str(link), second, third, second]) == (second, third)
    groups.extend(group, [second, third])
    assert disks.of(group) == {first, second, third}
    assert groups.lacking(group, [first, second, third]) == ()


def test_what_a_device_holds_is_never_overwritten(disks: Disks) -> None:
    first, second = disks.device(), disks.device()
    group = disks.group(first)
    tool("mkfs.ext4", "-q", "-L", "precious", second)
    with pytest.raises(Refused, match=rf"{second} holds something already \(ext4\)"):
        VolumeGroups().extend(group, [second])
    assert disks.of(group) == {first}
    assert "precious" in tool("blkid", "--probe", second)


def test_a_device_of_another_group_stays_there(disks: Disks) -> None:
    first, second = disks.device(), disks.device()
    group, other = disks.group(first), disks.group(second)
    with pytest.raises(Terminal, match=f"already in volume group '{other}'"):
        VolumeGroups().extend(group, [second])
    assert (disks.of(group), disks.of(other)) == ({first}, {second})


@pytest.mark.parametrize("device", ["/dev/nosuch", "/dev/null", "/etc/hostname", "--yes", "relative", ""])
def test_what_is_no_device_extends_nothing(disks: Disks, device: str) -> None:
    first = disks.device()
    group = disks.group(first)
    with pytest.raises(Terminal):
        VolumeGroups().extend(group, [device])
    assert disks.of(group) == {first}


@pytest.mark.parametrize("name", ["onggi-test-there-is-none", "--version", "", "a b", "@tag", "x" * 200, "a/b"])
def test_a_group_that_there_is_not_has_no_devices(name: str) -> None:
    assert VolumeGroups().devices(name) is None
    assert VolumeGroups().lacking(name, ["/dev/null"]) is None


def test_names_never_pass_for_options() -> None:
    assert arguments("vg", ["/dev/sdb", "/dev/sdc"]) == ["--", "vg", "/dev/sdb", "/dev/sdc"]


def test_without_lvm_a_sentence_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", "")
    for ask in (lambda: VolumeGroups().devices("vg"), lambda: VolumeGroups().extend("vg", ["/dev/sdb"])):
        with pytest.raises(Unsupported, match="Debian package lvm2"):
            ask()
