"""Moves a volume's bytes through libvirt, so that it works for a remote host and with libvirt's own permissions."""

from __future__ import annotations

from collections.abc import Iterable
from contextlib import suppress

import libvirt

_CHUNK = 256 * 1024  # what one message of libvirt's protocol carries


def upload(connection: libvirt.virConnect, volume: libvirt.virStorageVol, chunks: Iterable[bytes], length: int) -> None:
    """Write `length` bytes from the volume's start on. Raises libvirtError, and whatever `chunks` raises."""
    stream = connection.newStream()
    volume.upload(stream, 0, length)
    try:
        for chunk in chunks:
            view = memoryview(chunk)
            while view:
                view = view[stream.send(bytes(view[:_CHUNK])) :]
        stream.finish()
    except BaseException:
        with suppress(libvirt.libvirtError):
            stream.abort()
        raise


def head(connection: libvirt.virConnect, volume: libvirt.virStorageVol, length: int) -> bytes:
    """The volume's first bytes, at most `length`. Raises libvirtError."""
    stream = connection.newStream()
    volume.download(stream, 0, 0)
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
