"""Two definitions are compared by what they mean."""

from __future__ import annotations

import pytest

from specs.binding import parse
from specs.facts import Fact, compare, equal, facts, lost

DISK = "<disk type='file'><driver name='qemu' cache='none'/><target dev='{}' bus='virtio'/></disk>"


def domain(inside: str, **attributes: str) -> str:
    said = "".join(f" {key}='{value}'" for key, value in attributes.items())
    return f"<domain type='kvm'{said}><name>web</name>{inside}</domain>"


@pytest.mark.parametrize(
    ("one", "other"),
    [
        (domain("<memory unit='MiB'>1</memory>"), domain("<memory unit='KiB'>1024</memory>")),
        (domain("<memory>1024</memory>"), domain("<memory unit='MiB'>1</memory>")),
        (domain("<devices/>"), domain("<devices/>", id="7")),
        (domain("<rng><alias name='rng0'/><x/></rng>"), domain("<rng><x/></rng>")),
        (domain("<a><address slot='0x03'/></a>"), domain("<a><address slot='3'/></a>")),
        (domain("<uuid>AB</uuid>"), domain("<uuid>ab</uuid>")),
        (domain("<cpu><feature name='a'/><feature name='b'/></cpu>"),
         domain("<cpu><feature name='b'/><feature name='a'/></cpu>")),
        (domain("<graphics type='vnc' port='-1' autoport='yes'/>"), domain("<graphics type='vnc' autoport='yes'/>")),
        (domain("<metadata><o:origin xmlns:o='https://onggi.dev/xmlns/origin/1'/></metadata>"), domain("")),
        ("<pool><capacity unit='bytes'>7</capacity><name>a</name></pool>", "<pool><name>a</name></pool>"),
    ],
)  # fmt: skip
def test_the_same_in_other_words_is_equal(one: str, other: str) -> None:
    assert equal(parse(one), parse(other))
    assert equal(parse(other), parse(one))


@pytest.mark.parametrize(
    ("one", "other"),
    [
        (domain("<os><boot dev='hd'/><boot dev='cdrom'/></os>"),
         domain("<os><boot dev='cdrom'/><boot dev='hd'/></os>")),
        (domain("<features><acpi/></features>"), domain("<features/>")),
        (domain("<rng><alias name='ua-mine'/></rng>"), domain("<rng/>")),
        (domain("<memory unit='MiB'>1</memory>"), domain("<memory unit='MiB'>2</memory>")),
        (domain(DISK.format("vda")), domain(DISK.format("vdb"))),
        (domain("<graphics type='vnc' port='5901'/>"), domain("<graphics type='vnc'/>")),
        (domain("<description>a</description>"), domain("")),
    ],
)  # fmt: skip
def test_what_means_something_else_is_not(one: str, other: str) -> None:
    assert not equal(parse(one), parse(other))
    assert not equal(parse(other), parse(one))


def test_facts_are_told_by_what_tells_their_elements_apart() -> None:
    root = parse(domain(f"<features><acpi/></features><devices>{DISK.format('vdb')}</devices>"))
    assert facts(root) == (
        Fact("@type", "kvm"),
        Fact("name", "web"),
        Fact("features/acpi", ""),
        Fact("devices/disk[vdb]/@type", "file"),
        Fact("devices/disk[vdb]/driver/@name", "qemu"),
        Fact("devices/disk[vdb]/driver/@cache", "none"),
        Fact("devices/disk[vdb]/target/@dev", "vdb"),
        Fact("devices/disk[vdb]/target/@bus", "virtio"),
    )


def test_what_is_lost_and_what_has_come_is_listed_and_counted() -> None:
    before = parse(
        domain("<devices><disk><target dev='vda'/><driver cache='none'/></disk><rng/><rng model='x'/></devices>")
    )
    after = parse(domain("<devices><rng model='x'/><disk><target dev='vda'/><driver cache='unsafe'/></disk></devices>"))
    found = compare(before, after)
    assert found.lost == lost(before, after) == (
        Fact("devices/disk[vda]/driver/@cache", "none"),
        Fact("devices/rng[1]", ""),
    )  # fmt: skip
    assert found.added == (Fact("devices/disk[vda]/driver/@cache", "unsafe"),)
    assert (found.kept, found.total) == (4, 6)
    assert str(found.lost[0]) == "devices/disk[vda]/driver/@cache = none"
