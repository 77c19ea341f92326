"""The limits of a volume's size, which is written with its unit: what a bare number counts would have to be guessed
(bytes, as libvirt has it, or GiB, as in a template of the API's clients).
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Final

from specs.codecs import bytes_of

MIN_BYTES: Final = 1 << 20
MAX_BYTES: Final = 1 << 60


def check_size(pointer: str, size: Any) -> Iterator[tuple[str, str]]:
    """(pointer, sentence) when a size such as `10GiB` lies outside the limits; nothing for any other value."""
    if isinstance(size, str) and not MIN_BYTES <= (bytes_of(size) or 0) <= MAX_BYTES:
        yield pointer, "A volume holds at least 1MiB and at most 1024PiB; write another size."
