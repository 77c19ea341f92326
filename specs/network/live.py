"""What of a declared network its running instance takes at once: DHCP ranges and hosts, names that DNS answers, and
groups of ports, as edits for libvirt's virNetworkUpdate.

Pure: it compares a lowered spec with the live XML. Everything else waits for a restart of the network, and so does DHCP
while the network still runs with another subnet.
"""

from __future__ import annotations

import copy
from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from lxml import etree

from specs.binding import Element, Items, read, value_at, write_item
from specs.network.addresses import DHCP_HOSTS, DHCP_RANGES, ranges
from specs.network.dns import DNS_HOSTS
from specs.network.model import OWN_BRIDGE_MODES
from specs.network.xml import BINDS

if TYPE_CHECKING:
    from specs.network.spec import LoweredDhcp, LoweredNetwork

Command = Literal["add", "modify", "delete"]
Section = Literal["ip-dhcp-host", "ip-dhcp-range", "dns-host", "dns-srv", "dns-txt", "portgroup"]

_LISTS = {each.name: each for each in BINDS if isinstance(each, Items)}


@dataclass(frozen=True, slots=True)
class SectionEdit:
    """One edit of a running network; `xml` is the element that is added or deleted."""

    command: Command
    section: Section
    xml: str


def live_sections(
    lowered: LoweredNetwork, live_root: Element, managed: frozenset[str] = frozenset()
) -> list[SectionEdit]:
    """The edits that make the running network agree with `lowered` as far as it can; none where it already does.
    `managed` are the items of an earlier revision, which go when they aren't declared any more.

    An item that differs is deleted and added anew: libvirt finds one to modify by any of its keys, so that two hosts
    that exchange a name would hit each other.
    """
    live = read(BINDS, live_root)
    if (
        live["mode"] != lowered.get("mode", live["mode"])
        and not {live["mode"], lowered.get("mode")} <= OWN_BRIDGE_MODES
    ):
        return []
    edits: list[SectionEdit] = []
    edits += _item_edits(_LISTS["portgroups"], "portgroup", lowered, live_root, managed)
    if live["mode"] not in OWN_BRIDGE_MODES:
        return edits
    if lowered.get("subnet", live.get("subnet")) == live.get("subnet"):
        edits += _range_edits(lowered.get("dhcp", {}), ranges(live_root))
        edits += _item_edits(DHCP_RANGES, "ip-dhcp-range", lowered, live_root, managed)
        edits += _item_edits(DHCP_HOSTS, "ip-dhcp-host", lowered, live_root, managed)
    if live["dns"]["enabled"]:
        edits += _item_edits(DNS_HOSTS, "dns-host", lowered, live_root, managed)
        edits += _item_edits(_LISTS["dns/srv"], "dns-srv", lowered, live_root, managed)
        edits += _item_edits(_LISTS["dns/txt"], "dns-txt", lowered, live_root, managed)
    return edits


def _range_edits(dhcp: LoweredDhcp, present: list[tuple[str, str]]) -> Iterator[SectionEdit]:
    first = present[0] if present else (None, None)
    start, end = dhcp.get("start", first[0]), dhcp.get("end", first[1])
    if start is None or end is None or (start, end) == first:
        return
    wanted = (start, end)
    # The new one comes first, so that DHCP never pauses; libvirt appends, so the others follow it to the end.
    if wanted not in present:
        yield _range("add", *wanted)
    for old in present[:1]:
        yield _range("delete", *old)
    for other in present[1:]:
        if other != wanted:
            yield _range("delete", *other)
            yield _range("add", *other)


def _range(command: Command, start: str, end: str) -> SectionEdit:
    return SectionEdit(command, "ip-dhcp-range", _text(etree.Element("range", {"start": start, "end": end})))


def _item_edits(
    bind: Items, section: Section, lowered: LoweredNetwork, live_root: Element, managed: frozenset[str]
) -> Iterator[SectionEdit]:
    said = value_at(lowered, bind.name)
    if said is None and not any(pointer.startswith(f"/{bind.name}/") for pointer in managed):
        return
    wanted = said or []
    elements = list(bind.elements(live_root))
    observed = bind.read(live_root)
    indexes = bind.matches(wanted, observed)
    kept = set()
    added = []
    for item, index in zip(wanted, indexes, strict=True):
        if index is None:
            added.append(bind.build(item))
            continue
        changed = copy.deepcopy(elements[index])
        write_item(bind, changed, item)
        if _text(changed) == _text(elements[index]):
            kept.add(index)
        else:
            added.append(changed)
    # Room first: an address or a name may move from one item to another.
    for index, element in enumerate(elements):
        stays = index not in indexes and bind.removal(observed[index], managed, listed=said is not None) is None
        if index not in kept and not stays:
            yield SectionEdit("delete", section, _text(_key(element)))
    for element in added:
        yield SectionEdit("add", section, _text(element))


def _key(element: Element) -> Element:
    """An element by which libvirt finds exactly this item: all attributes, and no host name, which others may share."""
    return etree.Element(element.tag, {str(key): str(value) for key, value in element.attrib.items()})


def _text(element: Element) -> str:
    return etree.tostring(element, encoding="unicode", with_tail=False)
