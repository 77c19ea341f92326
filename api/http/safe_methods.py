"""The methods by which nobody changes anything, as RFC 9110 calls them: what guards writes lets them pass."""

from __future__ import annotations

from typing import Final

SAFE: Final = frozenset({"GET", "HEAD", "OPTIONS"})
