"""Clones a machine: its disks are copied whole, then a document like the original's asks for a machine with them.

Until that document is committed the copies are noted as the task's, half-made and then whole, so that a process that is
killed leaves none behind; a clone that fails takes its copies back.
"""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Final

from api.vms.completion import disks_to_be, pool_type
from api.vms.drafting import document
from api.vms.making import make_machine
from api.vms.removing import users_of_disk
from reconciler.applying.performing import Progress
from reconciler.desired.virtualmachine.implied import DEFAULT_POOL
from reconciler.errors import NotFound, OnggiError, Refused, Terminal
from reconciler.exporting.draft import Surroundings
from reconciler.exporting.virtualmachine.machine import machine
from reconciler.loop.passes import World
from reconciler.planning.one_off import CloneVolume
from reconciler.planning.operations import DeleteVolume
from reconciler.planning.ownership import Owned
from reconciler.planning.plan import Action, one_off_step
from reconciler.serving.client import Client
from reconciler.serving.serving import Serving
from reconciler.serving.tasks import Tell
from reconciler.writing.changes import Documents
from specs.codecs import size_text
from specs.plain import NewDocument, NewSpec, Spec
from specs.reach import console_owner, console_owners
from specs.reference import STORAGE_POOL, Ref
from specs.size import MIN_BYTES
from specs.storagepool.types import LUNS
from specs.virtualmachine import KIND as MACHINES
from specs.virtualmachine.storage.named_sources import disk_name

log = logging.getLogger("onggi.api")

_SUFFIXED: Final = {"qcow2": ".qcow2", "raw": ".img"}  # the formats that a new disk of a document can have
_OF_THE_ORIGINAL: Final = frozenset({"onggi/adopt", "onggi/protect"})
_OF_ONE_CARD: Final = frozenset({"mac", "addresses", "gateways", "nameservers"})
_LEFT_OUT: Final = frozenset({"autostart", "paused", "runStrategy"})
_DRIVE: Final = (
    "bus", "bootOrder", "target", "readOnly", "ioLimits", "device", "driver", "model", "rotationRate", "vendor",
    "product", "removable", "startupPolicy", "snapshot", "blockSizes", "geometry", "transient",
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class _Disk:
    """A disk of the original: its volume, what it is called, and what its document says of the drive."""

    volume: Ref
    name: str
    drive: Spec
    format: str


@dataclass(frozen=True, slots=True)
class _Copy:
    """A volume that was made of one, and its entry in the ledger."""

    disk: _Disk
    ref: Ref
    entry: Owned


def clone_machine(
    serving: Serving, original: Ref, clone: Ref, client: Client, tell: Tell, stop: threading.Event
) -> str | None:
    """Make `clone` and wait until it is there; a sentence when it's only committed. Raises OnggiError: then nothing
    of it is left.
    """
    serving.changes.check_allowed()
    serving.operations.look_again(None)  # nothing of its disks may be unknown
    source = _document_of(serving, original)
    disks = _disks(serving, original)
    copies: list[_Copy] = []
    made: NewDocument = {}
    try:
        for number, disk in enumerate(disks, 1):
            told = _teller(tell, f"Copying disk {number} of {len(disks)}")
            copies.append(_copy(serving, disk, clone, client, told, stop, tell.number))
        made = _like(serving, source, original, clone, _entries(serving.world, copies))
        tell("Defining the machine")
        message = f"Clone machine {original.name} as {clone.name}"
        later = make_machine(serving, clone, made, message, client, before=lambda: _all_there(serving, copies))
    except BaseException:
        # What is committed, and can't come true just now, needs them; so may what is committed while the agent stops.
        if not stop.is_set() and not _is_committed(serving, clone, made):
            _take_back(serving, copies, client)
            if made:
                serving.secrets.forget(console_owner(made["metadata"]["uid"]))
        raise
    serving.ledger.change(finish=[copy.ref for copy in copies])
    return later


# The original


def _document_of(serving: Serving, ref: Ref) -> NewDocument:
    """Its document, else what would adopt it."""
    found: list[NewDocument] = []

    def look(documents: Documents) -> Sequence[Any]:
        found[:] = [serving.document(ref, documents)]
        return []

    serving.changes.make(look, "", Client(""), [])
    return found[0]


def _as_it_is(world: World, ref: Ref) -> Spec:
    """What a document that says all of the machine's definition would say."""
    return machine(world.snapshot.objects[ref], Surroundings(world.snapshot)).spec


def _disks(serving: Serving, ref: Ref) -> list[_Disk]:
    """Every disk that the machine has, under the names of its document. Raises Terminal for one that is no volume."""
    world = serving.world
    observed = world.snapshot.objects[ref]
    resource = world.desired.resources.get(ref)
    disks = MACHINES.declared(resource.spec).get("disks", ()) if resource is not None else ()
    declared = {disk_name(disk): disk for disk in disks}
    present = _as_it_is(world, ref).get("disks", [])
    if len([disk for disk in present if "volume" in disk]) != len(MACHINES.lowered(observed.config).get("disks") or ()):
        raise Terminal(f"{ref} has a disk that is no volume of an active pool, which can't be copied.")
    names = {disk["name"] for disk in declared.values() if "name" in disk}
    found = []
    for item in present:
        volume = Ref.volume_named(item["volume"], DEFAULT_POOL)
        if (seen := world.snapshot.get(volume)) is None:
            raise Terminal(f"The volume {volume.name} of {ref} can't be seen; activate its pool first.")
        drive = declared.get(volume.name, item)
        name = drive.get("name") or next(free for n in range(1000) if (free := f"disk{n}") not in names)
        names.add(name)
        said = {key: drive[key] for key in _DRIVE if key in drive}
        found.append(_Disk(volume, name, said, str(seen.details.get("format") or "raw")))
    return found


# Copies


def _copy(
    serving: Serving,
    disk: _Disk,
    clone: Ref,
    client: Client,
    told: Callable[[Progress], None],
    stop: threading.Event,
    task: int,
) -> _Copy:
    """Copy it into the same pool, or into `default` when that can't take it. Raises Terminal KCHVM0034E."""
    pools = [disk.volume.pool] if pool_type(serving.world, disk.volume.pool) not in LUNS else []
    default = serving.world.snapshot.get(Ref(STORAGE_POOL, DEFAULT_POOL))
    if disk.volume.pool != DEFAULT_POOL and default is not None and default.active:
        pools.append(DEFAULT_POOL)
    refused: Refused | None = None
    for pool in pools:
        ref = _name_of_copy(serving.world, disk, clone, pool)
        entry = serving.lineage.made_for_client(ref, clone)
        step = one_off_step(
            ref,
            f"a clone of {disk.volume} for {clone} was asked for",
            CloneVolume(ref, disk.volume, part_of=task),
            action=Action.CREATE,
            owned=entry,
        )
        try:
            serving.operations.perform(step, client, stop=stop, on_progress=told)
        except Refused as error:
            if error.reason != "NoRoom":
                raise
            refused = error
        else:
            return _Copy(disk, ref, entry)
    raise Terminal(f"KCHVM0034E: {refused or f'No pool can take a copy of {disk.volume}.'}")


def _name_of_copy(world: World, disk: _Disk, clone: Ref, pool: str) -> Ref:
    if disk.format not in _SUFFIXED:
        return Ref.volume(pool, f"{clone.name}-{disk.name}.{disk.format}")
    return disks_to_be(world, clone.name, [{"name": disk.name, "size": 0, "format": disk.format, "pool": pool}])[0]


def _teller(tell: Tell, words: str) -> Callable[[Progress], None]:
    tell(words)

    def told(progress: Progress) -> None:
        if progress.total:
            tell(f"{words}: {100 * progress.done // progress.total} %")

    return told


def _all_there(serving: Serving, copies: Sequence[_Copy]) -> None:
    """The document that comes now asks for them: no longer half-made, and the machine's once it is committed.

    The entries are written once more: a pass that began before a copy was there may have taken it for gone.
    """
    refs = [copy.ref for copy in copies]
    serving.ledger.change(own=[copy.entry for copy in copies], whole=refs)


def _is_committed(serving: Serving, clone: Ref, made: NewDocument) -> bool:
    """False when no document of ours certainly asks for the copies."""
    if not made:
        return False
    try:
        found = serving.changes.newest(clone)
    except OnggiError:
        return True
    return found is not None and found["metadata"].get("uid") == made["metadata"]["uid"]


def _take_back(serving: Serving, copies: Sequence[_Copy], client: Client) -> None:
    for copy in copies:
        try:
            if not users_of_disk(serving.world, copy.ref):
                step = one_off_step(
                    copy.ref, "its machine couldn't be cloned", DeleteVolume(copy.ref), action=Action.DELETE
                )
                serving.operations.perform(step, client)
            serving.ledger.change(finish=[copy.ref])
        except NotFound:
            serving.ledger.change(finish=[copy.ref])
        except OnggiError as error:  # it's still noted as the task's: the next start deletes it
            log.warning("%s couldn't be removed: %s", copy.ref, error)


# The clone's document


def _entries(world: World, copies: Sequence[_Copy]) -> list[NewSpec]:
    entries = []
    for copy in copies:
        capacity = int(world.snapshot.objects[copy.ref].details["capacity"])
        entry: NewSpec = {"name": copy.disk.name}
        if copy.disk.format in _SUFFIXED and capacity >= MIN_BYTES:
            entry["size"] = size_text(capacity)
            if copy.disk.format == "raw":
                entry["format"] = "raw"
            if copy.ref.pool != DEFAULT_POOL:
                entry["pool"] = copy.ref.pool
        else:
            entry["volume"] = copy.ref.name
        entries.append(entry | dict(copy.disk.drive))
    return entries


def _like(serving: Serving, source: NewDocument, original: Ref, clone: Ref, disks: Sequence[Spec]) -> NewDocument:
    """The original's document with other disks, a new identity and no addresses; off, whatever the original is."""
    metadata, before = source["metadata"], source.get("spec") or {}
    spec: NewSpec = {}
    for key, value in before.items():
        if key == "disks":
            spec["disks"] = list(disks)
        elif key == "interfaces":
            spec["interfaces"] = _cards(value)
        elif key == "cloudInit":
            spec["cloudInit"] = {name: value[name] for name in value if name != "hostname"}
        elif key not in _LEFT_OUT:
            spec[key] = value
    if disks and "disks" not in spec:
        spec["disks"] = list(disks)
    present = _as_it_is(serving.world, original).get("interfaces", [])
    if len(present) > len(before.get("interfaces") or ()) and "template" not in before:
        spec["interfaces"] = _cards(present)
    spec["runStrategy"] = "Halted"
    annotations = {
        key: value for key, value in (metadata.get("annotations") or {}).items() if key not in _OF_THE_ORIGINAL
    }
    made = document(clone.name, spec, annotations, metadata.get("labels"))
    _copy_password(serving, original, made)
    return made


def _cards(interfaces: Sequence[Spec]) -> list[NewSpec]:
    """Interfaces without what only one machine may have. A clone asks DHCP until its document says otherwise."""
    return [{name: each[name] for name in each if name not in _OF_ONE_CARD} for each in interfaces]


def _copy_password(serving: Serving, original: Ref, made: NewDocument) -> None:
    """A password that was set through this API gets a file of its own: the original's goes with the original."""
    graphics = made["spec"].get("graphics") or {}
    path = str((graphics.get("passwordFrom") or {}).get("file") or "")
    if path and serving.secrets.is_kept(path):
        world = serving.world
        known = (world.desired.resources.get(original), world.snapshot.get(original))
        uids = (each.uid for each in known if each is not None)
        secret = serving.secrets.read(path, console_owners(*uids))
        kept = {key: value for key, value in graphics.items() if key != "passwordFrom"}
        if secret is not None:
            file = serving.secrets.keep(console_owner(made["metadata"]["uid"]), secret)
            kept["passwordFrom"] = {"file": str(file)}
        else:
            kept.pop("passwordValidTo", None)
        made["spec"]["graphics"] = kept
