"""Takes fields out of a forge's answers without believing in their shape: what isn't as expected is empty."""

from __future__ import annotations

import re
from typing import Any

_COMMIT = re.compile(r"[0-9a-f]{40}(?:[0-9a-f]{24})?")


def text(found: Any, *path: str) -> str:
    """The text at `path`; empty when there is none."""
    value = _at(found, path)
    return value if isinstance(value, str) else ""


def number(found: Any, *path: str) -> int:
    """The whole number above 0 at `path`; 0 when there is none."""
    value = _at(found, path)
    return value if isinstance(value, int) and not isinstance(value, bool) and value > 0 else 0


def commit_id(found: Any, *path: str) -> str:
    """The commit's id at `path`; empty when there is none. It goes into URLs and to git, so it has to be one."""
    value = text(found, *path)
    return value if _COMMIT.fullmatch(value) else ""


def _at(found: Any, path: tuple[str, ...]) -> Any:
    for name in path:
        found = found.get(name) if isinstance(found, dict) else None
    return found
