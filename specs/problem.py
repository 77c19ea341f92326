"""What is wrong with what was written: a place and a sentence that ends in a remedy."""

from __future__ import annotations

from dataclasses import dataclass

from specs.reference import Ref


@dataclass(frozen=True, slots=True, order=True)
class Problem:
    """One mistake in a document. `line` and `column` count from 1; 0 means that the whole file is meant."""

    path: str
    line: int
    column: int
    message: str
    pointer: str = ""
    ref: Ref | None = None  # the document that it concerns, where kind and name could still be read

    def __str__(self) -> str:
        at = f" (at {self.pointer})" if self.pointer else ""
        return f"{self.path}:{self.line}:{self.column}: {self.message}{at}"


class SpecError(Exception):
    """A document, or a value in one, that can't be used. Carries every problem found, not only the first."""

    def __init__(self, problems: list[Problem]) -> None:
        super().__init__("\n".join(str(p) for p in problems))
        self.problems = problems


class Unrenderable(Exception):  # noqa: N818 - it says what the spec is, as the other stages' errors do
    """A sound spec that needs what this host lacks or doesn't show yet. The text is one sentence with the remedy."""
