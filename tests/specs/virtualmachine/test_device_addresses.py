"""A device's address has one spelling, whatever libvirt or a person writes."""

from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from specs.binding import element, parse
from specs.virtualmachine.devices.address import address_of, write_address
from specs.virtualmachine.devices.address_fields import ADDRESS
from specs.virtualmachine.devices.address_text import canonical_address, same_address

OF_LIBVIRT = {
    "pci 0000:05:00.0": "type='pci' domain='0x0000' bus='0x05' slot='0x00' function='0x0'",
    "pci 0000:00:1f.2 multifunction": "type='pci' domain='0x0000' bus='0x00' slot='0x1f' function='0x2' "
    "multifunction='on'",
    "pci 0000:00:02.0 multifunction=off": "type='pci' slot='2' multifunction='off'",
    "pci": "type='pci'",
    "drive 0:0:0:1": "type='drive' controller='0' bus='0' target='0' unit='1'",
    "usb 0:1.2": "type='usb' bus='0' port='1.2'",
    "usb 0": "type='usb' bus='0'",
    "virtio-serial 0:0:1": "type='virtio-serial' controller='0' bus='0' port='1'",
    "virtio-serial 1:0": "type='virtio-serial' controller='1' bus='0'",
    "ccid 0:1": "type='ccid' controller='0' slot='1'",
    "spapr-vio 0x30000000": "type='spapr-vio' reg='0x30000000'",
    "ccw fe.0.0001": "type='ccw' cssid='0xfe' ssid='0x0' devno='0x0001'",
    "isa 0x505": "type='isa' iobase='0x505'",
    "isa 0x3f8 irq=0x4": "type='isa' iobase='0x3f8' irq='0x4'",
    "isa irq=0x4": "type='isa' irq='0x4'",
    "dimm 0 base=0x100000000": "type='dimm' slot='0' base='0x100000000'",
    "virtio-mmio": "type='virtio-mmio'",
    "unassigned": "type='unassigned'",
}
WITH_ZPCI = (
    "<d><address type='pci' domain='0x0001' bus='0x00' slot='0x00' function='0x0'>"
    "<zpci uid='0x0001' fid='0x0000000a'/></address></d>"
)


@pytest.mark.parametrize(("text", "said"), OF_LIBVIRT.items(), ids=lambda each: each)
def test_what_libvirt_writes_has_a_text_that_says_it_again(text: str, said: str) -> None:
    device = parse(f"<d><address {said}/></d>")
    assert address_of(device) == text
    assert re.fullmatch(ADDRESS.keywords["pattern"], text)
    write_address(device, text)
    assert address_of(device) == text
    assert len(device) == 1


def test_an_address_of_a_mainframe_says_what_its_guest_calls_it() -> None:
    device = parse(WITH_ZPCI)
    assert address_of(device) == "pci 0001:00:00.0 uid=0x1 fid=0xa"
    write_address(device, "pci 0001:00:00.0 uid=0x1 fid=0xa")
    assert dict(device.find("address/zpci").attrib) == {"uid": "0x0001", "fid": "0x0000000a"}  # type: ignore[union-attr]


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("pci 05:00.0", "pci 0000:05:00.0"),
        ("pci 0:5:0.0", "pci 0000:05:00.0"),
        ("pci 0000:0A:00.0", "pci 0000:0a:00.0"),
        ("drive 00:0:0:01", "drive 0:0:0:1"),
        ("isa 0x03F8", "isa 0x3f8"),
        ("ccw FE.0.1", "ccw fe.0.0001"),
        ("usb 0:01.02", "usb 0:1.2"),
    ],
)
def test_two_spellings_of_one_place_are_the_same(one: str, other: str) -> None:
    assert re.fullmatch(ADDRESS.keywords["pattern"], one)
    assert canonical_address(one) == other
    assert same_address(one, other)


def test_a_kind_of_address_alone_is_any_place_of_that_kind() -> None:
    assert same_address("pci", "pci 0000:05:00.0")
    assert not same_address("pci", "ccw fe.0.0001")
    assert not same_address("pci 0000:05:00.0", "pci 0000:06:00.0")
    assert not same_address("pci 0000:05:00.0", None)


@pytest.mark.parametrize("said", ["", "type='mystery'", "type='pci' bus='much'", "type='usb' bus='0' port='x'"])
def test_what_nobody_knows_reads_as_no_address(said: str) -> None:
    assert address_of(parse(f"<d><address {said}/></d>")) is None


@given(st.from_regex(ADDRESS.keywords["pattern"].replace("$", r"\Z"), fullmatch=True))
def test_any_address_that_may_be_written_comes_back_as_its_one_spelling(text: str) -> None:
    device = element("device")
    write_address(device, text)
    assert address_of(device) == canonical_address(text)
    assert canonical_address(canonical_address(text)) == canonical_address(text)
    assert re.fullmatch(ADDRESS.keywords["pattern"], canonical_address(text))


@given(st.text())
def test_any_text_at_all_has_a_canonical_form(text: str) -> None:
    assert isinstance(canonical_address(text), str)
