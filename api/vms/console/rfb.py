"""What a viewer says to a VNC server (RFC 6143), as far as it may say it.

Everybody's session is shared, whatever their viewer asks for: one who comes sends nobody away. Of who only looks, what
would touch the machine is dropped: keys, the pointer, the clipboard, its power, the screen's size. Pure: bytes go in as
they come, in pieces of any size, and those that the server may have come out.
"""

from __future__ import annotations

from collections.abc import Generator
from typing import Final

_VERSIONS: Final = frozenset({b"RFB 003.007\n", b"RFB 003.008\n"})
_NONE, _PASSWORD = 1, 2  # of what a viewer may prove itself by; others take turns that nobody here follows
_SHARED: Final = b"\x01"

SET_PIXEL_FORMAT: Final = 0
SET_ENCODINGS: Final = 2
UPDATE_REQUEST: Final = 3
KEY: Final = 4
POINTER: Final = 5
CLIPBOARD: Final = 6
CONTINUOUS_UPDATES: Final = 150
FENCE: Final = 248
POWER: Final = 250
DESKTOP_SIZE: Final = 251
QEMU: Final = 255
_PASSED: Final = {SET_PIXEL_FORMAT: 20, UPDATE_REQUEST: 10, CONTINUOUS_UPDATES: 10}
_DROPPED: Final = {KEY: 8, POINTER: 6, POWER: 4}
_OF_QEMU: Final = {0: 12, 1: 4}  # a key, sound
_SOUNDS_FORMAT: Final = 2
_LONGEST_CLIPBOARD: Final = 64 << 20

_Steps = Generator[int, bytes, None]


class RfbError(Exception):
    """A viewer says what can't be followed; its session ends."""


class ViewersWords:
    """From one viewer to its server."""

    def __init__(self, *, read_only: bool) -> None:
        self._read_only = read_only
        self._came = bytearray()
        self._goes = bytearray()
        self._steps = self._said()
        self._wanted = next(self._steps)  # bytes until it goes on
        self._skipped = 0  # bytes that are dropped before that
        self._free = False  # nothing is looked at any more

    def feed(self, data: bytes | bytearray | memoryview) -> bytes | bytearray | memoryview:
        """What the server may have of it by now. Raises RfbError."""
        if self._free:
            return data
        self._came += data
        while not self._free:
            if self._skipped:
                gone = min(self._skipped, len(self._came))
                del self._came[:gone]
                self._skipped -= gone
            if self._skipped or len(self._came) < self._wanted:
                break
            taken = bytes(self._came[: self._wanted])
            del self._came[: self._wanted]
            try:
                self._wanted = self._steps.send(taken)
            except StopIteration:
                self._free = True
                self._goes += self._came
                self._came.clear()
        goes, self._goes = self._goes, bytearray()
        return goes

    def _said(self) -> _Steps:
        version = yield 12
        if version not in _VERSIONS:
            raise RfbError("it speaks no version of RFB that is spoken here")
        self._goes += version
        kind = yield 1
        self._goes += kind
        if kind[0] == _PASSWORD:
            proof = yield 16  # what goes on is another object by then: nothing is added to it across a pause
            self._goes += proof
        elif kind[0] != _NONE:
            if self._read_only:
                raise RfbError("who only looks can't prove it in that way")
            return
        yield 1
        self._goes += _SHARED
        while self._read_only:
            yield from self._message()

    def _message(self) -> _Steps:
        first = yield 1
        kind = first[0]
        if (length := _PASSED.get(kind)) is not None:
            rest = yield length - 1
            self._goes += first + rest
        elif (length := _DROPPED.get(kind)) is not None:
            yield length - 1
        elif kind == SET_ENCODINGS:
            head = yield 3
            rest = yield 4 * int.from_bytes(head[1:3])
            self._goes += first + head + rest
        elif kind == FENCE:
            head = yield 8
            rest = yield head[7]
            self._goes += first + head + rest
        elif kind == CLIPBOARD:
            head = yield 7
            length = abs(int.from_bytes(head[3:7], signed=True))  # below 0: of the extended clipboard
            if length > _LONGEST_CLIPBOARD:
                raise RfbError("its clipboard has no end")
            self._skipped = length
        elif kind == DESKTOP_SIZE:
            head = yield 7
            self._skipped = 16 * head[5]
        elif kind == QEMU:
            yield from self._message_to_qemu()
        else:
            raise RfbError(f"it sends a message {kind}, which isn't known here")

    @staticmethod
    def _message_to_qemu() -> _Steps:
        kind = (yield 1)[0]
        if kind not in _OF_QEMU:
            raise RfbError(f"it sends QEMU a message {kind}, which isn't known here")
        head = yield _OF_QEMU[kind] - 2
        if kind == 1 and int.from_bytes(head) == _SOUNDS_FORMAT:
            yield 6


class Unheard:
    """For a serial line of who only looks: nothing of what is typed."""

    def feed(self, _data: bytes | bytearray | memoryview) -> bytes:
        """Nothing."""
        return b""


class Heard:
    """For a serial line: all that is typed."""

    def feed(self, data: bytes | bytearray | memoryview) -> bytes | bytearray | memoryview:
        """The same."""
        return data
