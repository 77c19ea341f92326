"""A Network in libvirt's XML: where its traffic goes, and what a new network starts with.

Its addresses and names are in `addresses.py` and `dns.py`; choosing a subnet in `subnet.py`; the host's VLAN bridge in
`vlan.py`; what a running network takes without a restart in `live.py`. What libvirt makes up — the bridge's name, its
MAC, STP — is never read back.
"""

from __future__ import annotations

import ipaddress
from collections.abc import Sequence
from typing import TYPE_CHECKING

from lxml import etree

from specs import canonical
from specs.binding import Bind, Element, child_at, drop_attributes
from specs.bound import Bound, bound_to, never_beside
from specs.carried import carried
from specs.declared_binds import binder, complete
from specs.host import Feature, Host
from specs.network.addresses import ADDRESS_BINDS, add_ip
from specs.network.dns import DNS_BINDS
from specs.network.fields import MACVTAP_MODES, SPEC
from specs.network.model import FORWARDING_MODES, NO_SUBNET, OWN_BRIDGE_MODES, has_own_bridge
from specs.network.subnet import free_subnet
from specs.network.vlan import vlan_bridge_name
from specs.pci import pci_text, put_pci
from specs.problem import Unrenderable

if TYPE_CHECKING:
    from specs.network.spec import LoweredDhcpHost, LoweredNetwork, NetworkSpec

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
_MACVTAP = frozenset({"bridge", *MACVTAP_MODES})


# How machines join a switch that knows VLANs or profiles; a plain bridge knows neither.
_OF_A_SWITCH = ("virtualport", "vlan", "portgroup/virtualport", "portgroup/vlan")


def lower(declared: NetworkSpec, *, name: str, uid: str, host: Host) -> LoweredNetwork:  # noqa: ARG001  (every kind's signature)
    """Addresses in their shortest notation, MACs in lower case, and a VLAN as the host's bridge that carries it.

    Raises Unrenderable for a VLAN where the connection can't define the host's interfaces.
    """
    lowered: LoweredNetwork = carried(SPEC, declared)
    if "vlan" in declared:
        lowered["bridge"] = _vlan_bridge(lowered.pop("interface"), declared["vlan"], host)
    if "subnet" in declared and declared["subnet"] != NO_SUBNET:
        lowered["subnet"] = canonical.subnet(declared["subnet"])
    if "gateway" in declared:
        lowered["gateway"] = canonical.address(declared["gateway"])
    if "hosts" in declared.get("dhcp", {}):
        lowered["dhcp"]["hosts"] = [_dhcp_host(each) for each in lowered["dhcp"]["hosts"]]
    if "dns" in declared:
        if "forwarders" in declared["dns"]:
            lowered["dns"]["forwarders"] = [canonical.address(text) for text in declared["dns"]["forwarders"]]
        if "hosts" in declared["dns"]:
            lowered["dns"]["hosts"] = [
                {**each, "ip": canonical.address(each["ip"])} for each in declared["dns"]["hosts"]
            ]
        if declared["dns"].get("forwarders") or declared["dns"].get("hosts"):
            lowered["dns"].setdefault("enabled", True)  # libvirt refuses a DNS that is off and has contents
    return lowered


def _dhcp_host(item: LoweredDhcpHost) -> LoweredDhcpHost:
    known: LoweredDhcpHost = {**item, "ip": canonical.address(item["ip"])}
    if "mac" in item:
        known["mac"] = canonical.mac(item["mac"])
    return known


def skeleton(lowered: LoweredNetwork, *, name: str, uid: str, host: Host) -> Element:
    """A new network: its subnet, a free one when none is declared, all of which DHCP hands out unless that is off."""
    root = etree.Element("network")
    etree.SubElement(root, "name").text = name
    etree.SubElement(root, "uuid").text = uid
    if has_own_bridge(lowered) and lowered.get("subnet") != NO_SUBNET:
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
    if forward is not None and not _goes_on(before, mode):
        root.remove(forward)
        forward = None
    if mode not in OWN_BRIDGE_MODES:
        _remove_all(root, *(_OF_OWN_BRIDGE if before in OWN_BRIDGE_MODES else ("bridge",)))
    elif before not in OWN_BRIDGE_MODES:
        _remove_all(root, "bridge")
    if mode != "isolated":
        if forward is None:
            forward = etree.SubElement(root, "forward")
        forward.set("mode", mode)
        if mode != "nat":
            _remove_all(forward, "nat")
        if mode == "open":
            _remove_all(forward, "interface")
            drop_attributes(forward, "dev")


def _goes_on(before: str, mode: str) -> bool:
    """Whether what is said of the way out means the same in both modes."""
    return {before, mode} <= FORWARDING_MODES or {before, mode} <= _MACVTAP


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


def _nics(root: Element) -> list[str] | None:
    forward = root.find("forward")
    if forward is None:
        return None
    return [each.get("dev") or "" for each in forward.iterfind("interface")] or (
        [dev] if (dev := forward.get("dev")) else None
    )


def _put_nics(root: Element, names: Sequence[str]) -> None:
    """The first one is also said by the way out itself."""
    if _mode(root) == "bridge":
        _remove_all(root, "bridge")
    forward = child_at(root, "forward")
    _remove_all(forward, "interface", "address", "pf")
    forward.set("dev", names[0])
    for name in names:
        etree.SubElement(forward, "interface").set("dev", name)


def _cards(root: Element) -> list[str] | None:
    return [pci_text(each) for each in root.iterfind("forward/address")] or None


def _put_cards(root: Element, addresses: Sequence[str]) -> None:
    forward = child_at(root, "forward")
    _remove_all(forward, "interface", "address", "pf")
    drop_attributes(forward, "dev")
    for address in addresses:
        put_pci(etree.SubElement(forward, "address"), address)


def _same_cards(wanted: Sequence[str], found: Sequence[str] | None) -> bool:
    return [each.lower() for each in wanted] == list(found or ())


def _own_bridge(root: Element) -> str | None:
    bridge = root.find("bridge")
    return None if bridge is None or _mode(root) not in OWN_BRIDGE_MODES else bridge.get("name")


def _put_own_bridge(root: Element, name: str) -> None:
    child_at(root, "bridge").set("name", name)


def _put_domain(root: Element, name: str) -> None:
    domain = root.find("domain")
    if domain is None:
        domain = etree.SubElement(root, "domain")
        domain.set("localOnly", "yes")  # names of machines are nobody else's business
    domain.set("name", name)


def _local_only(root: Element) -> bool | None:
    domain = root.find("domain")
    return None if domain is None else domain.get("localOnly") == "yes"


def _put_local_only(root: Element, wanted: bool) -> None:
    domain = child_at(root, "domain")
    drop_attributes(domain, "localOnly")
    if wanted:
        domain.set("localOnly", "yes")


def _remove_all(parent: Element, *tags: str) -> None:
    for tag in tags:
        for child in parent.findall(tag):
            if (holder := child.getparent()) is not None:
                holder.remove(child)


_FIRST: tuple[Bind, ...] = (  # where another mode takes along what the others say anew
    bind(
        "mode",
        get=_mode,
        put=_put_mode,
        bound=(
            Bound(tuple(f"/{part}" for part in _OF_A_SWITCH), lambda mode, _root: mode not in OWN_BRIDGE_MODES),
            bound_to(OWN_BRIDGE_MODES | {"bridge"}, "/bandwidth", "/portgroup/bandwidth"),
        ),
    ),
    bind("bridge", get=_bridge, put=_put_bridge),
    bind(
        "interface",
        get=_interface,
        put=_put_interface,
        bound=(never_beside("/bandwidth", "/portgroup/bandwidth", *(f"/{part}" for part in _OF_A_SWITCH)),),
    ),
    bind("forward/interfaces", get=_nics, put=_put_nics),
    bind("forward/addresses", get=_cards, put=_put_cards, same=_same_cards),
    *ADDRESS_BINDS,
    *DNS_BINDS,
    bind("domain", "domain/@name", put=_put_domain),
    bind("domainLocalOnly", get=_local_only, put=_put_local_only),
    bind("ownBridge/name", get=_own_bridge, put=_put_own_bridge),
)
_NAMED = frozenset(each.name for each in _FIRST)
BINDS: tuple[Bind, ...] = (*_FIRST, *(each for each in complete(SPEC, _FIRST) if each.name not in _NAMED))
