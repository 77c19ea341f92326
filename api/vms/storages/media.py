"""What a client wants in a drive, as a machine's document says it: a volume, a file in an allowed folder, an address.

Everything is looked for before anything is committed, and each thing that is missing or unfit has Kimchi's code.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final
from urllib.parse import urlsplit

from api.http.refusal import Refusal, bad
from api.storagepools.usage import machines_with
from api.vms.storages.view import CDROM, DISK
from reconciler.desired.virtualmachine.implied import complete
from reconciler.errors import Forbidden, Terminal
from reconciler.hypervisor.virtualmachine.media_addresses import check_host
from reconciler.identity.role import Role
from reconciler.locality import is_here
from reconciler.network.limits import FOR_CLIENTS
from reconciler.observed.snapshot import Observed, Snapshot
from reconciler.planning.one_off import RefreshPool
from reconciler.planning.plan import one_off_step
from reconciler.serving.client import Client
from reconciler.serving.serving import Serving
from reconciler.serving.within import require
from specs.plain import Json
from specs.reference import STORAGE_POOL, STORAGE_VOLUME, Ref
from specs.url import url_problem
from specs.virtualmachine.storage.cdroms import SEED_PREFIX

BAD_PATH: Final = "KCHVMSTOR0003E"

_DISK_FORMATS: Final = frozenset({"raw", "bochs", "qcow", "qcow2", "qed", "vmdk"})


@dataclass(frozen=True, slots=True)
class Medium:
    """`item` are the keys of a drive in a document; `volume` is set when it is one."""

    item: Mapping[str, str]
    volume: Ref | None = None


class Media:
    """Finds what one request names."""

    def __init__(self, serving: Serving, client: Client) -> None:
        self._serving = serving
        self._client = client

    def named(self, kind: str, body: Json) -> Medium:
        """What `pool` and `vol`, or `path`, mean for a drive of this kind. Raises Refusal 400."""
        by_volume = "pool" in body or "vol" in body
        if by_volume == ("path" in body) or (by_volume and not ("pool" in body and "vol" in body)):
            raise bad("KCHVMSTOR0017E", "Name either a `path`, or a `pool` together with a `vol` in it.")
        if by_volume:
            return self._volume(kind, str(body["pool"]), str(body["vol"]))
        return self.at(kind, str(body["path"]))

    def at(self, kind: str, path: str) -> Medium:
        """What a path of the host, or an address, means. Raises Refusal 400."""
        if not path.startswith("/"):
            require(self._client.role, Role.ADMIN, "An image from an address")
            return self._address(kind, path)
        if self._client.role < Role.OPERATOR:
            return self._image_of_everybodys(path)
        if (volume := self._volume_at(path)) is not None:
            self._check_format(kind, volume)
            return Medium({"volume": volume.name}, volume)
        if kind == DISK:
            raise bad(BAD_PATH, "A disk has to be a volume of an active storage pool, and no volume has this path.")
        require(self._client.role, Role.ADMIN, "A file that is no volume of a storage pool")
        self._check_file(path)
        return Medium({"path": path})

    def may_have(self, path: str) -> bool:
        """Whether a client may put what is at a path of the host into a drive."""
        try:
            self.at(CDROM, path)
        except (Refusal, Forbidden):
            return False
        return True

    def _image_of_everybodys(self, path: str) -> Medium:
        """For who works with their own machines alone: an ISO image of a pool, and nothing that came with another's
        machine. Whatever it is not isn't told: nobody looks for files so.
        """
        volume = self._volume_at(path)
        found = self._snapshot.get(volume) if volume is not None else None
        if volume is None or found is None or not _is_image(CDROM, found) or not self._is_open(volume):
            raise bad(BAD_PATH, f"{path} isn't an ISO image of a storage pool that is there for everybody.")
        return Medium({"volume": volume.name}, volume)

    def _is_open(self, volume: Ref) -> bool:
        """A seed holds what a guest is given to begin with, such as keys."""
        world = self._serving.world
        resource, entry = world.desired.resources.get(volume), world.owned.get(volume)
        parent = (resource.parent if resource is not None else None) or (entry.parent if entry is not None else None)
        if parent is not None:
            return self._serving.sight(self._client).owns(parent)
        return not volume.short_name.startswith(SEED_PREFIX)

    def image(self, medium: str, pools: Iterable[str]) -> Medium:
        """What a CD-ROM's text means where the name of a volume may stand too: `pool/volume`, or one of `pools`.

        Raises Refusal 400.
        """
        if medium.startswith("/") or "://" in medium:
            return self.at(CDROM, medium)
        pool, _, name = medium.rpartition("/")
        chosen = [pool] if pool else list(dict.fromkeys(pools))
        for each in chosen:
            ref = Ref.volume(each, name)
            if "/" not in each and self._is_active(each) and self._known(ref):
                self._check_format(CDROM, ref)
                return Medium({"volume": ref.name}, ref)
        where = f"the storage pool {pool}" if pool else "any active storage pool"
        raise bad(BAD_PATH, f"There is no volume {name} in {where}; name one that is there, a file or an address.")

    def check_free(self, volume: Ref) -> None:
        """Raises Refusal 400 with the names of the machines that have a volume as a disk, or as what a disk is based
        on.
        """
        if users := machines_with(self._serving.world, volume):
            told = f"The volume {volume.name} is used by {', '.join(users)}; detach it there first."
            raise bad("KCHVMSTOR0016E", told)

    def _volume(self, kind: str, pool: str, name: str) -> Medium:
        if not self._is_active(pool):
            raise bad("KCHVMSTOR0015E", f"There is no active storage pool {pool}.")
        ref = Ref.volume(pool, name)
        if "/" in name or not self._known(ref):
            raise bad("KCHVMSTOR0015E", f"The storage pool {pool} has no volume {name}.")
        self._check_format(kind, ref)
        return Medium({"volume": ref.name}, ref)

    def _check_format(self, kind: str, volume: Ref) -> None:
        found = self._snapshot.get(volume)
        if found is None or found.details.get("type") == "block":
            require(self._client.role, Role.ADMIN, "A volume that can't be told to be an image")
            return
        if not _is_image(kind, found):
            form = found.details.get("format") or "raw"
            what = "an ISO image" if kind == CDROM else "a disk image"
            raise bad("KCHVMSTOR0018E", f"The volume {volume.name} has the format {form}, and isn't {what}.")

    @property
    def _snapshot(self) -> Snapshot:
        return self._serving.world.snapshot

    def _known(self, ref: Ref) -> bool:
        if ref in self._snapshot.host.volumes or ref in self._snapshot.objects:
            return True
        self._refresh(ref.pool)  # it may have come since the pool was looked at
        return ref in self._snapshot.host.volumes or ref in self._snapshot.objects

    def _volume_at(self, path: str) -> Ref | None:
        """The volume with this path, in whatever pool."""
        if (found := _by_path(self._snapshot, path)) is not None:
            return found
        pools = [name for name, folder in self._snapshot.host.pool_paths.items() if str(Path(path).parent) == folder]
        for pool in pools:
            self._refresh(pool)
        return _by_path(self._snapshot, path) if pools else None

    def _is_active(self, pool: str) -> bool:
        observed = self._snapshot.get(Ref(STORAGE_POOL, pool))
        return observed is not None and observed.active

    def _refresh(self, pool: str) -> None:
        ref = Ref(STORAGE_POOL, pool)
        if self._is_active(pool):
            step = one_off_step(ref, "a volume was named that it doesn't show yet", RefreshPool(ref))
            self._serving.operations.perform(step, self._client)

    def _check_file(self, path: str) -> None:
        """Whether there is a file is told of allowed folders only."""
        mistakes = complete(
            "", "", {"cdroms": [{"path": path}]}, block_pools=frozenset(),
            allowed_folders=self._serving.settings.allowed_folders,
        ).mistakes  # fmt: skip
        if mistakes:
            raise bad(BAD_PATH, mistakes[0][1])
        if not is_here(self._serving.settings.connect):
            return  # another machine's file
        try:
            there = Path(path).is_file() or Path(path).is_block_device()
        except (OSError, ValueError):
            there = False
        if not there:
            raise bad(BAD_PATH, f"There is no file {path} on the host.")

    def _address(self, kind: str, address: str) -> Medium:
        if kind == DISK:
            raise bad(BAD_PATH, "A disk has to be a volume of a storage pool; only a CD-ROM is read from an address.")
        if problem := url_problem(address):
            raise bad(BAD_PATH, f"A CD-ROM is read from an address such as http://host/a.iso. {problem}")
        try:
            with FOR_CLIENTS.turn("Other servers are"):
                check_host(urlsplit(address).hostname or "", self._serving.settings.networks)
        except Terminal as error:
            raise bad(BAD_PATH, str(error)) from None
        return Medium({"url": address})


def _is_image(kind: str, volume: Observed) -> bool:
    """Whether a volume is what a drive of this kind takes."""
    form = str(volume.details.get("format") or "raw")
    is_iso = form == "iso" or volume.ref.name.lower().endswith(".iso")
    fits = is_iso if kind == CDROM else form in _DISK_FORMATS and not is_iso
    return volume.details.get("type") == "file" and fits


def _by_path(snapshot: Snapshot, path: str) -> Ref | None:
    for ref, source in snapshot.host.volumes.items():
        if source.path == path:
            return ref
    for ref, observed in snapshot.objects.items():
        if ref.kind == STORAGE_VOLUME and observed.details.get("path") == path:
            return ref
    return None
