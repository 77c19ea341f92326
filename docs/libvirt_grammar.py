"""What libvirt's own grammar knows: every element and attribute of a kind's definitions, from the RELAX NG files that
libvirt's packages bring.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Final

from lxml import etree

SCHEMAS: Final = Path("/usr/share/libvirt/schemas")
_RNG: Final = "{http://relaxng.org/ns/structure/1.0}"


def places(file: str, folder: Path = SCHEMAS) -> frozenset[str]:
    """The paths of all elements (`domain/os`) and attributes (`domain/os/@firmware`) that the grammar in a file knows.
    What contains itself, such as a backing store, is gone into once. Raises OSError where the file isn't there.
    """
    return frozenset(_Grammar(folder).of(file))


class _Grammar:
    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._defined: dict[str, list[etree._Element]] = {}
        self._starts: list[etree._Element] = []
        self._read: set[str] = set()

    def of(self, file: str) -> Iterator[str]:
        self._load(file)
        for start in self._starts:
            yield from self._below(start, "", ())

    def _load(self, file: str) -> None:
        if file in self._read:
            return
        self._read.add(file)
        root = etree.parse(self._folder / file, etree.XMLParser(resolve_entities=False, no_network=True)).getroot()
        for other in root.iter(f"{_RNG}include", f"{_RNG}externalRef"):
            self._load(str(other.get("href")))
        for define in root.iter(f"{_RNG}define"):
            self._defined.setdefault(str(define.get("name")), []).append(define)
        self._starts.extend(root.iter(f"{_RNG}start"))

    def _below(self, node: etree._Element, path: str, inside: tuple[str, ...]) -> Iterator[str]:
        for child in node.iterchildren(f"{_RNG}*"):
            what = etree.QName(child).localname
            if what == "ref":
                name = str(child.get("name"))
                if name not in inside:
                    for define in self._defined.get(name, ()):
                        yield from self._below(define, path, (*inside, name))
            elif what == "element":
                for name in _names(child):
                    place = f"{path}/{name}".lstrip("/")
                    yield place
                    yield from self._below(child, place, inside)
            elif what == "attribute":
                yield from (f"{path}/@{name}" for name in _names(child))
            else:
                yield from self._below(child, path, inside)


def _names(node: etree._Element) -> list[str]:
    """The names of an element or attribute; `*` where it may have any."""
    name = node.get("name")
    if name is not None:
        return [name.rpartition(":")[2]]
    for child in node.iterchildren(f"{_RNG}*"):
        match etree.QName(child).localname:
            case "name":
                return [str(child.text)]
            case "choice" if named := child.findall(f"{_RNG}name"):
                return [str(each.text) for each in named]
            case "anyName" | "nsName":
                return ["*"]
    return ["*"]
