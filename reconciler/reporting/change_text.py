"""One changed field as people read it: value by value, sizes with their units, long texts by their changed lines.

Pure. A change holds whole values, such as a network's DHCP settings or a description of ten lines; shown is what in
them differs, each under its own name. Nothing is cut off in the middle: what doesn't fit beside its new value stands
above it.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from reconciler.status.value_text import is_blob, item_name, printable, value_text
from specs.codecs import size_text
from specs.effect import Change

LONGEST: Final = 2000  # characters of one value; nobody reads more of it in a terminal
_MOST_LINES: Final = 40  # of a long text
_SECRET: Final = ("/cloudInit",)  # may hold what isn't for every reader of a plan
_MIB: Final = ("memory", "maximumMemory")
_BYTES: Final = ("capacity", "size", "allocation")


@dataclass(frozen=True, slots=True)
class Row:
    """One value. `old` and `new` are texts; `lines` of a text that is shown by its changed lines, instead of both."""

    name: str
    old: str
    new: str
    lines: tuple[str, ...] = ()

    @property
    def text(self) -> str:
        """On one line, whatever its length."""
        return "; ".join(self.lines) if self.lines else f"{self.old} → {self.new}" if self.new else self.old


def change_rows(change: Change) -> Iterator[Row]:
    """At least one row. A list item goes by the name that its document gives it."""
    pointer = change.shown or change.pointer
    if change.pointer.startswith(_SECRET):
        yield Row(pointer, _happened(change.old, change.new), "")
        return
    found = list(_rows(pointer, change.old, change.new))
    yield from found or [Row(pointer, value(pointer, change.old), value(pointer, change.new))]


def _rows(pointer: str, old: Any, new: Any) -> Iterator[Row]:
    if isinstance(old, Mapping) and isinstance(new, Mapping):
        for key in (*new, *(key for key in old if key not in new)):
            if old.get(key) != new.get(key):
                yield from _rows(f"{pointer}/{key}", old.get(key), new.get(key))
    elif isinstance(old, Sequence) and isinstance(new, Sequence) and _are_things(old, new):
        yield from _things(pointer, old, new)
    elif isinstance(old, str | None) and isinstance(new, str | None) and (is_blob(old) or is_blob(new)):
        yield _lines(pointer, old or "", new or "")
    elif is_blob(old) or is_blob(new):
        yield Row(pointer, _happened(old, new), "")
    else:
        yield Row(pointer, value(pointer, old), value(pointer, new))


def _are_things(old: Sequence[Any], new: Sequence[Any]) -> bool:
    """Whether both are lists of things that have names, each its own."""
    if isinstance(old, str) or isinstance(new, str) or not (old or new):
        return False
    for items in (old, new):
        names = [item_name(item) if isinstance(item, Mapping) else "" for item in items]
        if "" in names or len(set(names)) != len(names):
            return False
    return True


def _things(pointer: str, old: Sequence[Any], new: Sequence[Any]) -> Iterator[Row]:
    before, after = ({item_name(item): item for item in items} for items in (old, new))
    for name in (*after, *(name for name in before if name not in after)):
        if before.get(name) != after.get(name):
            yield from _rows(f"{pointer}/{name}", before.get(name), after.get(name))


def _lines(pointer: str, old: str, new: str) -> Row:
    """The changed lines, each with one line around it."""
    import difflib  # only long texts that differ need it

    found = list(difflib.unified_diff(old.splitlines(), new.splitlines(), n=1, lineterm=""))[2:]
    shown = [printable(line) for line in found if not line.startswith("@@")]
    if len(shown) > _MOST_LINES:
        shown = [*shown[:_MOST_LINES], f"  … {len(shown) - _MOST_LINES} more lines"]
    if not shown:  # only the line end at the very end
        return Row(pointer, "changed", "")
    return Row(pointer, "", "", tuple(line[:LONGEST] for line in shown))


def _happened(old: Any, new: Any) -> str:
    return "removed" if new is None else "added" if old is None else "changed"


def value(pointer: str, found: Any) -> str:
    """One value, with the unit where its field has one."""
    if type(found) is int:
        field = pointer.rpartition("/")[2]
        if field in _MIB:
            return size_text(found << 20)
        if field in _BYTES:
            return size_text(found)
        if field.endswith("BytesPerSecond") or field == "bytesPerSecond":
            return f"{size_text(found)}/s"
    return value_text(found, LONGEST)
