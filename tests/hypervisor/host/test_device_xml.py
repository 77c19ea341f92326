"""One device's XML becomes the facts that the API tells. `ONGGI_WRITE_EXPECTED=1` writes what is expected anew."""

from __future__ import annotations

import json
import os
from pathlib import Path

import pytest
from lxml import etree

from reconciler.hypervisor.host.device_xml import host_device

GOLDEN = sorted(Path(__file__).with_name("node_devices").glob("*.xml"))


@pytest.mark.parametrize("path", GOLDEN, ids=lambda path: path.stem)
def test_a_device_tells(path: Path) -> None:
    device = host_device(path.read_text())
    told = {"told": device.told(), "capabilities": sorted(device.capabilities)}
    expected = path.with_suffix(".json")
    if os.environ.get("ONGGI_WRITE_EXPECTED"):
        expected.write_text(json.dumps(told, indent=2) + "\n")
    assert told == json.loads(expected.read_text())


PCI = """<device><name>pci_0</name><capability type='pci'><domain>{domain}</domain><bus>0</bus><slot>0</slot>
  <function>0</function>{more}</capability></device>"""


@pytest.mark.parametrize(
    "xml",
    [
        "<device/>",
        "<device><name>x</name></device>",
        "<device><name>x</name><capability/></device>",
        "<device><capability type='net'/></device>",
        PCI.format(domain="", more=""),
        PCI.format(domain="none", more=""),
        PCI.format(domain="0", more="<iommuGroup/>"),
        "<device><name>x</name><capability type='usb_device'><bus>1</bus></capability></device>",
        "<device><name>\x01</name></device>",
        "<device>",
        "",
    ],
)
def test_an_odd_description_is_refused_as_a_whole(xml: str) -> None:
    with pytest.raises((ValueError, etree.XMLSyntaxError)):
        host_device(xml)


def test_an_entity_reads_no_file() -> None:
    hostile = """<!DOCTYPE device [<!ENTITY secret SYSTEM "file:///etc/passwd">]>
      <device><name>x</name><capability type='drm'><type>&secret;</type></capability></device>"""
    with pytest.raises(etree.XMLSyntaxError, match="DTD"):
        host_device(hostile)
