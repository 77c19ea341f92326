"""What a broken document hides: the objects that came from it, which go on as they are. Pure.

A document whose kind and name can still be read is held by them; of a file that isn't YAML any more only its path is
known, and the ledger remembers what was made from it.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Final

from reconciler.desired.state import DesiredState
from reconciler.planning.ownership import Owned
from specs.problem import Problem
from specs.reference import Ref

_SHOWN: Final = 3


def hidden(desired: DesiredState, owned: Mapping[Ref, Owned]) -> dict[Ref, Sequence[Problem]]:
    """What is ours and in no document that can be read, with the problems that are to blame."""
    if not (desired.held or desired.held_paths):
        return {}
    by_file = problems_by_file(desired.problems)
    by_ref: dict[Ref, list[Problem]] = {}
    for problem in desired.problems:
        if problem.ref is not None:
            by_ref.setdefault(problem.ref, []).append(problem)
    found: dict[Ref, Sequence[Problem]] = {}
    for ref, entry in owned.items():
        if ref in desired.resources or ref in desired.held:
            continue
        if entry.parent in desired.held and entry.parent is not None:
            found[ref] = by_ref.get(entry.parent, ())
        elif (path := _held_path(entry.path, desired.held_paths)) is not None:
            found[ref] = by_file.get(path, ())
    return found


def problems_by_file(problems: Iterable[Problem]) -> dict[str, list[Problem]]:
    """The problems of which no document is known, by their files."""
    found: dict[str, list[Problem]] = {}
    for problem in sorted(problems, key=lambda each: (each.path, each.line, each.column)):
        if problem.ref is None:
            found.setdefault(problem.path, []).append(problem)
    return found


def problems_sentence(problems: Iterable[Problem]) -> str:
    """Where documents are broken and how to mend them: the first few, and how many more there are."""
    found = sorted(problems, key=lambda each: (each.path, each.line, each.column, each.message))
    if not found:
        return "its document has errors; onggi validate shows them"
    more = f"; and {len(found) - _SHOWN} more" if len(found) > _SHOWN else ""
    return "; ".join(map(str, found[:_SHOWN])) + more


def _held_path(path: str, held: Iterable[str]) -> str | None:
    """The file, or what has taken the place of a folder above it, that can't be read."""
    return next((one for one in held if path and (path == one or path.startswith(f"{one}/"))), None)
