"""Moves a volume's bytes through libvirt, so that it works for a remote host and with libvirt's own permissions."""

from __future__ import annotations

import zlib
from collections.abc import Iterable
from contextlib import suppress

import libvirt

from reconciler.errors import Terminal
from reconciler.faults import boundary

_CHUNK = 256 * 1024  # what one message of libvirt's protocol carries


def upload(
    connection: libvirt.virConnect,
    volume: libvirt.virStorageVol,
    chunks: Iterable[bytes],
    length: int,
    offset: int = 0,
) -> None:
    """Write `length` bytes from `offset` on. Raises libvirtError, and whatever `chunks` raises.

    Raises Terminal when not all of them have arrived on the disk.
    """
    checksum = 0
    before = volume.info()[2]
    stream = connection.newStream()
    volume.upload(stream, offset, length)
    try:
        for chunk in chunks:
            checksum = zlib.crc32(chunk, checksum)
            view = memoryview(chunk)
            while view:
                view = view[stream.send(bytes(view[:_CHUNK])) :]
                boundary("after a piece of an upload")
        stream.finish()
        boundary("after an upload")
    except BaseException:
        with suppress(libvirt.libvirtError):
            stream.abort()
        raise
    # NOTE: libvirt writes beside the stream, and a full disk that shows with the last bytes is an error for nobody:
    # finish() succeeds upon a volume with holes. Fewer new blocks than bytes are the sign of it; a file system that
    # packs zeros has the same, and so have blocks that were there before, so the bytes are then read once more.
    if volume.info()[2] - before < length and _checksum(connection, volume, offset, length) != checksum:
        raise Terminal(
            f"not all bytes of {volume.name()} could be stored: the disk below its pool must be full; make room there."
        )


def _checksum(connection: libvirt.virConnect, volume: libvirt.virStorageVol, offset: int, length: int) -> int:
    stream = connection.newStream()
    volume.download(stream, offset, length)
    found = 0
    while part := stream.recv(_CHUNK):
        found = zlib.crc32(part, found)
    stream.finish()
    return found


def head(connection: libvirt.virConnect, volume: libvirt.virStorageVol, length: int) -> bytes:
    """The volume's first bytes, at most `length`. Raises libvirtError."""
    return piece(connection, volume, 0, length)


def piece(connection: libvirt.virConnect, volume: libvirt.virStorageVol, offset: int, length: int) -> bytes:
    """The volume's bytes from `offset` on, at most `length`. Raises libvirtError."""
    stream = connection.newStream()
    volume.download(stream, offset, 0)
    parts: list[bytes] = []
    got = 0
    try:
        while got < length and (part := stream.recv(min(_CHUNK, length - got))):
            parts.append(part)
            got += len(part)
    finally:
        # The rest isn't wanted, and finish() would wait for it.
        with suppress(libvirt.libvirtError):
            stream.abort()
    return b"".join(parts)
