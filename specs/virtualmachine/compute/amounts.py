"""Amounts of memory: in documents a number with its unit, in a definition a number beside one."""

from __future__ import annotations

from typing import Final

from specs.codecs import bytes_of
from specs.declared import shared, text
from specs.notations import SIZE_PATTERN

_KIB = 1024
IN_KIB: Final = "KiB@unit"  # as libvirt writes them, whatever was said

AMOUNT = shared(
    "amount",
    text(
        "An amount of memory: a number with its unit, such as 2GiB.",
        SIZE_PATTERN,
        examples=("2GiB",),
        error="An amount of memory is a number with a unit, such as 2GiB or 512MiB; correct it.",
        unit="bytes",
    ),
)


def kib_of(amount: int | str) -> int:
    """Whole KiB of an amount, or of a number of bytes, rounded up as libvirt does."""
    return -(-(bytes_of(amount) or 0) // _KIB)
