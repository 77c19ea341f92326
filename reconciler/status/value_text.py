"""How a value of a document looks in one short piece of a line. Safe for a terminal whatever the value holds."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from typing import Any

from specs.name import UNSEEN

# What could move the cursor, colour the rest, turn the text around or end the line.
_UNSAFE = re.compile(f"[{UNSEEN}\u200c\u200d]")
# What people call an item of a list by, best first.
_LABELS = ("name", "network", "bridge", "volume", "path", "url", "device", "mac", "ip", "size")


def printable(text: str) -> str:
    """The text with everything that a terminal could take for a command written out."""
    return _UNSAFE.sub(lambda match: match[0].encode("unicode_escape").decode("ascii"), text)


def abbreviated(text: str, width: int) -> str:
    """At most `width` characters, the last one `…` when some are missing."""
    return text if len(text) <= width else f"{text[: max(width - 1, 1)]}…"


def is_blob(value: Any) -> bool:
    """True for what no line can show: a text of several lines, or something that holds one."""
    if isinstance(value, str):
        return "\n" in value.rstrip("\n")
    if isinstance(value, Mapping):
        return any(is_blob(item) for item in value.values())
    return isinstance(value, list | tuple) and any(is_blob(item) for item in value)


def value_text(value: Any, width: int = 48) -> str:
    """A value in at most `width` characters; a list of things is their names, and nothing is `(none)`."""
    if value is None:
        return "(none)"
    if isinstance(value, str):
        return abbreviated(printable(value.rstrip("\n")) or '""', width)
    if isinstance(value, list | tuple) and value:
        return abbreviated(", ".join(_label(item, width) for item in value), width)
    if isinstance(value, Mapping) and value:
        return abbreviated(
            ", ".join(f"{printable(str(key))}: {_inner(item, width)}" for key, item in value.items()), width
        )
    return abbreviated(json.dumps(value, ensure_ascii=False, default=str), width)


def item_name(item: Mapping[str, Any]) -> str:
    """What people call an item of a list; empty for one that nothing tells apart."""
    return next((str(item[key]) for key in _LABELS if isinstance(item.get(key), str | int)), "")


def _label(item: Any, width: int) -> str:
    if isinstance(item, Mapping) and (name := item_name(item)):
        return value_text(name, width)
    return _inner(item, width)


def _inner(item: Any, width: int) -> str:
    if is_blob(item):
        return "…"
    if isinstance(item, Mapping) and item:
        return f"({', '.join(f'{printable(str(key))}: {_inner(each, width)}' for key, each in item.items())})"
    if isinstance(item, list | tuple) and item:
        return f"[{', '.join(_inner(each, width) for each in item)}]"
    return value_text(item, width)
