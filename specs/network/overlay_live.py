"""What a running network is told of the XML in its document: entries of its DNS server, and groups of ports."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Final, Literal

from lxml import etree

from specs.effect import Change, Effect
from specs.overlay.fragment import parsed
from specs.overlay.pairing import located, path_of
from specs.overlay.tables import Table
from specs.overlay.writing import PREFIX

Element = etree._Element

# libvirt's word for the entries at a path.
_SECTIONS: Final[Mapping[str, str]] = {
    "dns/host": "dns-host",
    "dns/srv": "dns-srv",
    "dns/txt": "dns-txt",
    "portgroup": "portgroup",
}
PLUGGED: Final[Mapping[str, Callable[[Element], bool]]] = dict.fromkeys(_SECTIONS, lambda _entry: True)


def sections(
    table: Table, text: str | None, live_root: Element, changes: Iterable[Change]
) -> Iterator[tuple[Literal["add", "delete"], str, str]]:
    """(command, section, entry) of what makes live changes true."""
    for change in changes:
        pointer = change.pointer.removeprefix(PREFIX)
        section = _SECTIONS.get(path_of(pointer))
        if change.effect is not Effect.LIVE or section is None or not change.pointer.startswith(PREFIX):
            continue
        if change.new is None:
            yield from (("delete", section, _text(entry)) for entry, _ in located(table, live_root, pointer))
        elif text:
            yield from (("add", section, _text(entry)) for entry, _ in located(table, parsed(text), pointer))


def _text(entry: Element) -> str:
    return etree.tostring(entry, encoding="unicode", with_tail=False)
