"""A NetworkFilter in libvirt's XML: its binds, and what a new one starts with.

libvirt writes a rule as one to three elements of its protocol: what a packet has, what it doesn't have, and what holds
for both. Its rules are compared as a whole and in order, for that is what they mean.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any, Final

from lxml import etree

from specs.binding import Bind, Element
from specs.carried import carried
from specs.declared_binds import binder, complete
from specs.host import Host
from specs.networkfilter.fields import SPEC
from specs.networkfilter.matching_fields import MATCH, PARTS
from specs.networkfilter.normal import PRIORITY, normal
from specs.plain import NewSpec

if TYPE_CHECKING:
    from specs.networkfilter.spec import LoweredNetworkFilter, NetworkFilterSpec

bind = binder(SPEC)

_ENTRIES: Final = ("rule", "filterref")
_STATELESS: Final = frozenset({"false", "0"})
_NEGATED: Final = "no"
_NUMBERS: Final = frozenset(name for name, each in MATCH.fields.items() if "integer" in each.keywords["type"])


def lower(declared: NetworkFilterSpec, *, name: str, uid: str, host: Host) -> LoweredNetworkFilter:  # noqa: ARG001  (every kind's signature)
    """As it is written."""
    lowered: LoweredNetworkFilter = carried(SPEC, declared)
    return lowered


def skeleton(lowered: LoweredNetworkFilter, *, name: str, uid: str, host: Host) -> Element:  # noqa: ARG001  (every kind's signature)
    """A new filter, without a rule."""
    root = etree.Element("filter", {"name": name, "chain": "root"})  # a priority without a chain is passed over
    etree.SubElement(root, "uuid").text = uid
    return root


def _rules(root: Element) -> list[NewSpec]:
    return [_included(each) if each.tag == "filterref" else _rule(each) for each in _entries(root)]


def _entries(root: Element) -> Iterator[Element]:
    return root.iterchildren(*_ENTRIES)


def _included(element: Element) -> NewSpec:
    found: NewSpec = {"filter": element.get("filter") or ""}
    if parameters := [
        {"name": each.get("name") or "", "value": each.get("value") or ""} for each in element.iterfind("parameter")
    ]:
        found["parameters"] = parameters
    return found


def _rule(element: Element) -> NewSpec:
    found: NewSpec = {"action": element.get("action") or "", "direction": element.get("direction") or ""}
    if (priority := int(element.get("priority") or PRIORITY)) != PRIORITY:
        found["priority"] = priority
    if element.get("statematch") in _STATELESS:
        found["stateMatch"] = False
    for packet in element.iterchildren(*PARTS):
        found["protocol"] = str(packet.tag)
        parts = dict(_part(str(key), str(value)) for key, value in packet.attrib.items() if key != "match")
        if parts:
            found.setdefault("noMatch" if packet.get("match") == _NEGATED else "match", {}).update(parts)
    return found


def _put_rules(root: Element, rules: Sequence[Mapping[str, Any]]) -> None:
    for each in list(_entries(root)):
        root.remove(each)
    for rule in rules:
        root.append(_including(rule) if "filter" in rule else _ruling(rule))


def _including(rule: Mapping[str, Any]) -> Element:
    element = etree.Element("filterref", {"filter": rule["filter"]})
    for each in rule.get("parameters", ()):
        etree.SubElement(element, "parameter", {"name": each["name"], "value": each["value"]})
    return element


def _ruling(rule: Mapping[str, Any]) -> Element:
    element = etree.Element("rule", {"action": rule["action"], "direction": rule["direction"]})
    element.set("priority", str(rule.get("priority", PRIORITY)))
    if not rule.get("stateMatch", True):
        element.set("statematch", "false")
    protocol, match, negated = rule.get("protocol"), rule.get("match", {}), rule.get("noMatch", {})
    if protocol and (match or not negated):
        etree.SubElement(element, protocol, _texts(match))
    if protocol and negated:
        etree.SubElement(element, protocol, {"match": _NEGATED, **_texts(negated)})
    return element


def _texts(parts: Mapping[str, Any]) -> dict[str, str]:
    """libvirt joins the words of some names by hyphens: root-priority."""
    return {re.sub("[A-Z]", lambda found: f"-{found[0].lower()}", key): str(value) for key, value in parts.items()}


def _part(attribute: str, value: str) -> tuple[str, Any]:
    field = re.sub("-([a-z])", lambda found: found[1].upper(), attribute)
    return field, int(value) if field in _NUMBERS and value.isdecimal() else value


def _same_rules(declared: Sequence[Mapping[str, Any]], observed: Sequence[Mapping[str, Any]] | None) -> bool:
    return [normal(each) for each in declared] == [normal(each) for each in observed or ()]


BINDS: tuple[Bind, ...] = complete(SPEC, (bind("rules", get=_rules, put=_put_rules, same=_same_rules),))
