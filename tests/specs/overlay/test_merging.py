"""A fragment is merged by identity, found by containment, and leaves no trace when it is taken out again."""

from __future__ import annotations

import copy

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from lxml import etree

from specs.overlay.merging import differences, facts, left_over, merge, remove
from specs.overlay.tables import table_of, tables
from specs.safe_xml import parse

Element = etree._Element

DOMAIN = """
<domain type="kvm">
  <name>web</name>
  <memory unit="KiB">1048576</memory>
  <os><type arch="x86_64" machine="pc-q35-7.2">hvm</type></os>
  <features><acpi/></features>
  <devices>
    <disk type="file" device="disk"><source file="/srv/a"/><target dev="vda" bus="virtio"/></disk>
    <disk type="file" device="disk"><source file="/srv/b"/><target dev="vdb" bus="virtio"/></disk>
    <interface type="network"><mac address="52:54:00:00:00:01"/><source network="default"/></interface>
    <input type="tablet" bus="usb"/>
    <hostdev mode="subsystem" type="pci">
      <source><address domain="0x0000" bus="0x03" slot="0x00" function="0x0"/></source>
    </hostdev>
  </devices>
</domain>
"""


def domain() -> Element:
    return parse(DOMAIN)


def machine(inside: str) -> Element:
    return parse(f"<domain>{inside}</domain>")


def text(element: Element) -> bytes:
    return etree.tostring(element, method="c14n")


DOMAINS = table_of("VirtualMachine")


@pytest.mark.parametrize(
    ("inside", "said"),
    [
        ("<devices><disk><target dev='vdb'/><driver cache='none'/></disk></devices>",
         {"devices/disk[vdb]/driver/@cache": "none"}),
        ("<devices><interface><mac address='52:54:00:00:00:01'/><mtu size='9000'/></interface></devices>",
         {"devices/interface[52:54:00:00:00:01]/mtu/@size": "9000"}),
        ("<cpu><feature name='vmx' policy='require'/></cpu>",
         {"cpu/feature[vmx]": "", "cpu/feature[vmx]/@policy": "require"}),
        ("<memoryBacking><locked/></memoryBacking>", {"memoryBacking/locked": ""}),
        ("<devices><disk><alias name='ua-a'/><target dev='vda'/></disk></devices>",
         {"devices/disk[alias=ua-a]/target/@dev": "vda"}),
        ("<on_crash>preserve</on_crash>", {"on_crash/text()": "preserve"}),
        ("<devices><input type='mouse' bus='ps2'/></devices>",
         {"devices/input[mouse,ps2]": ""}),
        ("<qemu:commandline xmlns:qemu='http://libvirt.org/schemas/domain/qemu/1.0'><qemu:arg value='-a'/>"
         "<qemu:arg value='b'/></qemu:commandline>", {"qemu:commandline/qemu:arg": "@value=-a; @value=b"}),
        ("<devices><hostdev mode='subsystem' type='pci'><source><address domain='0' bus='3' slot='0' function='0'/>"
         "</source><rom bar='off'/></hostdev></devices>",
         {"devices/hostdev[address=bus:3 domain:0 function:0 slot:0]": "",
          "devices/hostdev[address=bus:3 domain:0 function:0 slot:0]/@mode": "subsystem",
          "devices/hostdev[address=bus:3 domain:0 function:0 slot:0]/@type": "pci",
          "devices/hostdev[address=bus:3 domain:0 function:0 slot:0]/rom/@bar": "off"}),
    ],
)  # fmt: skip
def test_what_a_fragment_says_is_told_statement_by_statement(inside: str, said: dict[str, str]) -> None:
    assert facts(DOMAINS, machine(inside)) == said


def test_a_fragment_finds_the_device_that_it_is_about_and_changes_no_other() -> None:
    root, fragment = domain(), machine("<devices><disk><target dev='vdb'/><driver cache='none'/></disk></devices>")
    before = [text(each) for each in root.findall("devices/*")]
    merge(DOMAINS, root, fragment)
    after = [text(each) for each in root.findall("devices/*")]
    assert [one == other for one, other in zip(before, after, strict=True)] == [True, False, True, True, True]
    assert root.find("devices/disk[2]/driver").get("cache") == "none"  # type: ignore[union-attr]


@pytest.mark.parametrize(
    "inside",
    [
        "<memory unit='GiB'>1</memory>",
        "<memory>1048576</memory>",
        "<os><type machine='q35'/></os>",
        "<devices><interface><mac address='52-54-00-00-00-01'/><source network='default'/></interface></devices>",
        "<devices><hostdev><source><address domain='0' bus='3' slot='0' function='0'/></source></hostdev></devices>",
        "<devices><input bus='usb' type='tablet'/></devices>",
        "<devices><disk><source file='/srv//a'/></disk></devices>",
        "<!-- nothing --><features><!-- here --><acpi/></features>",
    ],
)
def test_another_spelling_is_no_difference(inside: str) -> None:
    root = domain()
    assert differences(DOMAINS, root, machine(inside)) == []
    assert text(merge(DOMAINS, root, machine(inside))) == text(domain())


def test_a_difference_tells_what_is_there_instead() -> None:
    wanted = machine(
        "<devices><disk><target dev='vda'/><source file='/srv/c'/></disk></devices><on_crash>destroy</on_crash>"
    )
    assert [each[:3] for each in differences(DOMAINS, domain(), wanted)] == [
        ("devices/disk[vda]/source/@file", "/srv/a", "/srv/c"),
        ("on_crash/text()", None, "destroy"),
    ]


def test_a_device_that_is_missing_is_one_difference() -> None:
    wanted = machine("<devices><watchdog model='itco' action='reset'/></devices>")
    [found] = differences(DOMAINS, domain(), wanted)
    assert found[:3] == ("devices/watchdog[itco]", None, '<watchdog model="itco" action="reset"/>')


def test_a_device_leaves_with_what_libvirt_gave_it() -> None:
    root, fragment = domain(), machine("<devices><watchdog model='itco' action='reset'/></devices>")
    merge(DOMAINS, root, fragment)
    etree.SubElement(root.find("devices/watchdog"), "address", type="pci", slot="0x09")  # type: ignore[arg-type]
    remove(DOMAINS, root, left_over(DOMAINS, root, facts(DOMAINS, fragment), ()))
    assert text(root) == text(domain())


def test_what_was_only_added_to_a_device_leaves_it_there() -> None:
    root = domain()
    fragment = machine("<devices><disk><target dev='vdb'/><driver cache='none' io='native'/></disk></devices>")
    less = machine("<devices><disk><target dev='vdb'/><driver io='native'/></disk></devices>")
    merge(DOMAINS, root, fragment)
    gone = left_over(DOMAINS, root, facts(DOMAINS, fragment), facts(DOMAINS, less))
    assert gone == ["devices/disk[vdb]/driver/@cache"]
    remove(DOMAINS, root, gone)
    assert differences(DOMAINS, root, less) == []
    remove(DOMAINS, root, left_over(DOMAINS, root, facts(DOMAINS, less), ()))
    assert text(root) == text(domain())


def test_arguments_keep_their_order() -> None:
    def line(*words: str) -> Element:
        inside = "".join(f"<qemu:arg value='{word}'/>" for word in words)
        return parse(f"<domain xmlns:qemu='http://libvirt.org/schemas/domain/qemu/1.0'><qemu:commandline>{inside}"
                     "</qemu:commandline></domain>")  # fmt: skip

    root = merge(DOMAINS, domain(), line("-device", "a", "-device", "b"))
    merge(DOMAINS, root, line("-device", "b", "-device", "a"))
    assert [each.get("value") for each in root.iter("{*}arg")] == ["-device", "b", "-device", "a"]


# --- laws -------------------------------------------------------------------------------------------------------------

WORDS = st.sampled_from(["a", "b", "0x1", "2", "none", "vda", "vdb", "52:54:00:00:00:01", "/srv/x"])
OF_KINDS = {
    "domain": ("devices", "disk", "interface", "target", "source", "driver", "address", "cpu", "feature", "input",
               "features", "acpi", "hostdev", "alias", "mac", "boot", "os",
               "{http://libvirt.org/schemas/domain/qemu/1.0}arg"),
    "network": ("dns", "host", "hostname", "ip", "dhcp", "range", "forward", "nat", "address", "portgroup", "route",
                "srv"),
    "pool": ("source", "host", "device", "target", "path", "permissions", "mode"),
    "filter": ("rule", "filterref", "tcp", "ip", "parameter"),
    "volume": ("target", "format", "features", "permissions", "mode", "backingStore"),
}  # fmt: skip
NAMES = ("name", "type", "dev", "address", "bus", "file", "model", "ip", "start", "end", "mac", "unit", "path")


def _element(tag: str, attributes: dict[str, str], children: list[Element], words: str | None) -> Element:
    made = etree.Element(tag, attributes)
    made.extend(children)
    if words and not children:
        made.text = words
    return made


@st.composite
def trees(draw: st.DrawFn, root: str, *, alone: bool = False) -> Element:
    """With `alone` no two siblings have one tag."""

    def several(depth: int, most: int) -> list[Element]:
        made = [below(depth) for _ in range(draw(st.integers(0, most)))]
        return list({each.tag: each for each in made}.values()) if alone else made

    def below(depth: int) -> Element:
        children = several(depth + 1, 2 if depth < 3 else 0)
        attributes = draw(st.dictionaries(st.sampled_from(NAMES), WORDS, max_size=2))
        return _element(draw(st.sampled_from(OF_KINDS[root])), attributes, children, draw(st.none() | WORDS))

    return _element(root, {}, several(1, 4), None)


@pytest.mark.parametrize("root", tables())
@settings(max_examples=12)
@given(data=st.data())
def test_after_a_merge_the_fragment_is_contained_and_another_merge_changes_nothing(
    root: str, data: st.DataObject
) -> None:
    table = tables()[root]
    there, fragment = data.draw(trees(root)), data.draw(trees(root))
    merged = merge(table, copy.deepcopy(there), fragment)
    assert differences(table, merged, fragment) == []
    assert text(merge(table, copy.deepcopy(merged), fragment)) == text(merged)


@pytest.mark.parametrize("root", tables())
@settings(max_examples=12)
@given(data=st.data())
def test_whatever_is_missing_is_told_and_nothing_else(root: str, data: st.DataObject) -> None:
    table = tables()[root]
    there, fragment = data.draw(trees(root)), data.draw(trees(root))
    merged = merge(table, copy.deepcopy(there), fragment)
    assert (differences(table, there, fragment) == []) == (text(merged) == text(there))


@pytest.mark.parametrize("root", tables())
@settings(max_examples=12)
@given(data=st.data())
def test_what_is_taken_out_of_what_was_empty_leaves_it_empty(root: str, data: st.DataObject) -> None:
    table = tables()[root]
    fragment = data.draw(trees(root, alone=True))
    merged = merge(table, etree.Element(root), fragment)
    remove(table, merged, left_over(table, merged, facts(table, fragment), ()))
    assert left_over(table, merged, facts(table, fragment), ()) == []
