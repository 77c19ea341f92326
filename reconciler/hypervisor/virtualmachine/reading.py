"""Reads virtual machines: all of them with few calls, or a few of them one by one.

The text of each definition is the only thing that takes a call per machine; it is fetched over several connections,
each of which lists the machines itself and takes its share of them by UUID (looking one up would cost as much as
reading it).
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from concurrent.futures import Executor
from dataclasses import dataclass
from functools import partial

import libvirt

from reconciler.hypervisor.carrying import carried
from reconciler.hypervisor.connection import Connections
from reconciler.hypervisor.driver import ReadingTools
from reconciler.hypervisor.failure import is_unsupported
from reconciler.hypervisor.found import Found
from reconciler.hypervisor.reading import Reading
from reconciler.hypervisor.virtualmachine.definitions import definition
from reconciler.hypervisor.virtualmachine.states import GUEST_SHUTDOWN, HOST_SIGNAL, state_and_reason
from reconciler.observed.snapshot import Observed
from specs.reference import VIRTUAL_MACHINE, Ref

# Below this many, waking threads and listing again costs more than it saves.
_WORTH_SPREADING = 40
_READING = "read the virtual machines"
# Reading one machine alone takes about seven calls, in bulk about one.
_CALLS_ALONE = 7
_FEW = 16


@dataclass(frozen=True, slots=True)
class _Facts:
    """What one call tells of all machines, by UUID."""

    states: Mapping[bytes, tuple[str, str]]
    autostart: frozenset[bytes]
    transient: frozenset[bytes]
    saved: frozenset[bytes]
    signalled: frozenset[bytes]  # ended by a signal of the host, as an event told


class MachineReader:
    """The virtual machines of one host."""

    def __init__(self, tools: ReadingTools) -> None:
        self._connections = tools.connections
        self._workers = tools.workers

    def read(self, reading: Reading) -> None:
        """All of them, also when nearly all are marked, or the marked ones."""
        before = reading.before
        machines = reading.wanted(VIRTUAL_MACHINE)
        known = sum(ref.kind == VIRTUAL_MACHINE for ref in before) if len(machines) > _FEW else 0
        if reading.everything or (len(machines) > _FEW and len(machines) * _CALLS_ALONE > known):
            reading.found.add(_read_all(self._connections, self._workers, before))
            reading.note_whole(VIRTUAL_MACHINE)
        elif machines:
            reading.found.add(_read_some(self._connections, machines, before))

    def outdated(self, name: str) -> None:
        """libvirt knows its machines."""


def _read_all(connections: Connections, workers: Executor, before: Mapping[Ref, Observed]) -> Found:
    """Every virtual machine of the host. Raises Disconnected; one that can't be read is skipped."""
    with connections.lend(_READING) as connection:
        domains = connection.listAllDomains()
        if not domains:
            return Found()
        facts = _facts(connection, connections.runs.signalled)
        if len(domains) < _WORTH_SPREADING:
            return _read(domains, facts, before)
    shares = connections.quick_size
    tasks = [workers.submit(_read_share, connections, number, shares, facts, before) for number in range(shares)]
    found = Found()
    for task in tasks:
        found.add(task.result())
    return found


def _read_some(connections: Connections, refs: Iterable[Ref], before: Mapping[Ref, Observed]) -> Found:
    """These virtual machines alone. One that is gone is in neither result. Raises Disconnected."""
    found = Found()
    with connections.lend(_READING) as connection:
        for ref in refs:
            found.read(ref, partial(_one_named, connection, connections, ref, before.get(ref)), connection, before)
    return found


def _one_named(connection: libvirt.virConnect, connections: Connections, ref: Ref, before: Observed | None) -> Observed:
    domain = connection.lookupByName(ref.name)
    return _one(domain, _facts_of(domain, connections.runs.signalled), before)


def _read_share(
    connections: Connections, number: int, shares: int, facts: _Facts, before: Mapping[Ref, Observed]
) -> Found:
    with connections.lend(_READING) as connection:
        mine = [domain for domain in connection.listAllDomains() if domain.UUID()[-1] % shares == number]
        return _read(mine, facts, before)


def _read(domains: Iterable[libvirt.virDomain], facts: _Facts, before: Mapping[Ref, Observed]) -> Found:
    found = Found()
    for domain in domains:
        ref = Ref(VIRTUAL_MACHINE, domain.name())
        found.read(ref, partial(_one, domain, facts, before.get(ref)), domain.connect(), before)
    return found


def _one(domain: libvirt.virDomain, facts: _Facts, before: Observed | None) -> Observed:
    uuid = domain.UUID()
    # The number is of when the machine was listed; the state is asked for where the two contradict each other.
    state, reason = facts.states.get(uuid) or state_and_reason(*domain.state())
    active = domain.ID() != -1
    if active == (state == "shutoff"):
        state, reason = state_and_reason(*domain.state())
        active = bool(domain.isActive())
    if uuid in facts.signalled and (state, reason) == GUEST_SHUTDOWN:
        reason = HOST_SIGNAL
    return carried(
        before,
        Ref(VIRTUAL_MACHINE, domain.name()),
        uid=domain.UUIDString(),
        xml=definition(domain, libvirt.VIR_DOMAIN_XML_INACTIVE),
        live_xml=definition(domain) if active else None,
        state=state,
        reason=reason,
        autostart=uuid in facts.autostart,
        persistent=uuid not in facts.transient,
        details={"managed_save": True} if uuid in facts.saved else {},
    )


def _facts(connection: libvirt.virConnect, signalled: frozenset[bytes]) -> _Facts:
    return _Facts(
        states=_states(connection),
        autostart=_flagged(connection, libvirt.VIR_CONNECT_LIST_DOMAINS_AUTOSTART),
        transient=_flagged(connection, libvirt.VIR_CONNECT_LIST_DOMAINS_TRANSIENT),
        saved=_flagged(connection, libvirt.VIR_CONNECT_LIST_DOMAINS_MANAGEDSAVE),
        signalled=signalled,
    )


def _facts_of(domain: libvirt.virDomain, signalled: frozenset[bytes]) -> _Facts:
    uuid = domain.UUID()
    persistent = bool(domain.isPersistent())

    def those(true: Callable[[], object]) -> frozenset[bytes]:
        if not persistent:  # can't be started with the host, nor be saved: asking would be an error
            return frozenset()
        try:
            return frozenset((uuid,)) if true() else frozenset()
        except libvirt.libvirtError as error:
            if is_unsupported(error):
                return frozenset()
            raise

    return _Facts(
        states={uuid: state_and_reason(*domain.state())},
        autostart=those(domain.autostart),
        transient=frozenset() if persistent else frozenset((uuid,)),
        saved=those(domain.hasManagedSaveImage),
        signalled=signalled,
    )


def _states(connection: libvirt.virConnect) -> Mapping[bytes, tuple[str, str]]:
    try:
        statistics = connection.getAllDomainStats(libvirt.VIR_DOMAIN_STATS_STATE)
    except libvirt.libvirtError as error:
        if is_unsupported(error):
            return {}  # each is asked for its own
        raise
    return {
        domain.UUID(): state_and_reason(values.get("state.state", 0), values.get("state.reason", 0))
        for domain, values in statistics
        if "state.state" in values
    }


def _flagged(connection: libvirt.virConnect, flag: int) -> frozenset[bytes]:
    try:
        return frozenset(domain.UUID() for domain in connection.listAllDomains(flag))
    except libvirt.libvirtError as error:
        if is_unsupported(error):
            return frozenset()
        raise
