"""The measurements as one table, in Markdown so that it can be put into the documentation as it is."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

HEAD = ("what", "who", "result", "ratio", "target")


@dataclass(frozen=True, slots=True)
class Row:
    """One line. `ratio` says of what; `met` is None where there is no target."""

    what: str
    who: str
    result: str
    ratio: str = ""
    target: str = ""
    met: bool | None = None

    def cells(self) -> tuple[str, ...]:
        """The texts of the columns."""
        verdict = {None: "", True: " — met", False: " — **missed**"}[self.met]
        return self.what, self.who, self.result, self.ratio, self.target + verdict


def seconds(value: float) -> str:
    """A length of time in the unit that suits it."""
    return f"{value:.2f} s" if value >= 1 else f"{value * 1000:.0f} ms" if value >= 0.01 else f"{value * 1000:.2f} ms"


def table(rows: Sequence[Row]) -> str:
    """All rows below the head, columns aligned."""
    lines = [HEAD, *(row.cells() for row in rows)]
    widths = [max(len(line[column]) for line in lines) for column in range(len(HEAD))]
    padded = [[cell.ljust(width) for cell, width in zip(line, widths, strict=True)] for line in lines]
    texts = [f"| {' | '.join(cells)} |" for cells in padded]
    rule = "|" + "|".join("-" * (width + 2) for width in widths) + "|"
    return "\n".join((texts[0], rule, *texts[1:]))
