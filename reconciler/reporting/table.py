"""Rows in columns, as kubectl prints them: no lines, no cutting, the last column free."""

from __future__ import annotations

from collections.abc import Callable, Sequence

_GAP = "   "


def table_text(
    header: Sequence[str], rows: Sequence[Sequence[str]], paint: Callable[[str, str], str] | None = None
) -> str:
    """The rows below a header in capitals. `paint(column, cell)` may colour a cell."""
    widths = [max(len(cell) for cell in column) for column in zip(header, *rows, strict=True)]
    lines = [_GAP.join(f"{name.upper():<{width}}" for name, width in zip(header, widths, strict=True))]
    for row in rows:
        cells = []
        for name, cell, width in zip(header, row, widths, strict=True):
            painted = paint(name, cell) if paint is not None else cell
            cells.append(painted + " " * (width - len(cell)))
        lines.append(_GAP.join(cells))
    return "\n".join(line.rstrip() for line in lines)
