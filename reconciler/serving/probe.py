"""Looks at what a URL offers before anything is promised: whether it can be had, how long it is, which image it is."""

from __future__ import annotations

import threading
from dataclasses import dataclass
from typing import Final

from reconciler.errors import Terminal
from reconciler.hypervisor.transfer.downloads import download, shown
from reconciler.hypervisor.transfer.intake import split_head
from reconciler.network.addresses import Networks
from reconciler.network.exchange import Patience
from reconciler.network.limits import FOR_CLIENTS
from specs.storagevolume.header import HEADER_BYTES, foreign_problem, image_header

_LONGEST_S: Final = 20.0


@dataclass(frozen=True, slots=True)
class Probe:
    """`length` in bytes, None when the server doesn't tell; `format` as its header says."""

    length: int | None
    format: str


def probe(url: str, networks: Networks, timeout_s: float = _LONGEST_S) -> Probe:
    """Ask for `url`, and read no more than an image's header. Blocks.

    Raises Transient or Terminal when it can't be had, and Terminal for an image that refers to other files.
    """
    patience = Patience(overall_s=timeout_s, begin_s=timeout_s)
    with (
        FOR_CLIENTS.turn("Other servers are"),
        download(url, threading.Event(), networks, patience) as offered,
    ):
        head, _ = split_head(offered.chunks, HEADER_BYTES)
    header = image_header(head)
    if reason := foreign_problem(header):
        raise Terminal(f"{shown(url)} isn't used: {reason}")
    return Probe(offered.length, str(header.format))
