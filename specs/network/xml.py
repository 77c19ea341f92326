"""A Network in libvirt's XML: where its traffic goes, and what a new network starts with.

Its addresses and names are in `addresses.py` and `dns.py`; choosing a subnet in `subnet.py`; the host's VLAN bridge in
`vlan.py`; what a running network takes without a restart in `live.py`. What libvirt makes up — the bridge's name, its
MAC, STP — is never read back.
"""

from __future__ import annotations

import ipaddress
from typing import TYPE_CHECKING

from lxml import etree

from specs import canonical
from specs.binding import Bind, Element
from specs.bound import bound_to, never_beside
from specs.carried import carried
from specs.declared_binds import binder, complete
from specs.host import Feature, Host
from specs.network.addresses import ADDRESS_BINDS, add_ip
from specs.network.dns import DNS_BINDS
from specs.network.fields import SPEC
from specs.network.model import FORWARDING_MODES
from specs.network.subnet import free_subnet
from specs.network.vlan import vlan_bridge_name
from specs.problem import Unrenderable

if TYPE_CHECKING:
    from specs.network.spec import DhcpHost, LoweredNetwork, NetworkSpec

bind = binder(SPEC)

_OF_OWN_BRIDGE = (
    "bridge",
    "mac",
    "domain",
    "dns",
    "ip",
    "route",
    "mtu",
)  # elements that libvirt refuses where it makes none


# How machines join a switch that knows VLANs or profiles; a plain bridge knows neither.
_OF_A_SWITCH = ("virtualport", "vlan", "portgroup/virtualport", "portgroup/vlan")


def lower(declared: NetworkSpec, *, name: str, uid: str, host: Host) -> LoweredNetwork:  # noqa: ARG001  (every kind's signature)
    """Addresses in their shortest notation, MACs in lower case, and a VLAN as the host's bridge that carries it.

    Raises Unrenderable for a VLAN where the connection can't define the host's interfaces.
    """
    lowered: LoweredNetwork = carried(SPEC, declared)
    if "vlan" in declared:
        lowered["bridge"] = _vlan_bridge(lowered.pop("interface"), declared["vlan"], host)
    if "subnet" in declared:
        lowered["subnet"] = canonical.subnet(declared["subnet"])
    if "gateway" in declared:
        lowered["gateway"] = canonical.address(declared["gateway"])
    if "dhcp" in declared:
        lowered["dhcp"] = declared["dhcp"].copy()
        if "hosts" in declared["dhcp"]:
            lowered["dhcp"]["hosts"] = [_dhcp_host(each) for each in declared["dhcp"]["hosts"]]
    if "dns" in declared:
        lowered["dns"] = declared["dns"].copy()
        if "forwarders" in declared["dns"]:
            lowered["dns"]["forwarders"] = [canonical.address(text) for text in declared["dns"]["forwarders"]]
        if "hosts" in declared["dns"]:
            lowered["dns"]["hosts"] = [
                {**each, "ip": canonical.address(each["ip"])} for each in declared["dns"]["hosts"]
            ]
        if declared["dns"].get("forwarders") or declared["dns"].get("hosts"):
            lowered["dns"].setdefault("enabled", True)  # libvirt refuses a DNS that is off and has contents
    return lowered


def _dhcp_host(item: DhcpHost) -> DhcpHost:
    return {**item, "mac": canonical.mac(item["mac"]), "ip": canonical.address(item["ip"])}


def skeleton(lowered: LoweredNetwork, *, name: str, uid: str, host: Host) -> Element:
    """A new network: its subnet, a free one when none is declared, all of which DHCP hands out unless that is off."""
    root = etree.Element("network")
    etree.SubElement(root, "name").text = name
    etree.SubElement(root, "uuid").text = uid
    if lowered.get("mode") != "bridge":
        subnet = ipaddress.IPv4Network(lowered.get("subnet") or free_subnet(host.used_subnets))
        add_ip(root, subnet, lowered.get("gateway"), dhcp=lowered.get("dhcp", {}).get("enabled", True))
    return root


def _vlan_bridge(interface: str, vlan: int, host: Host) -> str:
    bridge = vlan_bridge_name(interface, vlan)
    if not host.can(Feature.HOST_INTERFACES):
        raise Unrenderable(
            f"This connection can't make VLAN interfaces of the host; make a bridge over {interface}.{vlan} there, and "
            "declare it as `bridge` instead of `interface` and `vlan`."
        )
    return bridge


def _mode(root: Element) -> str:
    forward = root.find("forward")
    return "isolated" if forward is None else forward.get("mode") or "nat"


def _put_mode(root: Element, mode: str) -> None:
    before = _mode(root)
    forward = root.find("forward")
    if forward is not None and not (mode == "nat" and before in FORWARDING_MODES):
        root.remove(forward)
        forward = None
    if mode == "bridge":
        _remove_all(root, *_OF_OWN_BRIDGE)
    elif before not in FORWARDING_MODES | {"isolated"}:
        _remove_all(root, "bridge")
    if mode != "isolated":
        if forward is None:
            forward = etree.SubElement(root, "forward")
        forward.set("mode", mode)


def _bridge(root: Element) -> str | None:
    bridge = root.find("bridge")
    return None if bridge is None or _mode(root) != "bridge" else bridge.get("name")


def _put_bridge(root: Element, name: str) -> None:
    forward = root.find("forward")
    if forward is not None:
        _remove_all(forward, "interface")
        forward.attrib.pop("dev", "")
    if root.find("virtualport[@type='openvswitch']") is None:
        _remove_all(root, *_OF_A_SWITCH)
    bridge = root.find("bridge")
    (etree.SubElement(root, "bridge") if bridge is None else bridge).set("name", name)


def _interface(root: Element) -> str | None:
    forward = root.find("forward")
    if forward is None or _mode(root) != "bridge":
        return None
    interface = forward.find("interface")
    return forward.get("dev") if interface is None else interface.get("dev")


def _put_interface(root: Element, name: str) -> None:
    _remove_all(root, "bridge")
    forward = root.find("forward")
    if forward is None:
        forward = etree.SubElement(root, "forward", {"mode": "bridge"})
    _remove_all(forward, "interface")
    forward.set("dev", name)
    etree.SubElement(forward, "interface").set("dev", name)


def _put_domain(root: Element, name: str) -> None:
    domain = root.find("domain")
    if domain is None:
        domain = etree.SubElement(root, "domain")
        domain.set("localOnly", "yes")  # names of machines are nobody else's business
    domain.set("name", name)


def _remove_all(parent: Element, *tags: str) -> None:
    for tag in tags:
        for child in parent.findall(tag):
            if (holder := child.getparent()) is not None:
                holder.remove(child)


BINDS: tuple[Bind, ...] = complete(
    SPEC,
    (
        bind(
            "mode",
            get=_mode,
            put=_put_mode,
            bound=(bound_to({"bridge"}, *(f"/{part}" for part in _OF_A_SWITCH)),),
        ),
        bind("bridge", get=_bridge, put=_put_bridge),
        bind(
            "interface",
            get=_interface,
            put=_put_interface,
            bound=(never_beside("/bandwidth", "/portgroup/bandwidth", *(f"/{part}" for part in _OF_A_SWITCH)),),
        ),
        *ADDRESS_BINDS,
        *DNS_BINDS,
        bind("domain", "domain/@name", put=_put_domain),
    ),
)
