"""Why something isn't tried again at once, as values: it failed, somebody changes it back, or it doesn't stay up.

Who counts is the back-off's business and the loop's; here is what they tell.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Final

from reconciler.planning.plan_options import duration_text
from reconciler.planning.vanished import WHOLE
from reconciler.planning.virtualmachine.power import end_text

STABLE_S: Final = 120.0  # a machine that has run for so long isn't in a crash loop any more


@dataclass(frozen=True, slots=True)
class Retry:
    """An object that waits: how often it has failed, and when it is tried again."""

    failures: int
    at: datetime
    terminal: bool  # it won't go away by itself


@dataclass(frozen=True, slots=True)
class Flapping:
    """A field that doesn't stay as it is put. `times` it was put so by now, each time with success."""

    field: str
    times: int

    @property
    def message(self) -> str:
        """What people are told, with the remedy."""
        what = "the object" if self.field == WHOLE else self.field
        return (
            f"{what} was put right {self.times} times and keeps coming back as it was; is another tool changing it? "
            "Stop that, or declare what it wants, or leave the field to it with ignoreFields"
        )


@dataclass(frozen=True, slots=True)
class CrashLoop:
    """A machine that rests before its next start. `times` short runs came one after the other."""

    times: int
    end: str
    at: datetime

    @property
    def message(self) -> str:
        """What people are told."""
        runs = f"{self.times} runs in a row ended within {duration_text(STABLE_S)} of their start"
        return f"{runs}, the last one so: {end_text(self.end)}"
