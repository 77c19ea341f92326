"""Whose choices a new machine gets: onggi's, or none but libvirt's own."""

from __future__ import annotations

from lxml import etree

from reconciler.desired.template.meaning import machine_fields
from specs.binding import parse
from tests.specs.virtualmachine.world import KVM, QEMU, changed, diff, rendered, unchanged

BARE = """\
<domain type="qemu">
  <name>web</name>
  <uuid>{uid}</uuid>
  <memory unit="MiB">1024</memory>
  <currentMemory unit="MiB">1024</currentMemory>
  <vcpu>1</vcpu>
  <os>
    <type>hvm</type>
  </os>
  <devices/>
</domain>
"""


def tags(text: str) -> list[str]:
    return [str(each.tag) for each in parse(text).iter() if isinstance(each, etree._Element)]


def test_with_libvirts_a_new_machine_has_nothing_that_isnt_declared() -> None:
    text = rendered({"defaults": "libvirt"}, QEMU)
    assert text == BARE.format(uid=parse(text).findtext("uuid"))


def test_what_is_declared_is_there_with_both() -> None:
    spec = {"cpus": 2, "machine": "pc", "firmware": "uefi", "bootMenu": True, "memory": "2GiB"}
    for whose in ("onggi", "libvirt"):
        text = rendered({**spec, "defaults": whose}, KVM)
        assert diff(spec, text, KVM) == []
    assert "rng" not in tags(text)


def test_a_console_brings_no_video_card_of_ours() -> None:
    text = rendered({"defaults": "libvirt", "graphics": {"type": "spice"}}, QEMU)
    assert [str(each.tag) for each in parse(text).iterfind("devices/*")] == ["graphics"]
    assert parse(rendered({"defaults": "libvirt", "graphics": {"type": "none"}}, QEMU)).find("devices/*") is None


def test_a_machine_that_exists_isnt_changed_by_it() -> None:
    full, bare = rendered({}, QEMU), rendered({"defaults": "libvirt"}, QEMU)
    for text in (full, bare):
        for whose in ("onggi", "libvirt"):
            assert diff({"defaults": whose}, text, QEMU) == []
            assert changed(text, {"defaults": whose}, QEMU) == unchanged(text)


def test_machines_of_a_template_have_its_choice() -> None:
    assert machine_fields({"defaults": "libvirt"}) == {"defaults": "libvirt"}
