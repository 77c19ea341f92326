"""Lists in which one odd member hides no other: what can't be told of is left out, and the log says why."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import TypeVar

from reconciler.bulkhead import Failure, contained

_S = TypeVar("_S")
_T = TypeVar("_T")


def isolated(members: Iterable[_S], view: Callable[[_S], _T], what: Callable[[_S], object] = str) -> list[_T]:
    """The view of each member. `what` names it in the log; nothing that may be a secret."""
    found = (contained("listing", what(member), "", view, member) for member in members)
    return [each for each in found if not isinstance(each, Failure)]
