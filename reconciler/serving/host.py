"""The machine itself, as clients may ask about it: what `reconciler.host` offers, put together once for an agent.

Whoever serves clients hands one in. There is no default on purpose: a server that could restart the machine is made by
the command line alone, and a test gives one that can't.
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Generic, TypeVar

from reconciler.host.accounts import Accounts, SystemAccounts
from reconciler.host.packages import Packages, open_packages
from reconciler.host.partitions import Partitions, partitions
from reconciler.host.power import HostPower, Power
from reconciler.host.reports import Reports
from reconciler.host.repositories.repository import Repositories, open_repositories
from reconciler.host.sampling import Sampler
from reconciler.host.storage_servers import StorageServers
from reconciler.settings import Settings

_T = TypeVar("_T")

REPORTS = "debugreports"  # the folder of the state folder that reports are kept in


class Found(Generic[_T]):
    """Something of the host that may be installed later: looked for until it is found, and the same from then on."""

    def __init__(self, look: Callable[[], _T | None]) -> None:
        self._look = look
        self._lock = threading.Lock()
        self._found: _T | None = None

    def __call__(self) -> _T | None:
        """It, or None while the host hasn't got it."""
        with self._lock:
            if self._found is None:
                self._found = self._look()
            return self._found


@dataclass(frozen=True)
class HostServices:
    """Every member may be used from any thread. `packages` and `repositories` give None on a host without such a tool.

    `peers` gives the URLs of the other agents on the network, and is None when federation is off.
    """

    power: Power
    reports: Reports
    packages: Callable[[], Packages | None]
    repositories: Callable[[], Repositories | None]
    accounts: Accounts = field(default_factory=SystemAccounts)
    storage_servers: StorageServers = field(default_factory=StorageServers)
    disks: Callable[[], Partitions] = partitions
    sampler: Sampler = field(default_factory=Sampler)

    def start(self) -> None:
        """Begin what goes on in the background."""
        self.sampler.start()

    def close(self) -> None:
        """End it."""
        self.sampler.stop()


def open_host(settings: Settings, root: Path = Path("/")) -> HostServices:
    """This machine."""
    return HostServices(
        power=HostPower(),
        reports=Reports(settings.state / REPORTS),
        packages=Found(lambda: open_packages(root)),
        repositories=Found(lambda: open_repositories(root)),
    )
