"""Looks at what a URL offers before anything is promised: whether it can be had, how long it is, which image it is."""

from __future__ import annotations

import threading
from dataclasses import dataclass
from typing import Final

from reconciler.errors import Cancelled, Terminal, Transient
from reconciler.observed.hypervisor.performing.downloads import download, shown
from reconciler.observed.hypervisor.performing.intake import split_head
from specs.storagevolume.header import HEADER_BYTES, foreign_problem, image_header

_LONGEST_S: Final = 20.0


@dataclass(frozen=True, slots=True)
class Offer:
    """`length` in bytes, None when the server doesn't tell; `format` as its header says."""

    length: int | None
    format: str


def look_at(url: str, timeout_s: float = _LONGEST_S) -> Offer:
    """Ask for `url`, and read no more than an image's header. Blocks.

    Raises Transient or Terminal when it can't be had, and Terminal for an image that refers to other files.
    """
    stop = threading.Event()
    timer = threading.Timer(timeout_s, stop.set)
    timer.daemon = True
    timer.start()
    try:
        with download(url, stop) as offered:
            head, _ = split_head(offered.chunks, HEADER_BYTES)
    except Cancelled:
        raise Transient(
            f"{shown(url)} didn't answer within {timeout_s:g} s; try again, or use another server."
        ) from None
    finally:
        timer.cancel()
    header = image_header(head)
    if reason := foreign_problem(header):
        raise Terminal(f"{shown(url)} isn't used: {reason}")
    return Offer(offered.length, str(header.format))
