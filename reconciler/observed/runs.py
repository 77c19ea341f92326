"""What only events tell of a machine's runs, and no later question to libvirt: that a signal of the host ended one,
that it went to another host and was undefined here, and that a guest rebooted.

Written by the thread of libvirt's events, read by whoever looks at machines. What happened while nobody listened is
missing here; the reasons that libvirt keeps itself then have to do.
"""

from __future__ import annotations

import threading
from uuid import UUID

from specs.reference import Ref


class Runs:
    """Of one host. Any thread may call any method."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._signalled: frozenset[bytes] = frozenset()
        self._migrated: frozenset[str] = frozenset()
        self._rebooted: set[Ref] = set()

    @property
    def signalled(self) -> frozenset[bytes]:
        """The UUIDs of machines whose last run was ended by a signal to QEMU, which libvirt calls a shutdown."""
        return self._signalled

    @property
    def migrated(self) -> frozenset[str]:
        """The UUIDs of machines that run on another host since."""
        return self._migrated

    def started(self, uuid: bytes) -> None:
        """A new run began here."""
        with self._lock:
            self._signalled -= {uuid}
            self._migrated -= {str(UUID(bytes=uuid))}

    def undefined(self, uuid: bytes) -> None:
        """The machine is no more; where it runs is another question."""
        with self._lock:
            self._signalled -= {uuid}

    def migrate(self, uuid: bytes) -> None:
        """It goes on on another host."""
        with self._lock:
            self._migrated |= {str(UUID(bytes=uuid))}

    def signal(self, uuid: bytes) -> None:
        """QEMU was told by a signal to end."""
        with self._lock:
            self._signalled |= {uuid}

    def reboot(self, ref: Ref) -> None:
        """The guest of a running machine rebooted."""
        with self._lock:
            self._rebooted.add(ref)

    def take_rebooted(self) -> frozenset[Ref]:
        """Whose guests have rebooted since this was asked last."""
        with self._lock:
            taken = frozenset(self._rebooted)
            self._rebooted.clear()
            return taken
