"""Ready-made bytes of empty images. libvirt makes each empty qcow2 by running a program, which takes longer than
anything else in making a machine; the bytes of two empty images of one size are the same, so the first one serves
for all others.

What an empty image looks like stays libvirt's and QEMU's business: nothing here knows the format.
"""

from __future__ import annotations

from collections import OrderedDict

import libvirt

from reconciler.hypervisor.transfer.streams import head
from specs.binding import Element, parse
from specs.storagepool.types import OF_FILES
from specs.storagevolume.header import HEADER_BYTES, image_header

_MAX_BYTES = 1024 * 1024
_MAX_KEPT = 32
_PLAIN = frozenset({"name", "key", "capacity", "allocation", "target"})
_PLAIN_TARGET = frozenset({"path", "format", "permissions"})


class Prototypes:
    """The images seen so far, by pool type and capacity."""

    def __init__(self) -> None:
        self._images: OrderedDict[tuple[str, int], bytes] = OrderedDict()
        self._pool_types: dict[bytes, str] = {}

    def key(self, pool: libvirt.virStoragePool, root: Element) -> tuple[str, int] | None:
        """What a new volume's image depends on; None for one that isn't a plain empty image in a folder."""
        form = root.find("target/format")
        target = root.find("target")
        if form is None or target is None or dict(form.items()) != {"type": "qcow2"}:
            return None
        if {str(each.tag) for each in root} - _PLAIN or {str(each.tag) for each in target} - _PLAIN_TARGET:
            return None
        kind = self._pool_types.get(pool.UUID())
        if kind is None:
            kind = self._pool_types[pool.UUID()] = parse(pool.XMLDesc()).get("type") or ""
        if kind not in OF_FILES or (root.findtext("allocation") or "0") != "0":
            return None
        return kind, capacity(root)

    def get(self, key: tuple[str, int]) -> bytes | None:
        """The image for `key`, when one was seen."""
        return self._images.get(key)

    def learn(self, key: tuple[str, int], connection: libvirt.virConnect, volume: libvirt.virStorageVol) -> None:
        """Keep the bytes of a volume that libvirt has just made, unless they are many. Raises libvirtError."""
        image = head(connection, volume, _MAX_BYTES + 1)
        header = image_header(image[:HEADER_BYTES])
        if len(image) <= _MAX_BYTES and header.virtual_size == key[1] and header.backing_file is None:
            self._images[key] = image
            while len(self._images) > _MAX_KEPT:
                self._images.popitem(last=False)


def capacity(root: Element) -> int:
    """A volume's declared capacity in bytes; 0 when it declares none. onggi's own XML has no other unit."""
    return int(root.findtext("capacity") or 0)
