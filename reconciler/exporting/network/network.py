"""A network as a document: what its definition says, without what is a default anyway."""

from __future__ import annotations

from ipaddress import IPv4Network
from typing import TYPE_CHECKING

from reconciler.exporting.draft import Draft, running
from reconciler.observed.snapshot import Observed
from specs.declared_binds import sayable
from specs.network import KIND as NETWORKS
from specs.network.fields import OF_OWN_BRIDGES, SPEC
from specs.network.model import NO_SUBNET, check, has_own_bridge
from specs.network.subnet import gateway
from specs.plain import NewSpec

if TYPE_CHECKING:
    from specs.network.spec import LoweredDhcp, LoweredDns, LoweredNetwork


def network(observed: Observed) -> Draft:
    """The draft of one network."""
    config = NETWORKS.lowered(observed.config)
    draft = Draft(observed.ref, observed.uid, {"mode": config.get("mode")})
    spec = draft.spec
    own = has_own_bridge(config)
    said = {"bridge": config.get("bridge"), "interface": config.get("interface"), "subnet": config.get("subnet")}
    if own:
        said |= {"domain": config.get("domain"), "tftp": config.get("tftp")}
        said["subnet"] = said["subnet"] or NO_SUBNET
    spec |= {key: value for key, value in said.items() if value}
    spec |= sayable(SPEC, config)
    if not own:
        # Of the bridge that it joins libvirt knows a little too, such as who keeps its table of addresses.
        spec = draft.spec = {key: value for key, value in spec.items() if key not in OF_OWN_BRIDGES}
    _put(spec, "forward", _forward(config))
    if spec["mode"] == "bridge" and "interfaces" in spec.get("forward", {}):
        spec.pop("interface", None)  # the first of these
    if own:
        _own_bridge(config, draft)
    running(observed, spec)
    return draft


def _own_bridge(config: LoweredNetwork, draft: Draft) -> None:
    """What there is where libvirt makes the bridge."""
    spec = draft.spec
    if _has_gateway_of_its_own(config):
        spec["gateway"] = config["gateway"]
    if config.get("localPtr"):
        spec["localPtr"] = True
    if config.get("domain") and not config.get("domainLocalOnly"):
        spec["domainLocalOnly"] = False
    if name := config.get("ownBridge", {}).get("name"):
        _put(spec, "ownBridge", {"name": name})
    _put(spec, "dhcp", _dhcp(config, draft))
    _put(spec, "dns", _dns(config.get("dns") or {}))
    item = SPEC["addresses"].item
    if item is not None and (further := config.get("addresses")):
        spec["addresses"] = [sayable(item, each) | {"prefix": each.get("prefix")} for each in further]


def _put(spec: NewSpec, name: str, said: NewSpec) -> None:
    """Beside what paths say of the same mapping."""
    if said:
        spec[name] = {**spec.get(name, {}), **said}


def _forward(config: LoweredNetwork) -> NewSpec:
    forward = config.get("forward") or {}
    found: NewSpec = {}
    if addresses := forward.get("addresses"):
        found["addresses"] = list(addresses)
    if (nics := forward.get("interfaces")) and (config.get("mode") != "bridge" or len(nics) > 1):
        found["interfaces"] = list(nics)
    return found


def _has_gateway_of_its_own(config: LoweredNetwork) -> bool:
    """False where it is the address that a document means anyway."""
    subnet = config.get("subnet")
    return bool(subnet and config.get("gateway") and config["gateway"] != str(gateway(IPv4Network(subnet))))


def _dhcp(config: LoweredNetwork, draft: Draft) -> NewSpec:
    if "subnet" not in config:
        return {}  # it has none, or only further ones
    dhcp = config.get("dhcp") or {}
    found = _ranges(dhcp)
    if hosts := dhcp.get("hosts"):
        found["hosts"] = [{key: value for key, value in host.items() if value} for host in hosts]
        if not dhcp.get("ranges"):
            found["ranges"] = []  # nobody else gets an address
    if bootp := dhcp.get("bootp"):
        found["bootp"] = {key: value for key, value in bootp.items() if value}
    _leave_unsayable(found, draft)
    return found or ({"enabled": False} if dhcp.get("enabled") is False else {})


def _ranges(dhcp: LoweredDhcp) -> NewSpec:
    """The only one in short, where there is nothing else to say of it."""
    ranges = [{key: value for key, value in each.items() if value} for each in dhcp.get("ranges") or ()]
    return dict(ranges[0]) if len(ranges) == 1 and len(ranges[0]) == 2 else {"ranges": ranges} if ranges else {}


def _leave_unsayable(dhcp: NewSpec, draft: Draft) -> None:
    """Take out as a whole what no document can say in part: half a range, or a list that is complete by definition."""
    broken = {
        pointer: why.rstrip(".")
        for pointer, why in check(draft.ref.name, NETWORKS.declared({**draft.spec, "dhcp": dhcp}))
    }
    if why := broken.get("/dhcp/start") or broken.get("/dhcp/end"):
        draft.left.append(f"dhcp: its range from {dhcp.pop('start')} to {dhcp.pop('end')}: {why}")
    if why := next((why for pointer, why in broken.items() if pointer.startswith("/dhcp/ranges")), ""):
        draft.left.append(f"dhcp/ranges: the {len(dhcp.pop('ranges'))} ranges, for one can't be declared: {why}")
    if why := next((why for pointer, why in broken.items() if pointer.startswith("/dhcp/hosts/")), ""):
        draft.left.append(f"dhcp/hosts: the {len(dhcp.pop('hosts'))} fixed addresses, for one can't be declared: {why}")


def _dns(dns: LoweredDns) -> NewSpec:
    if dns.get("enabled") is False:
        return {"enabled": False}
    said = {
        "forwarders": dns.get("forwarders"),
        "domainForwarders": dns.get("domainForwarders"),
        "hosts": dns.get("hosts"),
    }
    return {key: value for key, value in said.items() if value}
