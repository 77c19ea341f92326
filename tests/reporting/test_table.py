"""Rows in columns."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from reconciler.reporting.table import table_text

cells = st.text(st.characters(codec="ascii", categories=["L", "N"]), min_size=1, max_size=12)


def test_columns_are_as_wide_as_their_widest_cell() -> None:
    assert table_text(("kind", "name"), [("Network", "lan"), ("VirtualMachine", "web")]) == (
        "KIND             NAME\nNetwork          lan\nVirtualMachine   web"
    )


def test_colours_do_not_move_columns() -> None:
    painted = table_text(
        ("a", "b"), [("xx", "y"), ("x", "y")], lambda column, cell: f"<{cell}>" if column == "a" else cell
    )
    assert painted.splitlines()[1:] == ["<xx>   y", "<x>    y"]


@given(st.lists(st.tuples(cells, cells, cells), max_size=6))
def test_every_cell_can_be_found_again(rows: list[tuple[str, ...]]) -> None:
    lines = table_text(("one", "two", "three"), rows).splitlines()
    assert [tuple(line.split()) for line in lines[1:]] == rows
