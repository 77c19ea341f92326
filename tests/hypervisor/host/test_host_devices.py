"""Questions about a list of devices: of which sort, fit for a guest, and what goes along with one."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from reconciler.errors import NotFound
from reconciler.hypervisor.host.device_xml import host_device
from reconciler.observed.host_devices import HostDevice, HostDevices, listing

RECORDED = listing(host_device(path.read_text()) for path in Path(__file__).with_name("node_devices").glob("*.xml"))


def pci(name: str, pci_class: int, group: int | None = None, parent: str = "computer") -> HostDevice:
    return HostDevice(name, "pci", parent, "", frozenset({"pci"}), {"iommuGroup": group}, pci_class)


def below(name: str, parent: str, kind: str = "net", **fields: object) -> HostDevice:
    return HostDevice(name, kind, parent, "", frozenset({kind}), fields)


def names(devices: tuple[HostDevice, ...]) -> list[str]:
    return [each.name for each in devices]


@pytest.mark.parametrize(
    ("kind", "found"),
    [
        ("fc_host", ["scsi_host5", "scsi_host6"]),
        ("scsi_host", ["scsi_host0", "scsi_host5", "scsi_host6", "scsi_host7"]),
        ("scsi", ["scsi_0_0_1_0"]),
        ("net", ["net_enp0s25_00_27_13_6a_fe_00", "net_wlan0_a0_b1_c2_d3_e4_f5"]),
        ("pci", ["pci_0000_00_1c_0", "pci_0000_01_00_0", "pci_0001_3b_10_7"]),
        ("storage", ["block_sda_WDC_WD10EZEX_WD_WCC3F1234567", "block_sr0_DVD", "block_sr1_DVD"]),
        ("system", ["computer"]),
        ("usb", ["usb_1_2_1_0"]),
        ("usb_device", ["usb_1_2", "usb_3_1"]),
        ("nothing", []),
    ],
)
def test_devices_by_what_they_are(kind: str, found: list[str]) -> None:
    assert names(RECORDED.of_kind(kind)) == found


def test_the_list_is_in_order_and_by_name() -> None:
    assert names(RECORDED.devices) == sorted(names(RECORDED.devices))
    device = RECORDED.get("usb_1_2")
    assert device is not None
    assert device.told()["product"] == {"id": "0xc52b", "description": "USB Receiver"}
    assert RECORDED.get("usb_9_9") is None


def test_bridges_hubs_and_what_is_no_device_of_a_guest_arent_eligible() -> None:
    assert names(RECORDED.eligible()) == ["pci_0000_01_00_0", "pci_0001_3b_10_7", "scsi_0_0_1_0", "usb_1_2", "usb_3_1"]


def test_a_hub_is_known_by_its_interface() -> None:
    usb = listing(
        [
            below("usb_usb1", "pci_0", "usb_device"),
            below("usb_1_0_1_0", "usb_usb1", "usb", **{"class": 9}),
            below("usb_1_1", "usb_usb1", "usb_device"),
            below("usb_1_1_1_0", "usb_1_1", "usb", **{"class": 8}),
        ]
    )
    assert names(usb.eligible()) == ["usb_1_1"]


@pytest.mark.parametrize(
    ("pci_class", "eligible"),
    [(0x020000, True), (0x030000, True), (0x010802, True), (0x060000, False), (0x050000, False), (0x080600, False)],
)
def test_a_pci_device_by_its_class(pci_class: int, eligible: bool) -> None:
    assert names(listing([pci("pci_1", pci_class)]).eligible()) == (["pci_1"] if eligible else [])


WITH_IOMMU = listing(
    [
        HostDevice("computer", "system"),
        pci("pci_bridge", 0x060400, group=1),
        pci("pci_gpu", 0x030000, group=1, parent="pci_bridge"),
        pci("pci_audio", 0x040300, group=1, parent="pci_bridge"),
        pci("pci_nic", 0x020000, group=2),
        below("net_eth0", "pci_nic"),
        pci("pci_hba", 0x010000, group=3),
        below("scsi_host0", "pci_hba", "scsi_host"),
        below("scsi_target0", "scsi_host0", "scsi_target"),
        below("scsi_0_0_0_0", "scsi_target0", "scsi"),
    ]
)


@pytest.mark.parametrize(
    ("device", "affected"),
    [
        ("pci_gpu", ["pci_audio", "pci_bridge"]),
        ("pci_nic", ["net_eth0"]),
        ("net_eth0", ["pci_nic"]),
        ("pci_hba", ["scsi_0_0_0_0", "scsi_host0", "scsi_target0"]),
        ("scsi_0_0_0_0", ["pci_hba", "scsi_host0", "scsi_target0"]),
        ("computer", [each.name for each in WITH_IOMMU.devices if each.name != "computer"]),
    ],
)
def test_a_group_goes_together_with_what_is_below_it(device: str, affected: list[str]) -> None:
    assert names(WITH_IOMMU.affected_by(device)) == affected


def test_without_iommu_what_is_below_goes_along() -> None:
    plain = listing([pci("pci_hba", 0x010000), below("scsi_host0", "pci_hba"), below("scsi_0", "scsi_host0")])
    assert names(plain.affected_by("pci_hba")) == ["scsi_0", "scsi_host0"]
    assert names(plain.affected_by("scsi_0")) == []


def test_nobody_is_affected_by_what_isnt_there() -> None:
    with pytest.raises(NotFound, match="no device '--x'"):
        WITH_IOMMU.affected_by("--x")


NAMES = st.sampled_from("abcdef")


@given(st.dictionaries(NAMES, st.tuples(NAMES, st.none() | st.integers(0, 2)), min_size=1))
def test_a_family_that_cant_be_right_is_still_answered(parents: dict[str, tuple[str, int | None]]) -> None:
    devices = HostDevices(tuple(pci(name, 0, group, parent) for name, (parent, group) in parents.items()))
    for name in parents:
        affected = names(devices.affected_by(name))
        assert name not in affected
        assert len(affected) == len(set(affected))


def test_a_fact_of_an_odd_kind_hides_no_name() -> None:
    assert HostDevice("a", "thing", None, "/sys/a", fields={"name": "b", "path": "/x", "c": 1}).told() == {
        "name": "a",
        "device_type": "thing",
        "parent": None,
        "path": "/sys/a",
        "c": 1,
    }


@pytest.mark.parametrize(
    ("pci_class", "is_one"), [(0x030200, True), (0x030000, False), (0x020000, False), (None, False)]
)
def test_a_3d_card_is_known_by_its_class(pci_class: int | None, is_one: bool) -> None:
    assert HostDevice("pci_0000_01_00_0", "pci", pci_class=pci_class).vga3d is is_one
