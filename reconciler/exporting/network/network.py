"""A network as a document: what its definition says, without what is a default anyway."""

from __future__ import annotations

from ipaddress import IPv4Network
from typing import TYPE_CHECKING

from reconciler.exporting.draft import Draft, running
from reconciler.observed.snapshot import Observed
from specs.network import KIND as NETWORKS
from specs.network.model import check
from specs.network.subnet import gateway
from specs.plain import NewSpec

if TYPE_CHECKING:
    from specs.network.spec import Dns, LoweredNetwork


def network(observed: Observed) -> Draft:
    """The draft of one network."""
    config = NETWORKS.lowered(observed.config)
    draft = Draft(observed.ref, observed.uid, {"mode": config.get("mode")})
    spec = draft.spec
    said = {"bridge": config.get("bridge"), "interface": config.get("interface"), "subnet": config.get("subnet")}
    if spec["mode"] != "bridge":
        said["domain"] = config.get("domain")
    spec |= {key: value for key, value in said.items() if value}
    if spec["mode"] != "bridge":
        if _has_gateway_of_its_own(config):
            spec["gateway"] = config["gateway"]
        if dhcp := _dhcp(config, draft):
            spec["dhcp"] = dhcp
        if dns := _dns(config.get("dns") or {}):
            spec["dns"] = dns
    running(observed, spec)
    return draft


def _has_gateway_of_its_own(config: LoweredNetwork) -> bool:
    """False where it is the address that a document means anyway."""
    subnet = config.get("subnet")
    return bool(subnet and config.get("gateway") and config["gateway"] != str(gateway(IPv4Network(subnet))))


def _dhcp(config: LoweredNetwork, draft: Draft) -> NewSpec:
    if "subnet" not in config:
        return {}  # addresses of IPv6 pass through
    dhcp = config.get("dhcp") or {}
    edges = {"start": dhcp.get("start"), "end": dhcp.get("end")}
    found: NewSpec = {key: address for key, address in edges.items() if address}
    if hosts := dhcp.get("hosts"):
        found["hosts"] = [{key: value for key, value in host.items() if value} for host in hosts]
    _leave_unsayable(found, draft)
    return found or ({"enabled": False} if dhcp.get("enabled") is False else {})


def _leave_unsayable(dhcp: NewSpec, draft: Draft) -> None:
    """Take out as a whole what no document can say in part: half a range, or a list that is complete by definition."""
    broken = {
        pointer: why.rstrip(".")
        for pointer, why in check(draft.ref.name, NETWORKS.declared({**draft.spec, "dhcp": dhcp}))
    }
    if why := broken.get("/dhcp/start") or broken.get("/dhcp/end"):
        draft.left.append(f"dhcp: its range from {dhcp.pop('start')} to {dhcp.pop('end')}: {why}")
    if why := next((why for pointer, why in broken.items() if pointer.startswith("/dhcp/hosts/")), ""):
        draft.left.append(f"dhcp/hosts: the {len(dhcp.pop('hosts'))} fixed addresses, for one can't be declared: {why}")


def _dns(dns: Dns) -> NewSpec:
    if dns.get("enabled") is False:
        return {"enabled": False}
    said = {"forwarders": dns.get("forwarders"), "hosts": dns.get("hosts")}
    return {key: value for key, value in said.items() if value}
