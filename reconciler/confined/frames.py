"""What a child and we say to each other: a small header, and parts that are bytes. Limits hold before memory is taken.

The other side may be an attacker's: nothing here can build anything but texts, numbers and bytes, and never more of
them than the reader said. JSON is for the header alone, which is too small to become large.
"""

from __future__ import annotations

import json
import os
import select
import struct
import time
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from specs.plain import NewJson

_HEAD: Final = struct.Struct(">II")
_LENGTH: Final = struct.Struct(">I")
_MOST_HEADER: Final = 64 << 10
_CHUNK: Final = 1 << 20


class BrokenTalkError(Exception):
    """The other side ended, was too slow, or said what can't be meant. The sentence says which."""


@dataclass(frozen=True, slots=True)
class Frame:
    """One thing that is said."""

    header: NewJson
    parts: Sequence[bytes] = ()


@dataclass(frozen=True, slots=True)
class Most:
    """How much is listened to: parts, and bytes of all of them."""

    parts: int = 16
    size: int = 1 << 20


def encoded(frame: Frame) -> bytes:
    """The bytes of a frame."""
    header = json.dumps(frame.header).encode()
    lengths = b"".join(_LENGTH.pack(len(part)) for part in frame.parts)
    return b"".join((_HEAD.pack(len(header), len(frame.parts)), header, lengths, *frame.parts))


def receive(descriptor: int, most: Most, deadline: float | None = None) -> Frame:
    """The next frame. `deadline` is on the monotonic clock. Raises BrokenTalkError."""
    length, count = _HEAD.unpack(_exactly(descriptor, _HEAD.size, deadline))
    if length > _MOST_HEADER or count > most.parts:
        raise BrokenTalkError("it said more than is listened to")
    header_text = _exactly(descriptor, length, deadline)
    lengths = [size for (size,) in _LENGTH.iter_unpack(_exactly(descriptor, count * _LENGTH.size, deadline))]
    if sum(lengths) > most.size:
        raise BrokenTalkError("it said more than is listened to")
    parts = [_exactly(descriptor, size, deadline) for size in lengths]
    try:
        header = json.loads(header_text)
    except (ValueError, RecursionError):
        raise BrokenTalkError("it said what can't be read") from None
    if not isinstance(header, dict):
        raise BrokenTalkError("it said what can't be read")
    return Frame(header, parts)


def send(descriptor: int, frame: Frame, deadline: float | None = None) -> None:
    """Say a frame. Raises BrokenTalkError."""
    rest = memoryview(encoded(frame))
    while rest:
        _wait(descriptor, deadline, writing=True)
        try:
            rest = rest[os.write(descriptor, rest[:_CHUNK]) :]
        except BlockingIOError:
            continue
        except OSError:
            raise BrokenTalkError("it ended") from None


def _exactly(descriptor: int, size: int, deadline: float | None) -> bytes:
    found = bytearray()
    while len(found) < size:
        _wait(descriptor, deadline, writing=False)
        try:
            chunk = os.read(descriptor, min(size - len(found), _CHUNK))
        except BlockingIOError:
            continue
        except OSError:
            chunk = b""
        if not chunk:
            raise BrokenTalkError("it ended")
        found += chunk
    return bytes(found)


def _wait(descriptor: int, deadline: float | None, *, writing: bool) -> None:
    if deadline is None:
        return
    poll = select.poll()  # unlike select, it doesn't mind high numbers
    poll.register(descriptor, select.POLLOUT if writing else select.POLLIN)
    left_s = deadline - time.monotonic()
    if left_s <= 0 or not poll.poll(left_s * 1000):
        raise BrokenTalkError("it took too long")
