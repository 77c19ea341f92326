"""The facts of a host that rendering needs: what it can run, what the connection can do, where its devices and
volumes are.

What doesn't change while a connection lasts is asked once. Asking changes nothing: a call is probed with an argument
that no driver accepts, and only "not supported" counts as no.
"""

from __future__ import annotations

import re
import socket
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field

import libvirt

from reconciler.bulkhead import contained
from reconciler.hypervisor.connection import Connections
from reconciler.hypervisor.failure import is_not_found, is_unsupported
from reconciler.hypervisor.host.acceleration import kvm_is_usable
from reconciler.hypervisor.host.starting import starts_with
from reconciler.hypervisor.host.subnets import host_subnets
from reconciler.hypervisor.places import Places, Teller
from reconciler.locality import is_here
from reconciler.observed.snapshot import Observed
from specs.binding import parse
from specs.host import Feature, Host, NodeDevice
from specs.reach import Reach
from specs.reference import Ref

_BEST_FIRST = ("kvm", "qemu", "test")
# What comes and goes with each guest and container, and no network goes through.
_OF_GUESTS = re.compile(r"(?:vnet|macvtap|tap|veth)[0-9a-f]+")
_NODE_DEVICES = (
    libvirt.VIR_CONNECT_LIST_NODE_DEVICES_CAP_PCI_DEV
    | libvirt.VIR_CONNECT_LIST_NODE_DEVICES_CAP_USB_DEV
    | libvirt.VIR_CONNECT_LIST_NODE_DEVICES_CAP_SCSI
)
# libvirt's capability of a node device → our word, and the numbers of its address.
_DEVICE_KINDS = {
    "pci": ("pci", ("domain", "bus", "slot", "function")),
    "usb_device": ("usb", ("bus", "device")),
    "scsi": ("scsi", ("host", "bus", "target", "lun")),
}


@dataclass(slots=True)
class _Known:
    """What was learned from one connection."""

    generation: int
    arch: str
    domain_types: tuple[str, ...]
    machines: tuple[str, ...]
    emulators: Mapping[str, str]
    starts_with: frozenset[str] | None
    features: frozenset[Feature]
    devices: dict[str, NodeDevice] = field(default_factory=dict)


class HostFacts:
    """Answers for one host; `tellers` are the kinds'. `forget_devices` may be called from any thread at any time."""

    def __init__(
        self,
        connections: Connections,
        tellers: Mapping[str, Teller],
        allowed_folders: tuple[str, ...],
        reach: Reach | None = None,
    ) -> None:
        self._connections = connections
        self._tellers = tellers
        self._allowed_folders = allowed_folders
        self._reach = reach
        self._known: _Known | None = None
        self._devices_stale = True
        self._host_subnets: tuple[str, ...] | None = None

    def can(self, feature: Feature) -> bool:
        """True when the connection has `feature`. Raises Disconnected."""
        return feature in self._learned().features

    def host(self, objects: Mapping[Ref, Observed]) -> Host:
        """The facts, with the places of what was observed. Raises Disconnected."""
        known = self._learned()
        places = Places(subnets=set(self._subnets()))
        for ref, seen in objects.items():
            if (tell := self._tellers.get(ref.kind)) is not None:
                tell(seen, places)
        return Host(
            arch=known.arch,
            domain_types=known.domain_types,
            machines=known.machines,
            emulators=known.emulators,
            starts_with=known.starts_with,
            features=known.features,
            volumes=places.volumes,
            pool_paths=places.pool_paths,
            node_devices=known.devices,
            interfaces=self._interfaces(known),
            used_subnets=tuple(sorted(places.subnets)),
            allowed_folders=self._allowed_folders,
            reach=self._reach,
        )

    def _subnets(self) -> tuple[str, ...]:
        if self._host_subnets is None:
            self._host_subnets = tuple(host_subnets())
        return self._host_subnets

    def _interfaces(self, known: _Known) -> frozenset[str] | None:
        if not is_here(self._connections.uri) or known.domain_types == ("test",):
            return None  # another machine's, or one that there isn't
        return frozenset(name for _, name in socket.if_nameindex() if not _OF_GUESTS.fullmatch(name))

    def forget_addresses(self) -> None:
        """A full reading begins: the machine's own addresses are asked for again, which takes a while."""
        self._host_subnets = None

    def forget_devices(self) -> None:
        """A device came, went or changed: they are read again with the next full reading."""
        self._devices_stale = True

    def look_at_devices(self) -> None:
        """Read the host's devices again when they may have changed; a new mapping when they did. Raises
        Disconnected.
        """
        known = self._learned()
        if not self._devices_stale or Feature.NODE_DEVICES not in known.features:
            return
        self._devices_stale = False
        devices: dict[str, NodeDevice] = {}
        with self._connections.lend("list the host's devices") as connection:
            for device in connection.listAllDevices(_NODE_DEVICES):
                try:
                    name, xml = device.name(), device.XMLDesc()
                except libvirt.libvirtError as error:
                    if is_not_found(error):  # unplugged since it was listed
                        continue
                    raise
                found = contained("reading the device", name, xml, _node_device, name, xml)
                if isinstance(found, NodeDevice):
                    devices[found.name] = found
        if devices != known.devices:
            known.devices = dict(sorted(devices.items()))

    def _learned(self) -> _Known:
        self._connections.ensure()
        known, generation = self._known, self._connections.generation
        if known is None or known.generation != generation:
            with self._connections.lend("read the host's capabilities") as connection:
                known = self._known = _learn(connection, generation, kvm=kvm_is_usable(self._connections.uri))
            self._devices_stale = True
        return known


def _learn(connection: libvirt.virConnect, generation: int, *, kvm: bool) -> _Known:
    capabilities = parse(connection.getCapabilities())
    host_arch = capabilities.findtext("host/cpu/arch") or "x86_64"
    guests = [each.find("arch") for each in capabilities.findall("guest") if each.findtext("os_type") == "hvm"]
    same = [each for each in guests if each is not None and each.get("name") == host_arch]
    guest = next(iter(same or guests), None)
    types: set[str] = set()
    machines: list[str] = []
    if guest is not None:
        types = {each.get("type") or "" for each in guest.findall("domain")}
        for machine in guest.iter("machine"):
            machines += filter(None, (machine.text, machine.get("canonical")))
    return _Known(
        generation=generation,
        arch=(guest.get("name") if guest is not None else None) or host_arch,
        domain_types=_best_first(types, kvm=kvm),
        machines=tuple(dict.fromkeys(machines)),
        emulators={str(each.get("name")): each.findtext("emulator") or "" for each in guests if each is not None},
        starts_with=starts_with(connection, host_arch, "q35" if "q35" in machines else None),
        features=frozenset(_features(connection)),
    )


def _best_first(types: set[str], *, kvm: bool) -> tuple[str, ...]:
    """The first is what a machine gets that doesn't say; KVM that can't be used stays for those who ask for it."""
    known = [each for each in _BEST_FIRST if each in types]
    if not kvm and "kvm" in known:
        known.append(known.pop(known.index("kvm")))
    return tuple(known) or tuple(sorted(types)) or ("qemu",)


def _features(connection: libvirt.virConnect) -> Iterator[Feature]:
    # These need a machine or a volume to be asked directly, which a new host lacks. A driver that describes what its
    # machines can have runs real ones, and all of those come with libvirt's real storage driver.
    if _answers(lambda: connection.getDomainCapabilities()):
        yield from (Feature.DEVICE_HOTPLUG, Feature.VOLUME_UPLOAD, Feature.VOLUME_RESIZE)
    if _answers(lambda: connection.listAllDevices(_NODE_DEVICES)):
        yield Feature.NODE_DEVICES
    if _answers(lambda: connection.interfaceDefineXML("<none/>")):
        yield Feature.HOST_INTERFACES
    only_off = libvirt.VIR_CONNECT_GET_ALL_DOMAINS_STATS_SHUTOFF  # the cheap ones: the question is whether, not what
    enforced = libvirt.VIR_CONNECT_GET_ALL_DOMAINS_STATS_ENFORCE_STATS | only_off
    if _answers(lambda: connection.getAllDomainStats(libvirt.VIR_DOMAIN_STATS_CPU_TOTAL, enforced)):
        yield Feature.GUEST_STATISTICS


def _answers(call: Callable[[], object]) -> bool:
    try:
        call()
    except libvirt.libvirtError as error:
        return not is_unsupported(error)
    return True


def _node_device(name: str, xml: str) -> NodeDevice | None:
    root = parse(xml)
    for capability in root.findall("capability"):
        kind, numbers = _DEVICE_KINDS.get(capability.get("type") or "", ("", ()))
        if kind:
            return NodeDevice(name, kind, {each: int(capability.findtext(each) or "0", 0) for each in numbers})
    return None
