"""The shape of a NetworkFilter's spec."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING

from specs.networkfilter.built_in import BUILT_IN, filter_refs
from specs.networkfilter.matching_fields import PARTS

if TYPE_CHECKING:
    from specs.networkfilter.spec import NetworkFilterSpec
    from specs.reference import Ref

_PORTS = frozenset({"srcportstart", "srcportend", "dstportstart", "dstportend"})
_WITH_PORTS = frozenset({"tcp", "udp", "dccp", "sctp", "6", "17", "33", "132"})
_NO_PART = "A packet of {} has no `{}` for a filter, and libvirt would pass over it;"


def references(_name: str, spec: NetworkFilterSpec) -> Iterable[Ref]:
    """The filters that it includes."""
    return filter_refs(*(rule["filter"] for rule in spec.get("rules", ()) if "filter" in rule))


def check(name: str, spec: NetworkFilterSpec) -> Iterator[tuple[str, str]]:
    """The rules that hold between fields. Relies on the shape that the schema asks for."""
    if name in BUILT_IN:
        sentence = "is one of libvirt's own filters; give this one another name, and include that one by `filter`."
        yield "", f"{name} {sentence}"
    if spec.get("priority") == 0 and spec.get("chain", "root") != "root":
        yield (
            "/priority",
            "libvirt takes 0 for the default of the chain's protocol; write another number, or remove it.",
        )
    for index, rule in enumerate(spec.get("rules", ())):
        at = f"/rules/{index}"
        if rule.get("filter") == name:
            yield f"{at}/filter", "A filter can't include itself; name another one."
        protocol = rule.get("protocol", "")
        if protocol not in PARTS:
            continue
        packets = {"match": rule.get("match", {}), "noMatch": rule.get("noMatch", {})}
        for field, packet in packets.items():
            for part in sorted(packet.keys() - PARTS[protocol]):
                yield (
                    f"{at}/{field}/{part}",
                    f"{_NO_PART.format(protocol, part)} remove it, or choose another protocol.",
                )
        inside = str({**packets["noMatch"], **packets["match"]}.get("protocol", ""))
        ports = sorted(part for part in {**packets["match"], **packets["noMatch"]} if part in _PORTS)
        if protocol in ("ip", "ipv6") and ports and inside.lower() not in _WITH_PORTS and not inside.startswith("$"):
            yield at, f"`{ports[0]}` needs to know which ports: add `protocol: tcp`, udp, dccp or sctp to `match`."
        for part in sorted(packets["match"].keys() & packets["noMatch"].keys()):
            yield f"{at}/noMatch/{part}", f"`{part}` is in `match` too, and libvirt keeps one of them; remove one."
