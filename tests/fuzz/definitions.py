"""Definitions that no libvirt would write: each is read and exported, or refused as no XML; nothing else happens.

A round takes a definition that people have, and does to its elements, attributes and texts what a broken tool, another
version or a liar might. A seed says which, and how.
"""

from __future__ import annotations

import logging
import random
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from lxml import etree

from reconciler.bulkhead import INTERNAL_ERROR
from reconciler.exporting.export import export
from reconciler.observed.snapshot import Observed, Snapshot
from specs.binding import Element, parse, read
from specs.host import Host
from specs.mark import read_mark
from specs.reference import NETWORK, STORAGE_POOL, VIRTUAL_MACHINE, Ref
from specs.registry import kinds

_CORPUS: Final = Path(__file__).parents[1] / "corpus"
_KINDS: Final = {"domain": VIRTUAL_MACHINE, "network": NETWORK, "pool": STORAGE_POOL}
_ODD: Final = (
    "", " ", "0", "-1", "1e9", "9" * 40, "0x", "yes", "none", "é", "\u202e", "a" * 3000, "/", "..", "//h//s", "1.5",
    "::1", "10.0.0.1/99", "52:54:00", "http://[", "file:///etc/passwd", "vda", "virtio", "qcow2", "\n", "&amp;lt;",
    "a,b", "hd",
)  # fmt: skip


@dataclass
class Came:
    """What came of the rounds so far."""

    read: int = 0
    refused: int = 0
    mistakes: list[str] = field(default_factory=list)


class Definitions:
    """The definitions to begin with."""

    def __init__(self) -> None:
        self._texts = sorted(
            (kind, path.name, path.read_bytes())
            for word, kind in _KINDS.items()
            for path in _CORPUS.glob(f"{word}/*.xml")
        )
        assert self._texts, "there is a corpus"

    def run(self, seed: int, found: Came) -> None:
        """One round: adds to `found` what came of it."""
        chance = random.Random(seed)
        kind, name, text = chance.choice(self._texts)
        xml = _changed(text, chance)
        try:
            root = parse(xml)
        except (etree.XMLSyntaxError, ValueError):
            found.refused += 1
            return
        collected = _Collected()
        log = logging.getLogger("onggi")
        log.addHandler(collected)
        try:
            read(kinds()[kind].xml.BINDS, root)
            read_mark(root)
            seen = Observed(Ref(kind, "odd"), "11111111-2222-3333-4444-555555555555", xml, xml, "running")
            export(Snapshot(1, Host(), {seen.ref: seen}), "")
            found.read += 1
        except Exception as error:
            found.mistakes.append(f"seed {seed}, {name}: {type(error).__name__}: {error}")
        finally:
            log.removeHandler(collected)
        found.mistakes += [f"seed {seed}, {name}: {each}" for each in collected.told]


class _Collected(logging.Handler):
    """What was contained is a mistake all the same."""

    def __init__(self) -> None:
        super().__init__()
        self.told: list[str] = []

    def emit(self, record: logging.LogRecord) -> None:
        if record.exc_info:
            self.told.append(f"{INTERNAL_ERROR}: {record.exc_info[1]!r}")


def _changed(text: bytes, chance: random.Random) -> str:
    if chance.random() < 0.1:
        return _torn(text, chance)
    root = etree.fromstring(text)
    for _ in range(chance.randint(1, 4)):
        _change(root, chance)
    return etree.tostring(root, encoding="unicode")


def _torn(text: bytes, chance: random.Random) -> str:
    at, length = chance.randrange(len(text)), chance.randint(1, 40)
    return (text[:at] + chance.randbytes(chance.randint(0, 8)) + text[at + length :]).decode(errors="replace")


def _change(root: Element, chance: random.Random) -> None:
    element = chance.choice(list(_elements(root)))
    above = element.getparent()
    match chance.randrange(8):
        case 0 if above is not None:
            above.remove(element)
        case 1 if above is not None:
            above.append(etree.fromstring(etree.tostring(element)))
        case 2 if element.attrib:
            del element.attrib[chance.choice(list(element.attrib))]
        case 3 if element.attrib:
            element.set(chance.choice(list(element.attrib)), _odd(chance))
        case 4:
            element.text = _odd(chance)
        case 5:
            element.tag = chance.choice(list(_elements(root))).tag
        case 6:
            chance.choice(list(_elements(root))).append(etree.fromstring(etree.tostring(element)))
        case _:
            element.set(chance.choice(("type", "name", "dev", "file", "unit", "mode", "bus", "address")), _odd(chance))


def _odd(chance: random.Random) -> str:
    return chance.choice(_ODD)


def _elements(root: Element) -> Iterator[Element]:
    return (each for each in root.iter() if isinstance(each.tag, str))
