"""Names of users or groups as an answer."""

from __future__ import annotations

from typing import Final

from api.http.endpoint import Answer
from api.http.schema import Schema, arr, text
from reconciler.host.accounts import Names

NAMES: Final[Schema] = arr(text())
SOME: Final = "When some are missing, the header `Warning` says why."


def listed(found: Names) -> Answer:
    """The names, and why some are missing."""
    return Answer(list(found.names), headers={"Warning": f'299 onggi "{found.reason}"'} if found.reason else {})
