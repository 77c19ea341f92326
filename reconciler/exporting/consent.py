"""What of an overlay a host lets documents say: the rest of it is left out of an export, and told with the remedy.

What can't stay goes with the whole device, or the whole element of the definition, that it is in: half of one would be
something else.
"""

from __future__ import annotations

import copy
from collections.abc import Iterator

from lxml import etree

from specs.binding import Element
from specs.facts import name_of
from specs.host import Host
from specs.overlay.reaching import refused


def without_refused(kind: str, fragment: Element, host: Host) -> tuple[str, ...]:
    """Take out of a fragment, in place, what this host doesn't let a document say; half-sentences on that."""
    if host.reach is None:
        return ()
    told: dict[str, None] = {}
    for part in list(_parts(fragment)):
        found = refused(kind, _alone(fragment, part), host.reach.xml_areas, host.allowed_folders)
        holder = part.getparent()
        if found and holder is not None:
            areas = " and ".join(dict.fromkeys(each.area for each in found))
            told[f"{name_of(part)}: a document may only say so where allow-xml names {areas}"] = None
            holder.remove(part)
            if len(holder) == 0 and holder is not fragment:
                fragment.remove(holder)
    return tuple(told)


def _parts(fragment: Element) -> Iterator[Element]:
    for each in fragment:
        yield from each if each.tag == "devices" else (each,)


def _alone(fragment: Element, part: Element) -> str:
    """A fragment with nothing but one part."""
    root = etree.Element(fragment.tag)
    holder = root if part.getparent() is fragment else etree.SubElement(root, "devices")
    holder.append(copy.deepcopy(part))
    return etree.tostring(root, encoding="unicode")
