"""Networks, pools and volumes as documents: what their definitions say, without what is a default anyway."""

from __future__ import annotations

from collections.abc import Mapping
from ipaddress import IPv4Network
from typing import Any

from reconciler.exporting.draft import Draft, Spec, Surroundings
from reconciler.observed.snapshot import Observed
from specs.codecs import size_text
from specs.network.model import check
from specs.network.subnet import gateway
from specs.reference import Ref

_PLAIN_FORMATS = frozenset({"none", "unknown"})


def network(observed: Observed) -> Draft:
    """The draft of one network."""
    config = observed.config
    draft = Draft(observed.ref, observed.uid, {"mode": config.get("mode")})
    spec = draft.spec
    for key in ("bridge", "interface", "subnet", "domain"):
        if config.get(key) and not (key == "domain" and spec["mode"] == "bridge"):
            spec[key] = config[key]
    if spec["mode"] != "bridge":
        if _has_gateway_of_its_own(config):
            spec["gateway"] = config["gateway"]
        if dhcp := _dhcp(config, draft):
            spec["dhcp"] = dhcp
        if dns := _dns(config.get("dns") or {}):
            spec["dns"] = dns
    _running(observed, spec)
    return draft


def _has_gateway_of_its_own(config: Mapping[str, Any]) -> bool:
    """False where it is the address that a document means anyway."""
    subnet = config.get("subnet")
    return bool(subnet and config.get("gateway") and config["gateway"] != str(gateway(IPv4Network(subnet))))


def _dhcp(config: Mapping[str, Any], draft: Draft) -> Spec:
    if "subnet" not in config:
        return {}  # addresses of IPv6 pass through
    dhcp = config.get("dhcp") or {}
    found: Spec = {key: dhcp[key] for key in ("start", "end") if dhcp.get(key)}
    if hosts := dhcp.get("hosts"):
        found["hosts"] = [{key: host[key] for key in host if host[key]} for host in hosts]
    _leave_unsayable(found, draft)
    return found or ({"enabled": False} if dhcp.get("enabled") is False else {})


def _leave_unsayable(dhcp: Spec, draft: Draft) -> None:
    """Take out as a whole what no document can say in part: half a range, or a list that is complete by definition."""
    broken = {pointer: why.rstrip(".") for pointer, why in check(draft.ref.name, {**draft.spec, "dhcp": dhcp})}
    if why := broken.get("/dhcp/start") or broken.get("/dhcp/end"):
        draft.left.append(f"dhcp: its range from {dhcp.pop('start')} to {dhcp.pop('end')}: {why}")
    if why := next((why for pointer, why in broken.items() if pointer.startswith("/dhcp/hosts/")), ""):
        draft.left.append(f"dhcp/hosts: the {len(dhcp.pop('hosts'))} fixed addresses, for one can't be declared: {why}")


def _dns(dns: Mapping[str, Any]) -> Spec:
    if dns.get("enabled") is False:
        return {"enabled": False}
    return {key: dns[key] for key in ("forwarders", "hosts") if dns.get(key)}


def pool(observed: Observed) -> Draft:
    """The draft of one pool. A password in libvirt is never read: its credentials stay as they are."""
    config = observed.config
    draft = Draft(observed.ref, observed.uid, {key: config[key] for key in ("type", "path") if config.get(key)})
    found = config.get("source") or {}
    source = {key: value for key, value in found.items() if value and key not in ("auth", "name")}
    if source.get("adapter", {}).get("type") == "scsi_host":
        source["adapter"] = {key: value for key, value in source["adapter"].items() if key != "type"}
    if found.get("auth"):
        draft.left.append("the credentials of its source, which libvirt keeps")
    if source:
        draft.spec["source"] = source
    _running(observed, draft.spec)
    return draft


def volume(observed: Observed, around: Surroundings) -> Draft:
    """The draft of one volume. Its data is there, so that nothing is said about where it came from."""
    ref, config = observed.ref, observed.config
    draft = Draft(ref, "", {"pool": ref.pool})
    if (capacity := config.get("capacity")) is not None:
        draft.spec["capacity"] = size_text(int(capacity))
    if config.get("format") and config["format"] not in _PLAIN_FORMATS:
        draft.spec["format"] = config["format"]
    if path := (config.get("backingVolume") or {}).get("path"):
        backing = around.volume_at.get(path)
        if backing is None:
            draft.left.append(f"its backing image {path}, which is no volume of an active pool")
        else:
            draft.spec["backingVolume"] = _short(backing, ref.pool)
    return draft


def _short(volume_ref: Ref, pool_name: str) -> str:
    return volume_ref.short_name if volume_ref.pool == pool_name else volume_ref.name


def _running(observed: Observed, spec: Spec) -> None:
    if observed.autostart:
        spec["autostart"] = True
    if not observed.active:
        spec["active"] = False
