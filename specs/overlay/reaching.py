"""What of a fragment reaches beyond its own object: for that a host's administrator has to have said yes.

A committer is no root (docs/git.md), and libvirt would do for them as root whatever its XML says. So nothing passes for
being unknown: what no kind's table calls harmless needs consent, and so does a value that could be a path anywhere.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from functools import lru_cache
from typing import NamedTuple

from lxml import etree

from specs import canonical
from specs.overlay.fragment import parsed
from specs.overlay.pairing import attributes, children, text_of
from specs.overlay.tables import Table, table_of
from specs.reach import is_below

Element = etree._Element

_LIKE_A_PATH = ("/", "./", "../", "~", "unix:", "file:", "tcp:", "udp:", "fd:", "exec:")


class Beyond(NamedTuple):
    """A place in a fragment, what is said there, and the area that it reaches into."""

    place: str
    value: str
    area: str


def refusal(kind: str, text: str, allowed: frozenset[str], folders: Iterable[str]) -> str:
    """Why a fragment can't be had where only these areas and folders are allowed; empty where it can."""
    found = refused(kind, text, allowed, folders)
    if not found:
        return ""
    places = ", ".join(dict.fromkeys(each.place for each in found[:5])) + (" and more" if len(found) > 5 else "")
    areas = " and ".join(dict.fromkeys(each.area for each in found))
    return (
        f"xml: {places} may reach beyond this object, to what of the host only its administrator may give; remove it, "
        f"or allow it by allow-xml ({areas}) in onggi's settings"
    )


def refused(kind: str, text: str, allowed: frozenset[str], folders: Iterable[str]) -> list[Beyond]:
    """What of a fragment can't be had there."""
    return [each for each in beyond(kind, text) if each.area not in allowed and not _may_be_named(each, folders)]


def _may_be_named(each: Beyond, folders: Iterable[str]) -> bool:
    """A path in a folder that any document may name. What a disk lies in has an owner, and is a field's to say."""
    return (
        each.area in ("files", "sockets")
        and not each.place.startswith("devices/disk")
        and any(is_below(canonical.path(each.value), folder) for folder in folders)
    )


@lru_cache(maxsize=1024)
def beyond(kind: str, text: str) -> tuple[Beyond, ...]:
    """All of a fragment that needs consent, and for what."""
    return tuple(dict.fromkeys(_beyond(table_of(kind), parsed(text), "")))


def _beyond(table: Table, element: Element, path: str) -> Iterator[Beyond]:
    if path in table.unread:
        return
    if path and ":" in path.rpartition("/")[2]:
        yield Beyond(path, text_of(element), "hypervisor")
        return
    said = attributes(element)
    for name, value in said:
        where = f"{path}/@{name}" if path else f"@{name}"
        if area := _area(table, where, value):
            yield Beyond(where, value, area)
    text, below = text_of(element), children(element)
    if (text or not (said or below)) and path and (area := _area(table, path, text)):
        yield Beyond(path, text, area)
    for child in below:
        tag = table.tag(child.tag)
        yield from _beyond(table, child, f"{path}/{tag}" if path else tag)


def _area(table: Table, path: str, value: str) -> str:
    """The area that a statement needs consent for; empty for none."""
    known = _known(table.reaching, path)
    if known is not None:
        area, harmless = known
        return "" if value in harmless and not _is_like_a_path(value) else area
    if _is_like_a_path(value):
        return "files"
    if any(path == place or path.startswith(f"{place}/") for place in table.harmless):
        return ""
    holds_some = any(place.startswith(f"{path}/") for place in (*table.harmless, *table.reaching))
    return "" if holds_some and not value else "other"


def _known(reaching: Mapping[str, tuple[str, frozenset[str]]], path: str) -> tuple[str, frozenset[str]] | None:
    """What is known of a place: of itself, or of the nearest that it is in."""
    while path:
        if path in reaching:
            return reaching[path]
        path = path.rpartition("/")[0]
    return None


def _is_like_a_path(value: str) -> bool:
    text = value.strip().lower()
    return text.startswith(_LIKE_A_PATH) or "://" in text or "/../" in text or "\\" in text
