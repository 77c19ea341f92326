"""Lists in which one odd member hides no other: what can't be told of is left out, and the log says why."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterable
from typing import TypeVar

log = logging.getLogger("onggi.api")

_S = TypeVar("_S")
_T = TypeVar("_T")


def guarded(members: Iterable[_S], view: Callable[[_S], _T], what: Callable[[_S], object] = str) -> list[_T]:
    """The view of each member. `what` names it in the log; nothing that may be a secret."""
    views = []
    for member in members:
        try:
            views.append(view(member))
        except Exception:
            log.exception("%s is left out of a list", what(member))
    return views
