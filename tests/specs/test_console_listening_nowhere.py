"""`graphics.listen: none`: a console without a port, however it came to be so, and back again."""

from __future__ import annotations

import pytest
from lxml import etree

from specs.virtualmachine.devices.graphics import GRAPHICS

LISTEN = next(each for each in GRAPHICS if each.name == "graphics/listen")
ELSEWHERE = (
    "<graphics type='vnc' port='5901' autoport='no' websocket='5701' listen='0.0.0.0'>"
    "<listen type='address' address='0.0.0.0'/></graphics>",
    "<graphics type='spice' port='5901' tlsPort='5902' autoport='yes' listen='::1'/>",
    "<graphics type='vnc' socket='/run/vnc'><listen type='socket' socket='/run/vnc'/></graphics>",
)
NOWHERE = "<graphics type='vnc'><listen type='none'/></graphics>"


def domain(devices: str = "") -> etree._Element:
    return etree.fromstring(f"<domain><os><type arch='x86_64'>hvm</type></os><devices>{devices}</devices></domain>")


@pytest.mark.parametrize("devices", ["", NOWHERE, *ELSEWHERE])
def test_it_has_no_port_then(devices: str) -> None:
    root = domain(devices)
    LISTEN.put(root, "none")
    found = root.find("devices/graphics")
    assert found is not None
    assert LISTEN.get(root) == "none"
    assert dict(found.attrib) == {"type": found.get("type")}
    assert [dict(each.attrib) for each in found] == [{"type": "none"}]


def test_it_gets_one_again() -> None:
    root = domain(NOWHERE)
    LISTEN.put(root, "127.0.0.1")
    found = root.find("devices/graphics")
    assert found is not None
    assert (LISTEN.get(root), found.get("autoport"), len(found)) == ("127.0.0.1", "yes", 0)


def test_another_protocol_listens_nowhere_too() -> None:
    root = domain(NOWHERE)
    next(each for each in GRAPHICS if each.name == "graphics/type").put(root, "spice")
    assert LISTEN.get(root) == "none"


def test_it_differs_from_every_address() -> None:
    assert not LISTEN.same("none", "127.0.0.1") and not LISTEN.same("127.0.0.1", "none") and LISTEN.same("none", "none")
