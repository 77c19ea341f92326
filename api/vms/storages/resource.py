"""/vms/{name}/storages: a machine's disks and CD-ROM drives. Attaching, detaching and changing a medium are commits.

Detaching a disk never removes its volume.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Final

from api.http.endpoint import Call, delete, get, post, put
from api.http.isolated import isolated
from api.http.refusal import bad, not_found
from api.http.schema import arr, obj, text
from api.vms.devices import Listed, MachineDevices
from api.vms.storages.media import BAD_PATH, Media, Medium
from api.vms.storages.view import CDROM, DISK, LISTS, STORAGE, find_storage, storage_view, storages
from reconciler.identity.role import Role
from reconciler.loop.passes import World
from reconciler.observed.snapshot import Observed
from reconciler.serving.machine_items import Item, own_volume
from reconciler.writing.changes import Put
from specs.document import API_VERSION
from specs.plain import Json, NewJson
from specs.reference import Ref
from specs.virtualmachine import KIND as MACHINES
from specs.virtualmachine.storage import cdroms, disks
from specs.virtualmachine.storage.drives import HOT_PLUGGED, free_target

if TYPE_CHECKING:
    from specs.virtualmachine.spec import LoweredCdrom, LoweredDisk

_MOST_IDE: Final = 4
_MEDIUM: Final = ("volume", "path", "url")
_PATH: Final = r"^(?:/|(?:[Hh][Tt][Tt][Pp][Ss]?|[Ff][Tt][Pp][Ss]?|[Tt][Ff][Tt][Pp])://)[^\x00-\x1f\x7f]*$"
_PATH_TOLD: Final = "A path of the host, or an address with http, https, ftp or ftps."

_CREATE = obj(
    {
        "type": text("disk or cdrom.", enum=[DISK, CDROM], x_code="KCHVMSTOR0002E"),
        "pool": text("The storage pool that has the volume.", minLength=1, x_code="KCHVMSTOR0012E"),
        "vol": text("The volume to attach.", minLength=1, x_code="KCHVMSTOR0012E"),
        "path": text(_PATH_TOLD, pattern=_PATH, maxLength=4096, x_code=BAD_PATH),
    },
    required=("type",),
    closed=False,
    x_code="KCHVMSTOR0012E",
)
_UPDATE = obj(
    {"path": text(f"{_PATH_TOLD} Empty: take the medium out.", pattern=f"^$|{_PATH}", maxLength=4096, x_code=BAD_PATH)},
    required=("path",),
    x_code="KCHVMSTOR0013E",
)


class _Family(MachineDevices):
    def view(self, world: World, observed: Observed, dev: str) -> NewJson:
        found = find_storage(observed, dev)
        if found is None:
            raise not_found("KCHVMSTOR0007E", f"The storage {dev} of {observed.ref.name}")
        return storage_view(*found, world.snapshot.host)

    def after(self, world: World, observed: Observed) -> Observed:
        return self.observed(world, observed.ref)


class MachineStorages(_Family):
    """All disks and drives of a machine."""

    address = "/vms/{name}/storages"

    @get("The disks and CD-ROM drives of a machine.", arr(STORAGE), filters=True, role=Role.VIEWER)
    def read(self, _call: Call, name: str) -> list[NewJson]:
        """Those that it runs with, or would start with."""
        observed, host = self.machine(name), self.serving.world.snapshot.host
        return isolated(
            storages(observed), lambda found: storage_view(*found, host), lambda _found: f"a storage of {observed.ref}"
        )

    @post(
        "Attach a volume as a disk, or add a CD-ROM drive with a medium.",
        STORAGE,
        _CREATE,
        failure="KCHVMSTOR0008E",
        role=Role.ADMIN,
    )
    def attach(self, call: Call, name: str) -> NewJson:
        """Its document lists the drive from now on."""
        observed, kind = self.machine(name), str(call.body["type"])
        media = Media(self.serving, call.client)
        medium = media.named(kind, call.body)
        bus = _bus(observed, kind)
        _check_bus(observed, bus)
        self.check_pluggable(observed)
        with self._reserved(medium, kind):
            if kind == DISK and medium.volume is not None:
                media.check_free(medium.volume)
            target = ""

            def change(listed: Listed) -> None:
                nonlocal target
                target = free_target(bus, _targets(observed, listed))
                listed.items.append(_item(listed, kind, medium, bus, target))

            what = "a CD-ROM drive" if kind == CDROM else f"the disk {medium.item['volume']}"
            world = self.change_list(call, observed, LISTS[kind], change, f"Attach {what} to")
        now = self.after(world, observed)
        if find_storage(now, target) is None:
            raise self.not_there(world, "the storage")
        self.check_running(observed.ref, LISTS[kind], lambda drive: drive.get("target") == target, there=True)
        return self.view(world, now, target)

    @contextmanager
    def _reserved(self, medium: Medium, kind: str) -> Iterator[None]:
        """No two machines are given one volume by requests at the same moment."""
        volume = medium.volume if kind == DISK else None
        promise = self.serving.names.take(Ref("Attachment", volume.name)) if volume is not None else None
        if volume is not None and promise is None:
            raise bad("KCHVMSTOR0016E", f"The volume {volume.name} is being attached by another request.")
        try:
            yield
        finally:
            if promise is not None:
                self.serving.names.release(promise)


class MachineStorage(_Family):
    """One disk or drive."""

    address = "/vms/{name}/storages/{dev}"

    @get("A disk or a CD-ROM drive.", STORAGE, role=Role.VIEWER)
    def read(self, _call: Call, name: str, dev: str) -> NewJson:
        """As it was observed last."""
        return self.view(self.serving.world, self.machine(name), dev)

    @put(
        "Change the medium of a CD-ROM drive, or take it out.",
        STORAGE,
        _UPDATE,
        failure="KCHVMSTOR0009E",
        role=Role.OPERATOR,
    )
    def change_medium(self, call: Call, name: str, dev: str) -> NewJson:
        """The drive stays; a running machine sees the new medium at once."""
        observed = self.machine(name)
        if self._found(observed, dev)[0] != CDROM:
            raise bad("KCHVMSTOR0006E", f"{dev} of {name} is a disk; only a CD-ROM drive's medium can be changed.")
        path = str(call.body["path"])
        medium = Media(self.serving, call.client).at(CDROM, path) if path else Medium({})
        self.check_pluggable(observed)

        def change(listed: Listed) -> None:
            place = listed.place(lambda drive: drive.get("target") == dev)
            if len(MACHINES.lowered(observed.config).get("cdroms") or ()) > 1:
                _keep_apart(listed)
            if place is None:
                place = len(listed.items)
                listed.items.append({"target": dev} | _free_name(listed))
            kept = {key: value for key, value in listed.items[place].items() if key not in _MEDIUM}
            listed.items[place] = kept | dict(medium.item)

        verb = f"Change the medium in {dev} of" if path else f"Eject the medium in {dev} of"
        world = self.change_list(call, observed, LISTS[CDROM], change, verb)
        return self.view(world, self.after(world, observed), dev)

    @delete("Detach a disk or remove a CD-ROM drive. The data stays.", failure="KCHVMSTOR0010E", role=Role.ADMIN)
    def detach_storage(self, call: Call, name: str, dev: str) -> None:
        """Its document doesn't list it any more."""
        observed = self.machine(name)
        kind, item = self._found(observed, dev)
        _check_bus(observed, str(item.get("bus") or ""))
        self.check_pluggable(observed)

        def also(listed: Listed, place: int) -> None:
            if kind == CDROM:
                _keep_apart(listed)
            else:
                self._keep_volume(listed, place)

        def is_meant(drive: LoweredDisk | LoweredCdrom) -> bool:
            return drive.get("target") == dev

        self.detach(call, observed, LISTS[kind], is_meant, f"Detach {dev} from", also)

    def _found(self, observed: Observed, dev: str) -> tuple[str, Json]:
        found = find_storage(observed, dev)
        if found is None:
            raise not_found("KCHVMSTOR0007E", f"The storage {dev} of {observed.ref.name}")
        return found

    @staticmethod
    def _keep_volume(listed: Listed, place: int) -> None:
        """A volume that would be deleted with its place in the machine's document gets a document of its own."""
        volume = own_volume(place, listed.items, listed.document, listed.observed, listed.world)
        if volume is None or listed.document["spec"].get("deletionPolicy") != "Delete":
            return
        implied = listed.world.desired.resources.get(volume)
        if implied is not None:
            document = {
                "apiVersion": API_VERSION,
                "kind": volume.kind,
                "metadata": {"name": volume.short_name},
                "spec": {**implied.spec, "deletionPolicy": "Retain"},
            }
            listed.further.append(Put(volume, document))


def _bus(observed: Observed, kind: str) -> str:
    """The bus of the machine's other drives of this kind, else the one that documents mean when they name none."""
    for item in (observed.live or observed.config).get(LISTS[kind]) or ():
        if item.get("bus"):
            return str(item["bus"])
    return disks.DEFAULT_BUS if kind == DISK else cdroms.DEFAULT_BUS


def _check_bus(observed: Observed, bus: str) -> None:
    if observed.active and bus not in HOT_PLUGGED:
        raise bad(
            "KCHVMSTOR0011E",
            f"Drives on the bus {bus} don't come and go while a machine runs; shut {observed.ref.name} down first.",
        )


def _targets(observed: Observed, listed: Listed) -> set[str]:
    """Every device name that somebody has, or is promised."""
    spec = listed.document["spec"]
    declared = [*(spec.get("disks") or ()), *(spec.get("cdroms") or ()), *listed.items]
    names = {str(item["target"]) for item in declared if "target" in item}
    for seen in (observed.config, observed.live or {}):
        names |= {str(item.get("target") or "") for name in LISTS.values() for item in seen.get(name) or ()}
    return names


def _item(listed: Listed, kind: str, medium: Medium, bus: str, target: str) -> Item:
    default = disks.DEFAULT_BUS if kind == DISK else cdroms.DEFAULT_BUS
    item: Item = dict(medium.item) | {"target": target}
    if bus != default:
        item["bus"] = bus
    if bus == "ide":
        _check_room(listed.observed)
    return (_free_name(listed) if kind == CDROM else {}) | item


def _check_room(observed: Observed) -> None:
    drives = [item for name in LISTS.values() for item in observed.config.get(name) or () if item.get("bus") == "ide"]
    if len(drives) >= _MOST_IDE:
        raise bad("KCHVMSTOR0014E", f"The bus ide has room for {_MOST_IDE} drives; detach one first.")


def _free_name(listed: Listed) -> Item:
    """A name for a drive at the end of the list, when another is called as this one would be by its place."""
    names = {str(item.get("name") or f"cdrom{place}") for place, item in enumerate(listed.items)}
    place = len(listed.items)
    if f"cdrom{place}" not in names:
        return {}
    return {"name": next(name for number in range(len(names) + 1) if (name := f"cdrom{number}") not in names)}


def _keep_apart(listed: Listed) -> None:
    """Drives that are known by their places alone get a device name each."""
    listed.keep_apart("target", lambda pair: "name" not in listed.items[pair.place])
