"""A part of a file, as a Range header asks for one: RFC 9110, one range of bytes. Anything else is answered whole."""

from __future__ import annotations

import asyncio
import re
from typing import BinaryIO, Final

from api.http.refusal import Refusal

_RANGE: Final = re.compile(r"bytes=(?P<first>[0-9]{0,19})-(?P<last>[0-9]{0,19})", re.ASCII)
_CHUNK: Final = 256 * 1024


class Unsatisfiable(Refusal):
    """416: the file has no such part. `size` is what it has."""

    def __init__(self, size: int) -> None:
        super().__init__(416, f"There is no such part; the file has {size} bytes.")
        self.size = size


def requested(header: str | None, size: int) -> range | None:
    """The bytes that are wanted of `size`; None: all. Raises Unsatisfiable."""
    match = _RANGE.fullmatch((header or "").replace(" ", ""))
    if match is None or not (match["first"] or match["last"]):
        return None
    if not match["first"]:
        length = min(int(match["last"]), size)
        if not length:
            raise Unsatisfiable(size)
        return range(size - length, size)
    first = int(match["first"])
    last = int(match["last"]) if match["last"] else size - 1
    if match["last"] and last < first:
        return None  # no range at all
    if first >= size:
        raise Unsatisfiable(size)
    return range(first, min(last, size - 1) + 1)


class Sent:
    """A piece of an open file as a stream, read beside the event loop. Closes the file at the end, or when nobody wants
    more.
    """

    def __init__(self, file: BinaryIO, part: range) -> None:
        self._file = file
        self._part = part
        self._left = len(part)

    def __aiter__(self) -> Sent:
        return self

    async def __anext__(self) -> bytes:
        if not self._left:
            raise StopAsyncIteration
        data = await asyncio.to_thread(self._read)
        if not data:
            raise StopAsyncIteration
        self._left -= len(data)
        return data

    async def close(self) -> None:
        """Let go of the file."""
        self._file.close()

    def _read(self) -> bytes:
        self._file.seek(self._part.stop - self._left)
        return self._file.read(min(_CHUNK, self._left))
