"""A disk is offered only when nobody uses it, and a listing that can't be trusted is no listing."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

import pytest

from reconciler.errors import Transient, Unsupported
from reconciler.host.commands import Finished, Program
from reconciler.host.partitions import Partitions, partitions

RECORDED = Path(__file__).with_name("lsblk")
PVS = json.dumps(
    {
        "report": [
            {
                "pv": [
                    {"pv_name": "/dev/sda3", "vg_name": "vg0"},
                    {"pv_name": "/dev/sda4", "vg_name": ""},
                    {"pv_name": "/dev/sda5", "vg_name": "vg1"},
                ]
            }
        ]
    }
)

GROUPS = Finished(0, PVS, "")


def answering(lsblk: Finished | Exception, pvs: Finished | Exception = GROUPS) -> Callable[..., Finished]:
    def run(program: Program, arguments: Sequence[str], *, timeout_s: float) -> Finished:
        answer = {"lsblk": lsblk, "pvs": pvs}[program.name]
        if isinstance(answer, Exception):
            raise answer
        return answer

    return run


def recorded(name: str, pvs: Finished | Exception = GROUPS, *, visible: bool = True) -> Partitions:
    said = Finished(0, (RECORDED / f"{name}.json").read_text(), "")
    return partitions(answering(said, pvs), contents_show=lambda: visible)


def names(found: Partitions) -> list[str]:
    return [each.name for each in found.available]


@pytest.mark.parametrize(
    ("host", "free"),
    [
        ("server-with-lvm", ["sda4", "sda6", "sdb"]),
        ("multipath-and-raid", ["mpatha", "nvme1n1"]),
        ("dos-table-old-lsblk", ["vda5"]),
        ("none", []),
    ],
)
def test_what_nobody_uses_is_offered(host: str, free: list[str]) -> None:
    found = recorded(host)
    assert names(found) == free
    assert found.reasons == ()


def test_a_partition_has_the_fields_of_the_specification() -> None:
    each = recorded("server-with-lvm").get("sda6")
    assert each is not None
    assert (each.name, each.path, each.type) == ("sda6", "/dev/sda6", "part")
    assert (each.fstype, each.size, each.mountpoint, each.available) == ("", "12000000000", "", True)


def test_used_ones_are_known_but_not_to_be_had() -> None:
    found = recorded("server-with-lvm")
    assert found.get("../sda6") is None
    boot = found.get("sda1")
    assert boot is not None
    assert (boot.fstype, boot.mountpoint, boot.available) == ("vfat", "/boot/efi", False)
    swap = next(each for each in found.all if each.name == "sda7")
    assert (swap.mountpoint, swap.available) == ("", False)


def test_what_is_no_disk_is_not_shown() -> None:
    found = recorded("server-with-lvm")
    assert {"sr0"} <= {each.name for each in found.all} - {each.name for each in found.shown}
    assert found.get("sr0") is None
    assert set(found.available) < set(found.shown)


def test_a_disk_with_two_paths_is_there_once() -> None:
    assert [each.name for each in recorded("multipath-and-raid").all].count("mpatha") == 1


@pytest.mark.parametrize(
    "pvs", [Unsupported("pvs is needed."), Finished(5, "", "  Cannot lock\n"), Finished(0, "[]", "")]
)
def test_without_lvms_word_its_disks_count_as_used(pvs: Finished | Exception) -> None:
    found = recorded("server-with-lvm", pvs)
    assert names(found) == ["sda6", "sdb"]
    assert len(found.reasons) == 1
    assert "count as used" in found.reasons[0]


def test_disks_whose_contents_nobody_can_see_arent_offered() -> None:
    found = recorded("server-with-lvm", visible=False)
    assert names(found) == []
    assert found.all
    assert "as root" in found.reasons[0]


def test_a_host_without_lsblk_has_no_partitions_and_says_why(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    found = partitions()
    assert found.all == ()
    assert "util-linux" in found.reasons[0]


@pytest.mark.parametrize(
    "said",
    [
        Finished(1, "", "lsblk: /dev/sda: not a block device\n"),
        Finished(64, "{}", ""),
        Finished(0, "{", ""),
        Finished(0, "[]", ""),
        Finished(0, "null", ""),
        Finished(0, '{"blockdevices": [{"name": null}]}', ""),
        Finished(0, '{"blockdevices": [{"name": "sda"}]}', ""),
        Finished(0, '{"blockdevices": ["sda"]}', ""),
        Finished(0, '{"blockdevices": [{"name": "/dev/sda", "children": 5}]}', ""),
        Finished(0, "[" * 100_000, ""),
    ],
)
def test_a_listing_in_the_middle_of_a_change_is_told_as_such(said: Finished) -> None:
    with pytest.raises(Transient, match="ask again"):
        partitions(answering(said))


def test_nothing_at_all_is_an_empty_host() -> None:
    assert partitions(answering(Finished(32, "", ""))).all == ()


@pytest.fixture
def loop_device(tmp_path: Path) -> Iterator[str]:
    image = tmp_path / "disk.img"
    with image.open("wb") as file:
        file.truncate(16 << 20)
    subprocess.run(["mkfs.ext4", "-q", image], check=True, capture_output=True)
    made = subprocess.run(["losetup", "--find", "--show", image], capture_output=True, text=True, check=True)
    yield made.stdout.strip()
    subprocess.run(["losetup", "--detach", made.stdout.strip()], check=True)


def test_the_real_lsblk_of_this_host(loop_device: str) -> None:
    found = partitions()
    loop = next(each for each in found.all if each.path == loop_device)
    assert (loop.type, loop.size, loop.available) == ("loop", str(16 << 20), False)
    root = [each for each in found.all if each.mountpoint == "/"]
    assert all(not each.available for each in root)
    assert [each.path for each in found.all] == sorted(each.path for each in found.all)
