"""A VNC viewer at the end of a WebSocket: it shakes hands without a password and asks for one whole picture."""

from __future__ import annotations

import struct
from typing import Final

from PIL import Image
from websockets.sync.client import ClientConnection

_WAIT_S: Final = 60
_TRUE_COLOUR: Final = struct.pack(">BBBBHHHBBBxxx", 32, 24, 0, 1, 255, 255, 255, 0, 8, 16)  # red comes first


class Viewer:
    """One session; `size` is the screen's."""

    def __init__(self, socket: ClientConnection) -> None:
        self._socket = socket
        self._came = bytearray()
        assert self._read(12) == b"RFB 003.008\n"
        socket.send(b"RFB 003.008\n")
        assert 1 in self._read(self._read(1)[0]), "it asks for a password"
        socket.send(b"\x01")
        assert self._read(4) == bytes(4)
        socket.send(b"\x00")  # alone, if it were for the viewer
        self.size = struct.unpack(">HH", self._read(4))
        self._read(16)
        self._read(struct.unpack(">I", self._read(4))[0])

    def picture(self) -> Image.Image:
        """What the screen shows now."""
        wide, high = self.size
        self._socket.send(b"\x00\x00\x00\x00" + _TRUE_COLOUR)
        self._socket.send(struct.pack(">BxHi", 2, 1, 0))
        self._socket.send(struct.pack(">BBHHHH", 3, 0, 0, 0, wide, high))
        assert self._read(1) == b"\x00"
        _, count = struct.unpack(">BH", self._read(3))
        made = Image.new("RGB", self.size)
        for _ in range(count):
            left, top, width, height, encoding = struct.unpack(">HHHHi", self._read(12))
            assert encoding == 0
            pixels = self._read(width * height * 4)
            made.paste(Image.frombytes("RGB", (width, height), pixels, "raw", "RGBX"), (left, top))
        return made

    def press(self, key: int) -> None:
        """A key, and let go of it."""
        for down in (1, 0):
            self._socket.send(struct.pack(">BBxxI", 4, down, key))

    def _read(self, count: int) -> bytes:
        while len(self._came) < count:
            self._came += self._socket.recv(_WAIT_S)
        taken = bytes(self._came[:count])
        del self._came[:count]
        return taken
