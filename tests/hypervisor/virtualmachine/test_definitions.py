"""A definition tells whether a console has a password, and never which; not even a strange one slips through."""

from __future__ import annotations

import libvirt
import pytest
from lxml import etree

from reconciler.hypervisor import Hypervisor
from reconciler.hypervisor.virtualmachine.definitions import definition, masked
from tests.hypervisor.conftest import machine
from tests.lab.libvirtd import HostObjects

NOTE = "<note xmlns='https://example.org/x'><graphics type='vnc' passwd='not a console'/></note>"


@pytest.mark.parametrize("kind", ["vnc", "spice"])
@pytest.mark.parametrize("password", ["s3cr3t", "it's", 'say "x"', "a>b<c", "&amp;", " passwd=", "a b"])
def test_a_password_is_masked_whatever_it_is(
    qemu_connection: libvirt.virConnect, host_objects: HostObjects, kind: str, password: str
) -> None:
    console = etree.Element("graphics", type=kind, passwd=password, autoport="yes", passwdValidTo="2090-01-01T00:00:00")
    text = etree.tostring(console, encoding="unicode")
    made = machine(host_objects.name("web"), devices=text, top=f"<metadata>{NOTE}</metadata>")
    domain = qemu_connection.defineXML(made.xml)
    for flags in (0, libvirt.VIR_DOMAIN_XML_INACTIVE):
        root = etree.fromstring(definition(domain, flags))
        assert root.find("devices/graphics").get("passwd") == "*****"
        assert root.find("devices/graphics").get("passwdValidTo") == "2090-01-01T00:00:00"
        assert root.find("metadata/*/{https://example.org/x}graphics").get("passwd") == "not a console"


def test_a_definition_without_a_password_is_the_same_text() -> None:
    text = "<domain>\n  <devices>\n    <graphics type='vnc' port='-1'/>\n  </devices>\n</domain>\n"
    assert masked(text) == text


def test_a_snapshot_of_the_host_holds_no_password(qemu_host: Hypervisor, host_objects: HostObjects) -> None:
    made = machine(host_objects.name("web"), devices="<graphics type='vnc' passwd='s3cr3t' listen='127.0.0.1'/>")
    qemu_host.perform(made.define)
    seen = qemu_host.observe(None, None).objects[made.ref]
    assert "s3cr3t" not in seen.xml
    assert seen.config["graphics"]["passwordFrom"] == "(set)"
