"""What a secret is called: libvirt has a UUID and what it is for, and no name.

The name of a document is what its secret is for, wherever that can be a name. Where it can't, or is something else, the
end of its description has the name.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from typing import Final, TypeVar

from specs.binding import Element
from specs.name import name_problem

_IDS: Final = {"volume": "usage/volume", "ceph": "usage/name", "iscsi": "usage/target"}
_OTHERS: Final = "usage/name"
_NAMED = re.compile(r"(?P<text>.*?) ?\[onggi: (?P<name>[^\]]+)\]$", re.DOTALL)
OF_POOLS: Final = "onggi-"  # what the secrets of pools' `passwordFrom` are for: no documents of their own

S = TypeVar("S")


def id_path(usage: str) -> str:
    """Where what it is for is, by the type of that."""
    return _IDS.get(usage, _OTHERS)


def usage_of(root: Element) -> tuple[str, str]:
    """The type and the id of what it is for; empty where it is for nothing."""
    usage = root.find("usage")
    kind = (usage.get("type") or "none") if usage is not None else "none"
    return ("", "") if kind == "none" else (kind, root.findtext(id_path(kind)) or "")


def described(text: str, name: str, known_by: Iterable[str]) -> str:
    """A description that tells the name, where that isn't one of what the secret is known by anyway."""
    return text if name in known_by else f"{text} [onggi: {name}]".strip()


def split(description: str) -> tuple[str, str]:
    """A description as its document has it, and the name that it tells, if it tells one."""
    found = _NAMED.fullmatch(description)
    return (description, "") if found is None else (found["text"], found["name"])


def named(secrets: Iterable[tuple[Element, S]]) -> Iterator[tuple[str, S]]:
    """Each secret with its name, but for those of pools. No two have one name: the later one is called by its UUID."""
    found: list[tuple[int, str, str, str, S]] = []
    for root, each in secrets:
        usage, identifier = usage_of(root)
        if usage == "iscsi" and identifier.startswith(OF_POOLS):
            continue
        _, told = split(root.findtext("description") or "")
        name = told or ("" if name_problem(identifier) else identifier)
        found.append((0 if told else 1 if name else 2, usage, root.findtext("uuid") or "", name, each))
    taken: set[str] = set()
    for _, _, uid, name, each in sorted(found, key=lambda item: item[:3]):
        called = name if name and name not in taken else uid
        taken.add(called)
        yield called, each
