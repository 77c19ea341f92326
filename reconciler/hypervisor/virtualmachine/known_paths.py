"""Whether the image at a path is a volume of a pool, or a disk that a machine has already: neither comes only now."""

from __future__ import annotations

from functools import cached_property

import libvirt

from reconciler.hypervisor.connection import Connections
from reconciler.hypervisor.failure import is_not_found
from reconciler.hypervisor.lookup import find
from specs.binding import parse
from specs.reference import Ref


class KnownPaths:
    """Of one machine. The host is asked when somebody wants to know."""

    def __init__(self, connections: Connections, machine: Ref) -> None:
        self._connections, self._machine = connections, machine

    def has(self, path: str) -> bool:
        """Whether that is so."""
        return path in self._of_machine or self._is_volume(path)

    @cached_property
    def _of_machine(self) -> frozenset[str]:
        with self._connections.lend(f"look at {self._machine}") as connection:
            domain = find(connection, self._machine)
            texts = [] if domain is None else [domain.XMLDesc(libvirt.VIR_DOMAIN_XML_INACTIVE), domain.XMLDesc()]
        sources = (source for text in texts for source in parse(text).iterfind("devices/disk/source"))
        return frozenset(source.get("file") or source.get("dev") or "" for source in sources)

    def _is_volume(self, path: str) -> bool:
        with self._connections.lend(f"look for the volume of {path}") as connection:
            try:
                connection.storageVolLookupByPath(path)
            except libvirt.libvirtError as error:
                if not is_not_found(error):
                    raise
                return False
            return True
