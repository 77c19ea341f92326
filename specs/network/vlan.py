"""The host's bridge that carries one VLAN of a NIC.

A network's XML can't make a plain Linux bridge tag frames. So the tag is a VLAN interface of the host, in a bridge of
its own, and the network joins that bridge.

Only names and XML: who defines and starts the interface is planning's and the hypervisor's business.
"""

from __future__ import annotations

import hashlib

from lxml import etree

from specs.binding import serialise

_LONGEST = 15  # characters of a Linux network interface's name


def vlan_bridge_name(interface: str, vlan: int) -> str:
    """`onggi-<nic>-<vlan>`; where that is too long for Linux, a short digest stands for the NIC's name."""
    name = f"onggi-{interface}-{vlan}"
    return name if len(name) <= _LONGEST else f"onggi-{_digest(interface, 4)}-{vlan}"


def vlan_bridge_xml(interface: str, vlan: int) -> tuple[str, str]:
    """(bridge name, interface XML for virInterfaceDefineXML) of the bridge over VLAN `vlan` of the NIC `interface`."""
    name = vlan_bridge_name(interface, vlan)
    tagged = f"{interface}.{vlan}"
    if len(tagged) > _LONGEST:
        tagged = f"v{_digest(interface, 6)}.{vlan}"
    root = etree.Element("interface", {"type": "bridge", "name": name})
    etree.SubElement(root, "start", {"mode": "onboot"})
    bridge = etree.SubElement(root, "bridge", {"stp": "off", "delay": "0"})
    port = etree.SubElement(bridge, "interface", {"type": "vlan", "name": tagged})
    etree.SubElement(etree.SubElement(port, "vlan", {"tag": str(vlan)}), "interface", {"name": interface})
    return name, serialise(root)


def _digest(text: str, length: int) -> str:
    return hashlib.sha256(text.encode()).hexdigest()[:length]
