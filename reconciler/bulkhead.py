"""Keeps one object's trouble with that object: whatever is done for each of many is done behind a bulkhead.

A value that nobody thought of, a definition that no reader knows, a defect of onggi or of a library below it: any
object can make any stage raise anything. Here that becomes a value, which the stage puts where it tells of the object,
and everything else goes on. The trace is logged once, not with every pass.
"""

from __future__ import annotations

import logging
from collections.abc import Callable
from dataclasses import dataclass
from traceback import walk_tb
from typing import Final, ParamSpec, TypeVar

from reconciler.errors import Cancelled, Disconnected, StateError

log = logging.getLogger("onggi.bulkhead")

INTERNAL_ERROR: Final = "InternalError"  # the reason of what is held back because of this

_OURS: Final = ("specs", "reconciler", "api")
_ABOUT_EVERYTHING: Final = (Disconnected, StateError, Cancelled)  # these aren't any single object's
_MOST_REMEMBERED: Final = 10_000

_P = ParamSpec("_P")
_T = TypeVar("_T")


@dataclass(frozen=True, slots=True)
class Failure:
    """What came of one object instead of a value. Of the error only its type and its place are told: its text may hold
    anything, and goes into the log alone.
    """

    what: str
    stage: str
    error: str
    place: str

    @property
    def message(self) -> str:
        """One sentence with the remedy."""
        return (
            f"{self.stage} failed unexpectedly ({self.error} at {self.place}), so it is left as it is; all else goes "
            "on. That is a defect of onggi, and its log has the trace; a change of the document may avoid it"
        )


_told: dict[tuple[str, str, str], tuple[object, str, str]] = {}


def contained(
    stage: str, what: object, key: object, work: Callable[_P, _T], /, *args: _P.args, **kwargs: _P.kwargs
) -> _T | Failure:
    """What `work` gives for the object `what`, or its failure.

    `stage` is what is being done, such as `planning`. `key` tells one state of the object from another, such as its
    digest: the trace is logged again only when it, or the error, is another one. Only what is about everything is
    raised: the connection, the state folder, the end.
    """
    try:
        value = work(*args, **kwargs)
    except _ABOUT_EVERYTHING:
        raise
    except Exception as error:
        return _noted(stage, what, key, work, error)
    if _told:
        _told.pop(_mark(stage, what, work), None)
    return value


def _mark(stage: str, what: object, work: object) -> tuple[str, str, str]:
    return stage, str(what), str(getattr(work, "__qualname__", ""))


def described(error: BaseException) -> tuple[str, str]:
    """The type of an error, and the last place in onggi's own code that it went through."""
    place = "?"
    for frame, line in walk_tb(error.__traceback__):
        module = str(frame.f_globals.get("__name__", ""))
        if module.partition(".")[0] in _OURS and module != __name__:
            place = f"{module}:{line}"
    return type(error).__name__, place


def _noted(stage: str, what: object, key: object, work: object, error: Exception) -> Failure:
    failure = Failure(str(what), stage, *described(error))
    mark, signature = _mark(stage, what, work), (key, failure.error, failure.place)
    if _told.get(mark) != signature:
        while len(_told) >= _MOST_REMEMBERED:
            _told.pop(next(iter(_told)), None)
        _told[mark] = signature
        log.error("%s: %s", failure.what, failure.message, exc_info=error)
    return failure
