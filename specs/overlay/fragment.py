"""From the text in a document to a fragment, and what is wrong with one: told by the line in that text.

A fragment is as foreign as any document: no entities, no DTD, no instructions, and of a size that can be worked with.
"""

from __future__ import annotations

from collections.abc import Iterator
from functools import lru_cache
from typing import Final, cast

from lxml import etree

from specs.mark import NAMESPACE
from specs.overlay.tables import Table
from specs.safe_xml import parse

Element = etree._Element
Mistake = tuple[int, str]  # the line in the text, from 1; a sentence

MOST_CHARACTERS: Final = 1 << 16
_MOST_ELEMENTS = 2000
_DEEPEST = 40
_SECRET = frozenset({"passwd", "password", "passphrase"})


@lru_cache(maxsize=1024)
def parsed(text: str) -> Element:
    """The fragment of a text that `mistakes` finds nothing wrong with. Nobody may change it."""
    return parse(text)


def _is_element(node: object) -> bool:
    return isinstance(getattr(node, "tag", None), str)


def line_of(element: Element) -> int:
    """The line of a fragment's text on which an element begins."""
    return cast("int | None", element.sourceline) or 1


def mistakes(table: Table, text: str) -> list[Mistake]:
    """All that is wrong with a text by itself, and as a fragment of a kind."""
    if len(text) > MOST_CHARACTERS:
        return [(1, f"This XML has more than {MOST_CHARACTERS} characters; say less of it, or in fields.")]
    if text.lstrip().startswith("<?xml"):
        return [(1, "The XML begins with a declaration, which only a whole file has; remove `<?xml …?>`.")]
    try:
        root = parse(text)
    except etree.XMLSyntaxError as error:
        line = max(1, error.lineno or 1)
        why = str(error.msg or "it isn't well-formed").partition(", line ")[0]
        return [(line, f"This isn't XML: {why}; correct it.")]
    if root.tag != table.root:
        return [(1, f"The XML of a {table.kind} is a `<{table.root}>`, and this is a `<{root.tag}>`; correct it.")]
    return list(_found(table, root))


def _found(table: Table, root: Element) -> Iterator[Mistake]:
    yield from _never(table, root)
    count = 0
    for each in root.iter():
        line = line_of(each)
        if isinstance(each, etree._ProcessingInstruction):
            yield line, "A processing instruction (`<?…?>`) means nothing to libvirt; remove it."
        if not _is_element(each):
            continue
        count += 1
        if count > _MOST_ELEMENTS or sum(1 for _ in each.iterancestors()) > _DEEPEST:
            yield (
                line,
                f"This XML has more than {_MOST_ELEMENTS} elements, or {_DEEPEST} in each other; say less of it.",
            )
            return
        yield from _foreign(table, each, line)
        for name in map(str, each.attrib):
            if name.lower() in _SECRET:
                yield (
                    line,
                    f"A secret isn't written into a document; remove `{name}`, and name its place by a field such as "
                    "`passwordFrom`.",
                )
            elif name.startswith("{"):
                yield line, f"libvirt knows no attribute `{name}`; remove it."


def _never(table: Table, root: Element) -> Iterator[Mistake]:
    for path, why in table.never.items():
        if path.startswith("@"):
            if path[1:] in root.attrib:
                yield 1, f"`{path[1:]}` can't be in `xml`: {why}."
            continue
        for each in root.findall(path):
            yield line_of(each), f"`{path}` can't be in `xml`: {why}."


def _foreign(table: Table, each: Element, line: int) -> Iterator[Mistake]:
    """Of another namespace than libvirt's: kept in metadata only, and there not what is ours."""
    name = etree.QName(each)
    if not name.namespace:
        return
    if name.namespace == NAMESPACE:
        yield line, "What onggi keeps in an object's metadata is its own to write; remove it."
        return
    if name.namespace in table.namespaces.values():
        return
    if not any(above.tag == "metadata" for above in each.iterancestors()):
        yield (
            line,
            f"libvirt keeps nothing of the namespace {name.namespace} here; remove `{name.localname}`, or put it into "
            "`metadata`.",
        )
