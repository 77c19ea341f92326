"""What of a definition its document's fields don't say, as libvirt's XML: the overlay of an exported document."""

from __future__ import annotations

from lxml import etree

from specs.binding import Element, child_at
from specs.facts import children, means_same, own, pairs, table_for
from specs.overlay.tables import Table


def remainder(original: Element, rendered: Element, *, whole_devices: bool = False) -> Element | None:
    """The fragment that makes of what was rendered what there was. None where nothing misses.

    With `whole_devices` a device of which anything misses is in it with all that it says: then it is there before
    fields are written, and these find what they mean in whatever words it has.
    """
    return _missing(table_for(original), original, rendered, "", whole_devices)


def whole(element: Element) -> Element:
    """A copy of all that an element says; without what libvirt makes up for each run."""
    made = _empty(element)
    for key, value in own(element):
        _say(element, made, key, value)
    made.extend(whole(each) for each in children(element))
    return made


def _missing(table: Table, original: Element, rendered: Element, path: str, whole_devices: bool) -> Element | None:
    made = _empty(original)
    there = {each.name: each for each in own(rendered)}
    for said in own(original):
        found = there.get(said.name)
        if (found is None or not means_same(table, path, original, said, rendered, found)) and any(said):
            _say(original, made, *said)
    lists: set[str] = set()
    for pair in pairs(table, original, rendered, path):
        if pair.one is None or pair.path in table.never:
            continue
        part = None if pair.other is None else _missing(table, pair.one, pair.other, pair.path, whole_devices)
        if table.at(pair.path).ordered:
            if pair.other is None or part is not None:
                lists.add(str(pair.one.tag))
        elif pair.other is None or (part is not None and whole_devices and path == "devices"):
            made.append(whole(pair.one))
        elif part is not None:
            for place in pair.key:
                _copy(pair.one, part, place)
            made.append(part)
    made.extend(whole(each) for each in children(original) if each.tag in lists)
    return made if len(made) or made.attrib or made.text else None


def _empty(element: Element) -> Element:
    return etree.Element(element.tag, nsmap=dict(element.nsmap))  # type: ignore[arg-type]  # stubs know no default one


def _say(original: Element, made: Element, key: str, value: str) -> None:
    if key:
        made.set(key[1:], value)
    elif value:
        made.text = value
    if (unit := original.get("unit")) is not None:
        made.set("unit", unit)


def _copy(original: Element, made: Element, path: str) -> None:
    """Have the fragment say what tells its element apart."""
    where, at, attribute = path.rpartition("@")
    where = where.rstrip("/") if at else path
    found = original.find(where or ".")
    if found is None:
        return
    holder = child_at(made, where) if where not in ("", ".") else made
    if at:
        holder.set(attribute, found.get(attribute, ""))
    elif (found.text or "").strip():
        holder.text = found.text
    else:
        holder.attrib.update(found.attrib)


def overlay_text(fragment: Element) -> str:
    """A fragment as a document has it."""
    etree.indent(fragment, space="  ")
    return etree.tostring(fragment, encoding="unicode").rstrip("\n") + "\n"
