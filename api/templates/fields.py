"""A template's fields as a client sends them → as its document says them, checked against what the host has.

Only what was given is written, and what can't be left out; the rest is told by the view.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final
from urllib.parse import unquote

from api.http.prefix import plain
from api.http.refusal import Refusal, bad
from api.interfaces.view import used_by_networks
from api.templates.view import (
    MEMORY_MIB,
    NETBOOT,
    POOL_URI,
    UNKNOWN,
    capacity_gib,
    is_known,
    is_missing,
    volume_path,
)
from api.vms.consoles import CONSOLE, NO_CONSOLE, check_graphics, console_words
from api.vms.fitting import BAD_FORMAT, IN_USE, unfit_disks
from api.vms.memory import with_plain_memory
from api.vms.processors import check_processors, cpus_of
from api.vms.storages.media import Media
from api.vms.storages.view import DISK
from reconciler.desired.template.meaning import machine_fields
from reconciler.desired.virtualmachine.implied import DEFAULT_POOL
from reconciler.loop.passes import World
from reconciler.serving.client import Client
from reconciler.serving.serving import Serving
from specs.codecs import bytes_of
from specs.plain import Json, NewJson, Spec
from specs.reference import NETWORK, STORAGE_POOL, Ref
from specs.template import KIND as TEMPLATES

Fields = dict[str, Any]

# Fields that say the same in both, under these names.
_SAME: Final = {
    "os_distro": "osDistro", "os_version": "osVersion", "cpus": "cpus", "memory": "memory", "networks": "networks",
    "folder": "folder", "icon": "icon",
}  # fmt: skip
_NEW_DISK: Final = {"size": 10}


class TemplateFields:
    """For one request."""

    def __init__(self, serving: Serving, client: Client) -> None:
        self._serving = serving
        self._media = Media(serving, client)

    @property
    def _world(self) -> World:
        return self._serving.world

    def new(self, body: Json) -> Fields:
        """The spec of a new template. Raises Refusal 400."""
        body = _from_media(body)
        netboot = bool(body.get("netboot"))
        if netboot and not body.get("networks", True):
            raise bad("KCHTMPL0016E", "What boots over the network needs one; name it in `networks`.")
        if not netboot and "cdrom" not in body and not any("base" in disk for disk in body.get("disks", ())):
            raise bad(
                "KCHTMPL0016E",
                "A template needs an ISO image as `cdrom`, a disk with a `base` image, or `netboot`.",
            )
        spec = self.changed(body, {}, {})
        spec.setdefault("networks", [DEFAULT_NETWORK])
        spec.setdefault("disks", [dict(_NEW_DISK)])
        check_cpus(spec, "KCHCPUINF0002E")
        self._check_disks(spec)
        for key, value in self._system_of(spec.get("cdrom")).items():
            spec.setdefault(key, value)
        return {key: spec[key] for key in _ORDER if key in spec}

    def changed(self, body: Json, spec: Spec, inherited: Json) -> Fields:
        """`spec` with what a client sends in it; `inherited` is what it extends. Raises Refusal 400."""
        made, body = dict(spec), with_plain_memory(body)
        for name, value in body.items():
            if name in _SAME:
                made[_SAME[name]] = int(value) if isinstance(value, float) else value
        if "storagepool" in body:
            made["storagePool"] = self._pool(body["storagepool"])
        self._check_networks(body.get("networks", ()))
        if "graphics" in body:
            made["graphics"] = _graphics(body["graphics"], made.get("graphics", {}))
        if "netboot" in body:
            made["bootDevices"] = list(NETBOOT)
            if not body["netboot"]:
                del made["bootDevices"]
        if "interfaces" in body:
            made["networks"] = [*made.get("networks", ()), *self._networks_over(body["interfaces"], made)]
        if "memory" in body or "max_memory" in body:
            _leave_room(made, body, {**inherited, **made})
        if "cpu_info" in body:
            _arrange(made, body)
        pool = str(made.get("storagePool", inherited.get("storagePool", DEFAULT_POOL)))
        if "cdrom" in body:
            made["cdrom"] = self._cdrom(body["cdrom"], pool)
        if "disks" in body:
            before = spec.get("disks", inherited.get("disks", ()))
            made["disks"] = [self._disk(disk, place, pool, before) for place, disk in enumerate(body["disks"])]
        if "cpus" in body or "cpu_info" in body:
            topology = made.get("cpuTopology")
            check_processors(self._serving, int(made.get("cpus") or (cpus_of(topology) if topology else 1)))
        if "disks" in body or "storagepool" in body:
            self._check_disks({**inherited, **made})
        return made

    # What is named has to be there

    def _pool(self, uri: str) -> str:
        written = plain(uri).removeprefix(POOL_URI).rstrip("/")
        for name in (written, unquote(written)):
            if is_known(self._world, Ref(STORAGE_POOL, name)):
                return name
        raise bad("KCHTMPL0004E", f"The storage pool {written} doesn't exist; make it first, or name another.")

    def _check_networks(self, names: Sequence[str]) -> None:
        missing = [name for name in names if not is_known(self._world, Ref(NETWORK, name))]
        if missing:
            raise bad("KCHTMPL0003E", f"There is no network {', '.join(missing)}; make it first, or name another.")

    def _networks_over(self, interfaces: Sequence[Json], spec: Spec) -> list[str]:
        """For each of the host's interfaces the network that goes through it, but for those that are named anyway."""
        ways, found = used_by_networks(self._world.snapshot), list(spec.get("networks", ()))
        for each in interfaces:
            name = next(iter(ways.get(each["name"], ())), "")
            if not name:
                told = f"No network goes through {each['name']}; make a bridge network over it first, at /networks."
                raise bad("KCHTMPL0003E", told)
            found += [name] if name not in found else []
        return found[len(spec.get("networks", ())) :]

    def _cdrom(self, medium: str, pool: str) -> str:
        pools = sorted(ref.name for ref in self._world.snapshot.objects if ref.kind == STORAGE_POOL)
        try:
            item = self._media.image(medium, [pool, DEFAULT_POOL, *pools]).item
        except Refusal as error:
            raise _as("KCHTMPL0014E", error) from None
        return next(iter(item.values()))

    def _disk(self, disk: Json, place: int, pool: str, before: Sequence[Json]) -> NewJson:
        made: NewJson = {"index": int(disk["index"])} if disk.get("index", place) != place else {}
        known = next((each for at, each in enumerate(before) if each.get("index", at) == disk.get("index", place)), {})
        own = known.get("pool")  # a client that sends the disk back without it leaves it there
        if "pool" in disk:
            own = self._pool(disk["pool"]["name"])
        if own is not None:
            made["pool"] = own
        if "volume" in disk:
            ref = Ref.volume_named(disk["volume"], own or pool)
            if is_missing(self._world, ref):
                raise bad("KCHTMPL0019E", f"The volume {ref.short_name} isn't in the storage pool {ref.pool}.")
            return {**made, "volume": disk["volume"]}
        size = int(disk["size"]) if "size" in disk else None
        if "base" in disk:
            base = self._base(disk["base"], known, own or pool)
            size = size if size is not None else capacity_gib(self._world, base)
            made["base"] = base.short_name if base.pool == (own or pool) else base.name
        if size is None:
            raise bad("KCHTMPL0022E", "A disk needs its `size` in GiB, or the name of a `volume`.")
        made["size"] = size
        if "format" in disk and not (disk["format"] == "qcow2" and "format" not in known):
            made["format"] = disk["format"]
        return {key: made[key] for key in ("index", "size", "base", "format", "pool") if key in made}

    def _base(self, path: str, known: Json, pool: str) -> Ref:
        if "base" in known and volume_path(self._world, same := Ref.volume_named(known["base"], pool)) == path:
            return same  # as it was
        try:
            found = self._media.at(DISK, path).volume
        except Refusal as error:
            raise _as("KCHTMPL0023E", error) from None
        if found is None:
            raise bad("KCHTMPL0023E", "A base image has to be a volume of a storage pool, and no volume has this path.")
        return found

    def _check_disks(self, spec: Spec) -> None:
        """What can't ever be is refused; an image format that only clients know, and who uses a volume, is told of."""
        for unfit in unfit_disks(self._world, machine_fields(TEMPLATES.declared(spec)).get("disks", ())):
            if unfit.code not in (BAD_FORMAT, IN_USE):
                raise bad(unfit.code, unfit.sentence)

    def _system_of(self, medium: str | None) -> dict[str, str]:
        """What the image installs, when that can be told."""
        if medium is None or "://" in medium:
            return {}
        path = medium if medium.startswith("/") else volume_path(self._world, Ref.volume_named(medium, DEFAULT_POOL))
        facts = self._serving.images.facts(path)
        found = {"osDistro": facts.os_distro, "osVersion": facts.os_version}
        return {key: value for key, value in found.items() if value != UNKNOWN}


DEFAULT_NETWORK: Final = "default"
_ORDER: Final = (
    "template", "osDistro", "osVersion", "cpus", "maximumCpus", "cpuTopology", "memory", "maximumMemory", "cdrom",
    "storagePool", "networks", "disks", "graphics", "bootDevices", "defaults", "guestOs", "folder",
    "icon",
)  # fmt: skip


def _from_media(body: Json) -> Json:
    """`source_media`, as later clients name what a machine is installed from, in this template's own words."""
    media = body.get("source_media")
    if media is None:
        return body
    rest = {key: value for key, value in body.items() if key != "source_media"}
    if media["type"] == "netboot":
        return {**rest, "netboot": True}
    if not (path := media.get("path")):
        raise bad("KCHTMPL0016E", "`source_media` of the type disk needs the `path` of an image.")
    if path.lower().endswith(".iso") or "://" in path:
        return {"cdrom": path, **rest}
    return {"disks": [{"base": path}], **rest}


def check_cpus(spec: Spec, code: str) -> None:
    """Raises Refusal 400 when the topology of a whole spec doesn't make its number of CPUs."""
    topology, cpus, most = spec.get("cpuTopology"), spec.get("cpus"), spec.get("maximumCpus")
    if cpus is not None and most is not None and cpus > most:
        raise bad("KCHCPUINF0001E", f"A machine with {cpus} processors can't have {most} at most.")
    made = most if most is not None else cpus
    if topology and made is not None and made != cpus_of(topology):
        name = "cpus" if most is None else "cpu_info/maxvcpus"
        raise bad(code, f"`{name}` has to be the product of the topology's sockets, cores and threads.")


def _arrange(made: Fields, body: Json) -> None:
    """How many processors, how many at most, and how they are arranged. {} is no arrangement."""
    given = body["cpu_info"]
    if "vcpus" in given:
        if body.get("cpus", given["vcpus"]) != given["vcpus"]:
            raise bad("KCHTMPL0012E", "`cpus` and `cpu_info/vcpus` are one number; give it once.")
        made["cpus"] = int(given["vcpus"])
    if "maxvcpus" in given:
        made["maximumCpus"] = int(given["maxvcpus"])
        if made["maximumCpus"] == made.get("cpus", 1):
            del made["maximumCpus"]
    if topology := given.get("topology"):
        made["cpuTopology"] = {key: int(topology[key]) for key in ("sockets", "cores", "threads")}
    elif "topology" in given or not given:
        made.pop("cpuTopology", None)


def _leave_room(made: Fields, body: Json, whole: Json) -> None:
    """What a machine could have while it runs. A maximum that is in the way of more memory moves along."""
    memory = bytes_of(whole.get("memory", MEMORY_MIB), "MiB") or 0
    if "max_memory" in body:
        made["maximumMemory"] = int(body["max_memory"])
        if made["maximumMemory"] << 20 < memory:
            raise bad("KCHTMPL0031E", "`max_memory` can't be less than `memory`; raise it, or lower that too.")
    elif (bytes_of(whole.get("maximumMemory", 0), "MiB") or memory) < memory:
        made["maximumMemory"] = made["memory"]
    if bytes_of(made.get("maximumMemory", 0), "MiB") == memory:
        del made["maximumMemory"]  # as it is when nothing is said


def _graphics(given: Json, before: Json) -> NewJson:
    """What isn't given is as for everybody, whatever was there before; a password's place isn't the API's to change."""
    check_graphics(given)
    wanted = console_words(given)
    kept = {key: value for key, value in before.items() if key not in CONSOLE and wanted.get("type") != NO_CONSOLE}
    return wanted | kept


def _as(code: str, error: Refusal) -> Refusal:
    """The same refusal under the code that it has here."""
    return bad(code, error.reason.partition(": ")[2] or error.reason)
