"""What a document names on its host by a path: files, folders, sockets and devices, each of which has to be allowed.

Whatever is declared as a `HOST_PATH`, wherever in a document, is found here, so that no field can be forgotten.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Final

from specs import canonical
from specs.declared import Declared
from specs.notations import HOST_PATH
from specs.reach import is_below
from specs.system_folders import is_in_a_tree, no_medium


def host_paths(spec: Declared, said: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    """(JSON pointer, path) of every path on the host in a spec."""
    return _found(_ways(spec), said, "")


def refused(path: str, allowed: Sequence[str]) -> str:
    """The sentence for a path that no document may name; empty for one that may be named.

    A folder counts with all that is below it, what is the system's only where just that is allowed; a device is allowed
    by its own path too.
    """
    path = canonical.path(path)
    named = [canonical.path(each) for each in allowed]
    if path not in named and not any(is_below(path, folder) for folder in named):
        where = ", ".join(allowed) or "none is configured"
        return (
            f"The path {path!r} isn't in an allowed folder ({where}); choose one there, or allow its folder by "
            "allowed-folder in onggi's settings."
        )
    if path not in named and no_medium(path) and not any(is_in_a_tree(each) for each in named if is_below(path, each)):
        return f"The path {path!r} belongs to the system, and the guest would reach it; choose another."
    return ""


Ways = dict[str, "Ways | None"]  # the fields that lead to a path, and None at each one's end
_KNOWN: Final[dict[int, tuple[Declared, Ways]]] = {}  # by the identity of what is declared, which is kept beside it


def _ways(spec: Declared) -> Ways:
    known = _KNOWN.get(id(spec))
    if known is None:
        found = {name: way for name, each in spec.fields.items() if (way := _way(each)) != {}}
        known = _KNOWN[id(spec)] = (spec, found)
    return known[1]


def _way(field: Declared) -> Ways | None:
    """None for a path, else the way to those that are in it, which is empty for most."""
    whole = field.base or field
    if whole is HOST_PATH:
        return None
    return _way(whole.item) if whole.item is not None else _ways(whole)


def _found(ways: Ways, said: Any, pointer: str) -> Iterator[tuple[str, str]]:
    for name, below in ways.items():
        value = said.get(name) if isinstance(said, Mapping) else None
        place = f"{pointer}/{name}"
        several = enumerate(value) if isinstance(value, list) else ((None, value),)
        for index, each in several:
            whole = place if index is None else f"{place}/{index}"
            if below is not None:
                yield from _found(below, each, whole)
            elif isinstance(each, str):
                yield whole, each
