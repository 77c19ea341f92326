"""From what is written to what is compared."""

from __future__ import annotations

import re
from dataclasses import replace

import pytest

from specs.problem import Unrenderable
from specs.virtualmachine.lowering import derived_mac
from specs.virtualmachine.xml import secret_slots
from tests.specs.virtualmachine.world import IMAGES, KVM, QEMU, TEST_DRIVER, lowered, rendered, uid_of


def test_an_omitted_field_stays_omitted() -> None:
    assert lowered({}, QEMU) == {}


def test_what_is_not_in_the_xml_is_left_out() -> None:
    spec = {
        "runStrategy": "Always", "paused": True, "autostart": True, "access": {"users": ["a"]}, "icon": "x",
        "osDistro": "debian", "osVersion": "12", "template": "t", "shutdownTimeout": 5, "forceStop": True,
        "deletionPolicy": "Delete", "driftPolicy": "warn", "ignoreFields": ["/memory"], "cloudInit": {"userData": "x"},
    }  # fmt: skip
    assert lowered(spec, QEMU) == {}


@pytest.mark.parametrize(("written", "mebibytes"), [(512, 512), ("2GiB", 2048), ("1.5GiB", 1536), ("100000KiB", 98)])
def test_memory_is_in_whole_mebibytes(written: int | str, mebibytes: int) -> None:
    assert lowered({"memory": written}, QEMU)["memory"] == mebibytes


def test_a_volume_becomes_a_place_or_stays_a_volume() -> None:
    disks = [{"name": n, "volume": v} for n, v in (("a", "default/x.qcow2"), ("b", "vg/data"), ("c", "nowhere/y"))]
    sources = [disk["source"] for disk in lowered({"disks": disks}, QEMU)["disks"]]
    assert sources == [
        {"file": f"{IMAGES}/x.qcow2", "pool": "default", "volume": "x.qcow2"},
        {"dev": "/dev/vg/data", "pool": "vg", "volume": "data", "format": "raw"},
        {"pool": "nowhere", "volume": "y"},
    ]


def test_a_mac_address_depends_on_the_machine_and_the_interfaces_name_alone() -> None:
    def macs(*interfaces: dict[str, str]) -> list[str]:
        return [item["derivedMac"] for item in lowered({"interfaces": list(interfaces)}, QEMU)["interfaces"]]

    lan, wan, named = {"network": "lan"}, {"bridge": "wan"}, {"name": "lan", "network": "other"}
    assert all(re.fullmatch("52:54:00(:[0-9a-f]{2}){3}", mac) for mac in macs(lan, wan))
    assert macs(lan, wan) == list(reversed(macs(wan, lan)))
    assert macs(lan) == macs(named) == [derived_mac(uid_of("web"), "lan")]
    assert len(set(macs(lan, {"network": "lan"}, wan))) == 3


def test_the_domain_type_is_the_hosts_word() -> None:
    assert lowered({"domainType": "kvm"}, KVM)["domainType"] == "kvm"
    assert lowered({"domainType": "emulated"}, KVM)["domainType"] == "qemu"
    assert lowered({"domainType": "kvm"}, TEST_DRIVER)["domainType"] == "test"
    with pytest.raises(Unrenderable, match="'kvm'"):
        lowered({"domainType": "kvm"}, QEMU)


def test_a_pci_device_needs_no_look_at_the_host_but_others_do() -> None:
    devices = lowered({"hostDevices": [{"device": "pci_0000_0a_1f_7"}]}, replace(QEMU, node_devices={}))["hostDevices"]
    assert devices[0]["numbers"] == {"domain": 0, "bus": 10, "slot": 31, "function": 7}
    with pytest.raises(Unrenderable, match="usb_9_9"):
        lowered({"hostDevices": [{"device": "usb_9_9"}]}, QEMU)


def test_a_character_that_xml_cannot_hold_is_refused_in_words() -> None:
    with pytest.raises(Unrenderable, match="control character"):
        lowered({"description": "a\x0bb"}, QEMU)


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("HTTP://Example.COM:80/a b.iso", "http://example.com/a%20b.iso"),
        ("https://example.com/x.iso?a=1", "https://example.com:443/x.iso?a=1"),
        ("ftp://[FD00::1]/x", "ftp://[fd00::1]:21/x"),
    ],
)
def test_a_url_has_one_spelling(one: str, other: str) -> None:
    first, second = (lowered({"cdroms": [{"url": url}]}, QEMU)["cdroms"] for url in (one, other))
    assert first == second


def test_a_password_has_a_place_and_never_a_value_in_the_xml() -> None:
    spec = {"graphics": {"type": "vnc", "passwordFrom": {"env": "VNC_PASSWORD"}}}
    assert secret_slots(spec) == (("devices/graphics", "passwd", {"env": "VNC_PASSWORD"}),)
    assert "PASSWORD" not in rendered(spec, QEMU) and "passwd" not in rendered(spec, QEMU)
    assert secret_slots({"graphics": {"type": "none", "passwordFrom": {"env": "X"}}}) == secret_slots({}) == ()
