"""What a host answers when it is asked for more than its snapshot holds, as plain values."""

from __future__ import annotations

from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class SnapshotOf:
    """One snapshot of a VM. `created` in seconds since 1970; `parent` is empty for a first one.

    `state` is that of the VM when it was made: running, paused, shutoff, ... `current`: the VM stands on it now.
    `xml` describes it, with the definition of its time, and without secrets.
    """

    name: str
    created: int
    parent: str = ""
    state: str = "shutoff"
    current: bool = False
    xml: str = field(default="", repr=False)


@dataclass(frozen=True, slots=True)
class GuestAddress:
    """An address of a running machine. `network` is the network or bridge that the interface `mac` is on; `source` is
    lease | agent | arp: who says so.
    """

    address: str
    prefix: int
    network: str
    mac: str
    source: str


@dataclass(frozen=True, slots=True)
class HostInterface:
    """One network interface of the host. `type` is nic | bonding | bridge | vlan | unknown, nic only for a real one.

    `ipaddr` and `netmask` are IPv4 and empty without one. `parts` are the ports of a bridge, the slaves of a bond, and
    what a VLAN is on.
    """

    name: str
    type: str = "unknown"
    ipaddr: str = ""
    netmask: str = ""
    active: bool = False
    parts: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Abilities:
    """What a connection's machines can have. `generation` says of which connection it is true.

    `driver` is libvirt's name of it (QEMU, TEST, ...), `capabilities` libvirt's XML about the host, `emulator` the path
    of QEMU; both empty where the driver doesn't tell. `stream_protocols` are those that a CD-ROM's image may come by.
    `screenshots` is None where nobody has tried.
    """

    generation: int
    driver: str
    capabilities: str = ""
    emulator: str = ""
    spice: bool = False
    vfio: bool = False
    stream_protocols: tuple[str, ...] = ()
    memory_hotplug: bool = False
    screenshots: bool | None = None
