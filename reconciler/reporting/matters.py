"""What of a pass is told once when it begins and once when it ends: objects that are held back, files that can't be
read, a source that doesn't answer. Pure; who remembers what was told is the ledger's `notice_book`.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Final

from reconciler.ledger.notice_store import Notice
from reconciler.status.broken import problems_by_file, problems_sentence
from reconciler.status.condition import Condition
from reconciler.status.status import (
    CRASH_LOOP,
    DRIFTED,
    FLAPPING,
    OUTSIDE_WINDOW,
    READY,
    RECONCILING,
    RESTART_REQUIRED,
    STALLED,
    SUSPENDED,
)
from specs.problem import Problem
from specs.reference import Ref

SOURCE: Final = "Source"  # the kind under which events tell of the repository, whose name is its location
FILE: Final = "File"  # and of one of its files, where nobody can tell whose document it is
UNREADABLE: Final = "SourceUnreadable"
HISTORY_REWRITTEN: Final = "HistoryRewritten"

# Said by counts and times that change while it goes on: the same matter all the while.
LASTING: Final = frozenset({FLAPPING, CRASH_LOOP, UNREADABLE, HISTORY_REWRITTEN})
WAITS_FOR_OTHERS: Final = "DependencyNotReady"

# Why an object isn't ready and nothing is wrong with it, or the events of its steps tell already.
_TOLD_ELSEWHERE: Final = frozenset(
    {"Progressing", "Pruning", "Failed", "PruneFailed", "Interrupted", "HostUnreachable", OUTSIDE_WINDOW, SUSPENDED}
)
_UNDER_WAY: Final = frozenset({"Progressing", "Pruning", "Interrupted", OUTSIDE_WINDOW, SUSPENDED})
_NO_MATTER: Final = frozenset({RECONCILING, SUSPENDED})

Matters = Mapping[tuple[Ref, str], str]  # an object and a reason in CamelCase, with the sentence about it


def matters_of(ref: Ref, conditions: Iterable[Condition]) -> dict[tuple[Ref, str], str]:
    """What there is to be told of one object."""
    found: dict[tuple[Ref, str], str] = {}
    for item in conditions:
        if item.type == READY:
            told = not item.status and item.reason not in _TOLD_ELSEWHERE
        elif item.type == STALLED:  # the end of the story that Ready begins, but for what is at rest while it goes on
            told = item.reason == FLAPPING
        elif item.type == RESTART_REQUIRED:  # what waits for a boot does so by itself
            told = item.reason != "PendingChanges"
        elif item.type == DRIFTED:
            told = item.reason == "NotHealed"
        else:
            told = item.status and item.type not in _NO_MATTER
        if told:
            reason = item.reason if item.type in (READY, STALLED, RESTART_REQUIRED) else item.type
            found.setdefault((ref, reason), item.message)
    return found


def matters(found: Mapping[Ref, tuple[Condition, ...]], problems: Iterable[Problem] = ()) -> dict[tuple[Ref, str], str]:
    """All that there is to be told of objects, and of files in which nobody can tell whose document is broken."""
    told: dict[tuple[Ref, str], str] = {}
    at_rest: tuple[Condition, ...] | None = None
    for ref, conditions in found.items():
        if conditions is at_rest:
            continue  # nearly all of them, and they share one value
        of_this = matters_of(ref, conditions)
        told |= of_this
        if not of_this:
            at_rest = conditions
    for path, mistakes in problems_by_file(problems).items():
        told[Ref(FILE, path), "InvalidDocument"] = problems_sentence(mistakes)
    return told


def unread_files(notices: Iterable[Notice]) -> list[Notice]:
    """Those of `notices` that are about files in which nobody can tell whose document is broken."""
    return sorted((each for each in notices if each.ref.kind == FILE), key=lambda each: each.ref)


def is_well(conditions: Iterable[Condition]) -> bool:
    """True when an object is as its document says, or is about to be, or is left alone because somebody said so.

    What a script goes by: False for whatever won't come true by itself.
    """
    return all(
        item.status or item.reason in _UNDER_WAY
        if item.type == READY
        else not item.status or item.type in (RECONCILING, RESTART_REQUIRED, DRIFTED, SUSPENDED)
        for item in conditions
    )
