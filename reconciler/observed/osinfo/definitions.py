"""osinfo's definitions of operating systems, as far as onggi needs them: names, and how their media are recognised.

Pure: takes the bytes of definition files. Where those are, and when they are read, is for `database`.
"""

from __future__ import annotations

import re
import warnings
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Final

from lxml import etree

from reconciler.observed.osinfo.iso_header import IsoHeader

UNKNOWN: Final = "unknown"
ANY_ARCH: Final = "all"

_LANG: Final = "{http://www.w3.org/XML/1998/namespace}lang"
_TEXTS: Final = ("volume-id", "system-id", "publisher-id", "application-id")


@dataclass(frozen=True, slots=True)
class Medium:
    """One installation or live image. `patterns` are in the order of an image's volume, system, publisher and
    application id; None where any will do. `volume_size` is in bytes, 0 for any.
    """

    arch: str
    patterns: tuple[re.Pattern[str] | None, ...]
    volume_size: int
    url: str
    variants: tuple[str, ...]
    live: bool
    installer: bool

    def matches(self, header: IsoHeader) -> bool:
        """True when this is the image with that header. A medium that says nothing of its ids matches none."""
        if not any(self.patterns) or self.volume_size not in (0, header.volume_size):
            return False
        texts = (header.volume_id, header.system_id, header.publisher_id, header.application_id)
        pairs = zip(self.patterns, texts, strict=True)
        return all(pattern is None or (text and pattern.search(text)) for pattern, text in pairs)

    @property
    def exactness(self) -> tuple[int, int]:
        """Which of several matching media says the most about its image."""
        given = [pattern.pattern for pattern in self.patterns if pattern is not None]
        return len(given) + bool(self.volume_size), sum(map(len, given))


@dataclass(slots=True)
class System:
    """One operating system. `variants` are names by id, such as a workstation's."""

    id: str
    short_id: str = ""
    name: str = ""
    distro: str = UNKNOWN
    version: str = UNKNOWN
    variants: dict[str, str] = field(default_factory=dict)
    media: list[Medium] = field(default_factory=list)

    def name_of(self, medium: Medium) -> str:
        """The name of the variant where the medium has exactly one, the system's own otherwise."""
        if len(medium.variants) == 1:
            return self.variants.get(medium.variants[0], self.name)
        return self.name


def read_definitions(xml: bytes, into: dict[str, System]) -> None:
    """Add the systems of one definition file; a system that is there already is extended.

    Raises lxml's XMLSyntaxError.
    """
    # A parser of its own for each file: they aren't for sharing between threads.
    parser = etree.XMLParser(
        resolve_entities=False, no_network=True, load_dtd=False, huge_tree=False, remove_comments=True, remove_pis=True
    )
    root = etree.fromstring(xml, parser)
    for element in root.iterfind("os"):
        name = element.get("id")
        if name:
            _extend(into.setdefault(name, System(name)), element)


def _extend(system: System, element: etree._Element) -> None:
    system.short_id = _text(element, "short-id") or system.short_id
    system.name = _text(element, "name") or system.name or system.short_id
    system.distro = _text(element, "distro") or system.distro
    # A distribution that only ever rolls on has no version, but a status that says so.
    rolling = "rolling" if _text(element, "release-status") == "rolling" else ""
    system.version = _text(element, "version") or rolling or system.version
    for variant in element.iterfind("variant"):
        system.variants[variant.get("id", "")] = _text(variant, "name") or system.name
    system.media.extend(filter(None, map(_medium, element.iterfind("media"))))


def _medium(element: etree._Element) -> Medium | None:
    iso = element.find("iso")
    texts = ["" if iso is None else _text(iso, name) for name in _TEXTS]
    size = "" if iso is None else _text(iso, "volume-size")
    try:
        patterns = tuple(_compiled(text) if text else None for text in texts)
    except re.error:
        return None  # a medium that can't be recognised hides no other
    return Medium(
        arch=element.get("arch", ANY_ARCH),
        patterns=patterns,
        volume_size=int(size) if size.isascii() and size.isdigit() else 0,
        url=_text(element, "url"),
        variants=tuple(filter(None, (variant.get("id") for variant in element.iterfind("variant")))),
        live=_is_true(element.get("live"), default=False),
        installer=_is_true(element.get("installer"), default=True),
    )


@lru_cache(maxsize=8192)  # many media share a system id or a publisher
def _compiled(text: str) -> re.Pattern[str]:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # other regular expressions' dialects read as ours with a warning at most
        return re.compile(text)


def _text(element: etree._Element, name: str) -> str:
    """The text of the child that isn't a translation; empty when there is none."""
    for child in element.iterfind(name):
        if child.get(_LANG) is None:
            return (child.text or "").strip()
    return ""


def _is_true(value: str | None, *, default: bool) -> bool:
    return default if value is None else value in ("true", "yes")


def best_match(systems: Iterable[System], header: IsoHeader) -> tuple[System, Medium] | None:
    """The system and the medium that a header belongs to; of several the one that says the most about its image."""
    found = [(system, medium) for system in systems for medium in system.media if medium.matches(header)]
    return max(found, key=lambda pair: pair[1].exactness, default=None)


def read_all(files: Mapping[str, bytes]) -> tuple[dict[str, System], list[str]]:
    """Every system of all `files`, by id, and the names of the files that couldn't be parsed."""
    systems: dict[str, System] = {}
    broken = []
    for name, xml in files.items():
        try:
            read_definitions(xml, systems)
        except etree.XMLSyntaxError:
            broken.append(name)
    return systems, broken
