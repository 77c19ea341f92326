"""The verbs of a plan, as data. A step lists them in order; only the hypervisor knows how to perform one.

Each is safe to perform twice: what is already so is success (a start of a running machine, a delete of a gone volume).
XML never holds a secret: a `SecretSlot` names where one goes and where it comes from
at the last moment.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from reconciler.planning.one_off import OneOff
from specs.reference import Ref


@dataclass(frozen=True, slots=True)
class SecretSource:
    """Where a secret is kept: exactly one of a file's path or an environment variable's name."""

    file: str = ""
    env: str = ""


@dataclass(frozen=True, slots=True)
class SecretSlot:
    """Where a secret goes: the attribute `attribute` of the element at ElementPath `path` in the operation's XML."""

    path: str
    attribute: str
    source: SecretSource


@dataclass(frozen=True, slots=True)
class Define:
    """Define a VM, pool or network persistently, or change its persistent definition in place (same UUID).

    `opens` are volumes that it gets and that onggi didn't make: refused when one's header names a file of the host.
    """

    ref: Ref
    uid: str
    xml: str
    secrets: tuple[SecretSlot, ...] = ()
    opens: tuple[Ref, ...] = ()


@dataclass(frozen=True, slots=True)
class Start:
    """Start a VM, activate a pool or network. `paused` starts a VM's CPUs stopped; `build` makes a pool's folder.

    `again` says how a VM came to an end by itself, such as crashed: its starts back off when that goes on and on.
    """

    ref: Ref
    paused: bool = False
    build: bool = False
    again: str = ""


@dataclass(frozen=True, slots=True)
class Stop:
    """Stop gracefully: a VM by ACPI within `timeout_s`, by force after it only when `force`. Others just stop."""

    ref: Ref
    timeout_s: float = 60.0
    force: bool = False


@dataclass(frozen=True, slots=True)
class Pause:
    """Stop a running VM's CPUs."""

    ref: Ref


@dataclass(frozen=True, slots=True)
class Resume:
    """Let a paused VM's CPUs go on."""

    ref: Ref


@dataclass(frozen=True, slots=True)
class SetAutostart:
    """Whether the host starts it at boot."""

    ref: Ref
    on: bool


@dataclass(frozen=True, slots=True)
class EditLive:
    """Change a running VM. The persistent definition is changed by the `Define` beside it.

    `verb`: attach | detach | update take a device's XML; memory takes KiB, vcpus a count, title and description a text,
    resize `target device|bytes`; iotune takes a disk's XML, of which only the limits are said, tune the XML of what is
    to be set of processors, I/O threads and memory.
    """

    ref: Ref
    verb: Literal[
        "attach", "detach", "update", "memory", "vcpus", "title", "description", "resize", "iotune", "tune", "stats"
    ]
    value: str
    secrets: tuple[SecretSlot, ...] = ()


@dataclass(frozen=True, slots=True)
class UpdateNetwork:
    """Change one entry of a network without a restart. `section` is libvirt's word for where (ip-dhcp-host, dns-host,
    ...), `xml` the entry.
    """

    ref: Ref
    command: Literal["add", "modify", "delete"]
    section: str
    xml: str


@dataclass(frozen=True, slots=True)
class WriteMark:
    """Put onggi's mark into a VM's metadata, in its definition and in the running machine. Nothing else is touched.

    `xml` is the mark's element without its namespace, which libvirt adds. Refused when the object's UUID
    isn't `uid`.
    """

    ref: Ref
    uid: str
    xml: str


@dataclass(frozen=True, slots=True)
class ReconnectInterfaces:
    """Plug the interfaces of running machines into a network again that was stopped and started below them.

    `ref` is the network. An interface that is plugged in is left alone, and so is a machine that stopped meanwhile.
    """

    ref: Ref
    machines: tuple[Ref, ...]


@dataclass(frozen=True, slots=True)
class Undefine:
    """Remove the definition of an inactive object. Keeps every volume; a VM's NVRAM, managed save and snapshot
    metadata go with it. Refused by the performer when the object's UUID isn't `uid`.
    """

    ref: Ref
    uid: str


@dataclass(frozen=True, slots=True)
class DefineSecret:
    """Keep a password in libvirt for a pool's source, under the name that the pool's XML refers to."""

    ref: Ref
    xml: str
    source: SecretSource


@dataclass(frozen=True, slots=True)
class SetSecretValue:
    """Hand a secret's value to libvirt, read at this moment. `encoding` is how it is written there: text or base64."""

    ref: Ref
    source: SecretSource
    encoding: str = "text"


@dataclass(frozen=True, slots=True)
class DefineInterface:
    """Make an interface of the host that a network joins, such as the bridge over a VLAN. One that exists stays."""

    ref: Ref
    name: str
    xml: str


@dataclass(frozen=True, slots=True)
class ExtendVolumeGroup:
    """Add those of `devices` to the volume group of a logical pool that it lacks. What is on one isn't overwritten.

    With `made_later` the group may be missing: the pool's start makes it of all its devices.
    """

    ref: Ref
    group: str
    devices: tuple[str, ...]
    made_later: bool = False


@dataclass(frozen=True, slots=True)
class CreateVolume:
    """Make a volume from its XML. `content` are its bytes (a seed); `url` is downloaded and checked by `sha256`.

    `part_of` as with `CloneVolume`. With `tables` those of a qcow2 image are written beforehand.
    """

    ref: Ref
    xml: str
    content: bytes | None = None
    url: str = ""
    sha256: str = ""
    part_of: int | None = None
    tables: bool = False


@dataclass(frozen=True, slots=True)
class GrowVolume:
    """Make a volume larger in place; in a running guest too when `in_use_by` names the VM and its target device."""

    ref: Ref
    capacity: int
    in_use_by: Ref | None = None
    target: str = ""


@dataclass(frozen=True, slots=True)
class TrashVolume:
    """Keep a removed volume, where it is, until its time in the trash is over. The step's `owned` says since when."""

    ref: Ref


@dataclass(frozen=True, slots=True)
class Rename:
    """Give an inactive VM another name; UUID, definition and disks stay."""

    ref: Ref  # as it is called now
    to: Ref
    uid: str


@dataclass(frozen=True, slots=True)
class RenameSnapshots:
    """Have the snapshots of a renamed VM name it and its disks as they are called now; they are put back and deleted
    by those names. `paths` are old and new ones. What was cut off is finished.
    """

    ref: Ref  # under its new name
    uid: str
    paths: tuple[tuple[str, str], ...] = ()


@dataclass(frozen=True, slots=True)
class RenameVolume:
    """Give a volume that nobody has open another name in its pool. Never writes over one that is there."""

    ref: Ref
    to: Ref


@dataclass(frozen=True, slots=True)
class DeleteVolume:
    """Delete a volume and its data. Planned only for `deletionPolicy: Delete` and for seeds that nobody uses."""

    ref: Ref


Operation = (
    DefineSecret
    | SetSecretValue
    | DefineInterface
    | ExtendVolumeGroup
    | Define
    | Start
    | Stop
    | Pause
    | Resume
    | SetAutostart
    | EditLive
    | UpdateNetwork
    | ReconnectInterfaces
    | WriteMark
    | Undefine
    | CreateVolume
    | GrowVolume
    | TrashVolume
    | Rename
    | RenameSnapshots
    | RenameVolume
    | DeleteVolume
    | OneOff
)
