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
from urllib.parse import urlsplit

from reconciler.host.accounts import Accounts, Names, SystemAccounts
from reconciler.host.group_list import VolumeGroup, volume_groups
from reconciler.host.ovs import ovs_bridges
from reconciler.host.packages import Packages, Upgrade, open_packages
from reconciler.host.partitions import Partitions, partitions
from reconciler.host.peers import Peers
from reconciler.host.power import HostPower, Power
from reconciler.host.reports import Reports
from reconciler.host.repositories.repository import Repositories
from reconciler.host.sampling import Sampler
from reconciler.host.storage_servers import StorageServers
from reconciler.host.volume_groups import VolumeGroups
from reconciler.network.addresses import Networks
from reconciler.serving.single_flight import SingleFlight
from reconciler.settings.settings import Settings

_T = TypeVar("_T")

_GOOD_BYE_S = 1.0
_UPGRADES_KEPT_S = 10.0

REPORTS = "debugreports"  # the folder of the state folder that reports are kept in


class Lazy(Generic[_T]):
    """Something that is made when it is first asked for, and the same from then on; None is asked for again."""

    def __init__(self, make: Callable[[], _T]) -> None:
        self._make = make
        self._lock = threading.Lock()
        self._made: _T | None = None

    def __call__(self) -> _T:
        """It. Raises what its making raises."""
        with self._lock:
            made = self._make() if self._made is None else self._made
            self._made = made
            return made


@dataclass(eq=False)
class HostServices:
    """Every member may be used from any thread. `packages` and `repositories` give None on a host without such a tool;
    `reports` first removes what a crash has left half-made, and is for an agent that has its state to itself.

    With `federation` it tells other agents on the network where this one answers, and hears of them.
    """

    power: Power
    reports: Callable[[], Reports]
    packages: Callable[[], Packages | None]
    repositories: Callable[[], Repositories | None]
    accounts: Accounts = field(default_factory=SystemAccounts)
    storage_servers: StorageServers = field(default_factory=StorageServers)
    disks: Callable[[], Partitions] = partitions
    groups: Callable[[], tuple[VolumeGroup, ...]] = volume_groups
    ovs_bridges: Callable[[], tuple[str, ...]] = ovs_bridges
    volume_groups: VolumeGroups = field(default_factory=VolumeGroups)
    sampler: Sampler = field(default_factory=Sampler)
    federation: bool = False
    upgrades: SingleFlight[tuple[Upgrade, ...] | None] = field(init=False)  # of `packages`; None without a tool
    users: SingleFlight[Names] = field(init=False)  # of `accounts`
    _peers: Peers | None = field(default=None, init=False)

    def __post_init__(self) -> None:
        self.upgrades = SingleFlight(
            self._upgradable, "Listing the packages that can be updated", keep_s=_UPGRADES_KEPT_S
        )
        self.users = SingleFlight(lambda: self.accounts.users(), "Listing the users")

    def _upgradable(self) -> tuple[Upgrade, ...] | None:
        packages = self.packages()
        return packages.upgradable() if packages is not None else None

    def start(self, url: str) -> None:
        """Begin what goes on in the background. `url` is where the agent answers."""
        self.sampler.start()
        if self.federation and self._peers is None:
            parts = urlsplit(url)
            self._peers = Peers(scheme=parts.scheme, port=parts.port or 0, federation=True)
            self._peers.start()

    def peers(self) -> tuple[str, ...]:
        """Where the other agents on the network answer; none without federation."""
        return self._peers.list() if self._peers is not None else ()

    def close(self) -> None:
        """End it."""
        self.sampler.stop()
        if self._peers is not None:
            # Whether or not the network takes the good-bye, the agent has little time to end in.
            leaving = threading.Thread(target=self._peers.close, name="onggi-leaving", daemon=True)
            leaving.start()
            leaving.join(_GOOD_BYE_S)


def open_host(settings: Settings, root: Path = Path("/")) -> HostServices:
    """This machine."""
    return HostServices(
        power=HostPower(),
        reports=Lazy(lambda: Reports(settings.state / REPORTS)),
        packages=Lazy(lambda: open_packages(root)),
        repositories=Lazy(lambda: _repositories(root)),
        accounts=_accounts(settings),
        storage_servers=StorageServers(networks=Networks.of(settings.allowed_networks, private=True)),
        federation=settings.federation == "on",
    )


def _accounts(settings: Settings) -> Accounts:
    if (ldap := settings.ldap) is None:
        return SystemAccounts()
    from reconciler.host.directory import LdapAccounts  # what it needs is loaded only where it is used

    return LdapAccounts(ldap)


def _repositories(root: Path) -> Repositories | None:
    from reconciler.host.repositories.opening import open_repositories  # with APT's parsers: asked for by few

    return open_repositories(root)
