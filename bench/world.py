"""The part of the host that the benchmark works in: a folder, a pool on it and a network, made and removed again.

Whatever carries the benchmark's prefix is its own, also what an earlier run that was killed has left.
"""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from types import TracebackType
from typing import Self

import libvirt

from bench import definitions, names

URI = "qemu:///system"
_PARENT = Path("/var/lib/libvirt")  # QEMU's user may reach it, and it is on the host's own disk

libvirt.registerErrorHandler(lambda *_: None, None)  # errors arrive as exceptions


class World:
    """Use as a context manager; leaving it, however, removes everything."""

    def __init__(self) -> None:
        self.connection = libvirt.open(URI)
        self.folder = Path()

    def __enter__(self) -> Self:
        self._remove_everything()
        self.folder = Path(tempfile.mkdtemp(prefix=names.PREFIX, dir=_PARENT))
        try:
            self.folder.chmod(0o711)
            self.images.mkdir()
            self.connection.storagePoolDefineXML(definitions.pool(str(self.images))).create()
            self.connection.networkDefineXML(definitions.network()).create()
        except BaseException:
            self.close()
            raise
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    @property
    def images(self) -> Path:
        """The pool's folder."""
        return self.folder / "images"

    def close(self) -> None:
        """Leave nothing."""
        self._remove_everything()
        self.connection.close()

    def wipe(self) -> None:
        """No machines and no volumes; the pool and the network stay."""
        self._remove_machines()
        for image in self.images.iterdir():
            image.unlink()
        self.connection.storagePoolLookupByName(names.POOL).refresh()

    def check(self, machines: int) -> None:
        """Raise unless there are so many machines, each with a disk in the pool and a NIC on the network."""
        mine = self.machines()
        xml = [domain.XMLDesc(libvirt.VIR_DOMAIN_XML_INACTIVE) for domain in mine]
        whole = sum(str(self.images) in text and names.NETWORK in text for text in xml)
        pool = self.connection.storagePoolLookupByName(names.POOL)
        pool.refresh()
        volumes = pool.numOfVolumes()
        if not len(mine) == whole == volumes == machines:
            raise RuntimeError(f"{machines} machines expected: found {len(mine)}, {whole} complete, {volumes} volumes")

    def machines(self) -> list[libvirt.virDomain]:
        """Every machine of the benchmark."""
        return [each for each in self.connection.listAllDomains() if each.name().startswith(names.PREFIX)]

    def memory_mib(self, name: str) -> int:
        """What the definition of a machine says."""
        return int(self.connection.lookupByName(name).maxMemory()) >> 10

    def _remove_machines(self) -> None:
        for domain in self.machines():
            if domain.isActive():
                domain.destroy()
            domain.undefine()

    def _remove_everything(self) -> None:
        self._remove_machines()
        found: list[libvirt.virStoragePool | libvirt.virNetwork] = []
        found += self.connection.listAllStoragePools()
        found += self.connection.listAllNetworks()
        for each in found:
            if each.name().startswith(names.PREFIX):
                _leave(each.destroy)
                _leave(each.undefine)
        for folder in _PARENT.glob(f"{names.PREFIX}*"):
            shutil.rmtree(folder, ignore_errors=True)


def _leave(call: Callable[[], object]) -> None:
    with suppress(libvirt.libvirtError):  # not started; the next call, or the next run, finds it
        call()
