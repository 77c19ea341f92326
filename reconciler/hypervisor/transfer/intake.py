"""What has to be true of downloaded bytes on their way into a volume: a length that fits, and the declared digest.

Fetching them is `downloads`' part, judging an image's header is that of `images`.
"""

from __future__ import annotations

import hashlib
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from itertools import chain

from reconciler.errors import Terminal, Transient
from reconciler.hypervisor.transfer.downloads import Download

Progress = Callable[[int, int | None], None]

_TELL_S = 1.0
_CHUNK = 1024 * 1024
_IN_MEMORY = 8 * 1024 * 1024


@contextmanager
def measured(offered: Download, url: str, room: int, progress: Progress) -> Iterator[tuple[int, Iterator[bytes]]]:
    """The length and the chunks of a download that fits into `room` bytes. Raises Terminal for one that doesn't.

    A volume needs its length before its bytes; where the server doesn't tell, a temporary file finds it out.
    """
    if offered.length is not None:
        if offered.length > room:
            raise Terminal(f"{url} has {offered.length} bytes, but the pool has room for {room}; make room first.")
        yield offered.length, offered.chunks
        return
    with tempfile.SpooledTemporaryFile(max_size=_IN_MEMORY) as spool:
        length = 0
        tell = _slowly(progress)
        for chunk in offered.chunks:
            length += len(chunk)
            if length > room:
                raise Terminal(f"{url} has more than the {room} bytes that the pool has room for; make room first.")
            try:
                spool.write(chunk)
            except OSError as error:
                raise Terminal(f"{url} doesn't fit into {tempfile.gettempdir()}: {error.strerror}.") from None
            tell(length, None)
        spool.seek(0)
        yield length, iter(lambda: spool.read(_CHUNK), b"")


def split_head(chunks: Iterator[bytes], size: int) -> tuple[bytes, Iterator[bytes]]:
    """The first `size` bytes (fewer when there are no more), and all of the chunks again."""
    taken: list[bytes] = []
    while sum(map(len, taken)) < size and (chunk := next(chunks, b"")):
        taken.append(chunk)
    return b"".join(taken)[:size], chain(taken, chunks)


def verified(chunks: Iterator[bytes], length: int, sha256: str, url: str, progress: Progress) -> Iterator[bytes]:
    """Passes the chunks on, and raises where they end short of `length`, go on beyond it, or have another digest.

    `progress` is told at once, so that the total shows, and then about once a second.
    """
    digest = hashlib.sha256()
    done = 0
    tell = _slowly(progress)
    for chunk in chunks:
        done += len(chunk)
        if done > length:
            raise Terminal(f"{url} sends more than the {length} bytes that it announced; use another server.")
        digest.update(chunk)
        yield chunk
        tell(done, length)
    if done < length:
        raise Transient(f"{url} broke off after {done} of {length} bytes.", retry_after_s=10.0)
    if sha256 and digest.hexdigest() != sha256.lower():
        raise Terminal(
            f"{url} has the sha256 {digest.hexdigest()}, but {sha256.lower()} is declared; nothing of it was kept. "
            "Correct the document, or find out who changed the file."
        )
    progress(done, length)


def _slowly(progress: Progress) -> Progress:
    last = float("-inf")

    def tell(done: int, total: int | None) -> None:
        nonlocal last
        if time.monotonic() - last >= _TELL_S:
            last = time.monotonic()
            progress(done, total)

    return tell
