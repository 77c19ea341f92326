"""/storagepools: places for volumes. Making, activating, changing and removing one are commits."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import Any, ClassVar

import falcon

from api.documents.resource import DocumentResource
from api.documents.taking_back import taken_back
from api.http.endpoint import Answer, Call, action, delete, get, post, put
from api.http.isolated import isolated
from api.http.refusal import Refusal, bad
from api.http.responder import read_beside
from api.http.schema import arr, boolean, integer, obj, text
from api.storagepools.sources import check_devices, check_source, sees_sources
from api.storagepools.usage import refuse_protected, running_users
from api.storagepools.view import ISO_POOL, ISO_TYPE, POOL, iso_pool_view, pool_type, pool_view, templates_on
from reconciler.errors import InvalidDocument, NotApplied
from reconciler.identity.role import Role
from reconciler.loop.passes import World
from reconciler.observed.snapshot import Observed
from specs import reference
from specs.plain import Json, NewDocument, NewJson, NewSpec
from specs.reach import pool_owner
from specs.storagepool import KIND as POOLS

_CREATE = obj(
    {
        "name": text("Its name.", minLength=1, pattern="^[^/]*$", x_code="KCHPOOL0016E"),
        "type": text(
            "dir, kimchi-iso, netfs, logical, iscsi or scsi.",
            enum=["dir", "netfs", "logical", "kimchi-iso", "iscsi", "scsi"],
            x_code="KCHPOOL0017E",
        ),
        "path": text("The folder (dir), or where ISO images are searched for (kimchi-iso).", x_code="KCHPOOL0018E"),
        "source": obj(
            {
                "host": text("The server (netfs, iscsi).", x_code="KCHPOOL0019E"),
                "path": text("The exported folder (netfs).", x_code="KCHPOOL0018E"),
                "devices": arr(
                    text(x_code="KCHPOOL0020E"), minItems=1, uniqueItems=True, x_code="KCHPOOL0021E",
                    description="Block devices that are made a volume group of; what is on them is lost (logical).",
                ),
                "target": text("The target's IQN (iscsi).", x_code="KCHPOOL0022E"),
                "port": integer("The server's port (iscsi).", minimum=1, maximum=65535, x_code="KCHPOOL0023E"),
                "from_vg": boolean("Whether the volume group of the pool's name is taken as it is (logical)."),
                "adapter_name": text("The SCSI host, such as scsi_host2 (scsi).", x_code="KCHPOOL0030E"),
                "auth": obj(
                    {
                        "username": text("Login name of the target.", x_code="KCHPOOL0024E"),
                        "password": text("Its password; it's kept outside the repository.", x_code="KCHPOOL0025E"),
                    },
                    closed=False,
                    description="Credentials of the target (iscsi).",
                    x_code="KCHPOOL0026E",
                ),
            },
            closed=False,
            description="Where its storage comes from.",
            x_code="KCHPOOL0026E",
        ),
    },
    required=("name", "type"),
    closed=False,
    x_code="KCHPOOL0026E",
)  # fmt: skip
_CHANGE = obj(
    {
        "autostart": boolean("Whether it is activated when the host boots."),
        "disks": arr(text(minLength=1), minItems=1, uniqueItems=True, description="Devices to add (logical)."),
    },
    x_code="KCHPOOL0027E",
)
_VOLATILE = frozenset({"capacity", "allocated", "available", "nr_volumes", "task_id"})
# What each type can't do without, by where it stands in the request.
_NEEDED: dict[str, tuple[str, ...]] = {
    "dir": ("path",),
    ISO_TYPE: ("path",),
    "netfs": ("source/host", "source/path"),
    "logical": ("source/devices",),
    "iscsi": ("source/host", "source/target"),
    "scsi": ("source/adapter_name",),
}
_AUTOSTARTED = frozenset({"dir", "netfs", "logical", "scsi"})


class _Family(DocumentResource):
    tag: ClassVar[str] = "Storage pools"
    kind = reference.STORAGE_POOL
    noun = "storage pool"
    missing_code = "KCHPOOL0002E"
    taken_code = "KCHPOOL0001E"
    name_code = "KCHPOOL0016E"

    def view(self, world: World, name: str) -> NewJson:
        return pool_view(world, self.observed(world, self.ref(name)), self.serving.scans.task_of(name))

    async def fresh_world(self, names: Iterable[str]) -> World:
        """The world in which these pools were just looked into."""
        world, freshness = self.serving.world, self.serving.freshness
        return await read_beside(lambda: freshness.look(world, names)) if freshness.is_due(world, names) else world

    def _refuse_reserved(self, name: str) -> None:
        if name == ISO_POOL:
            raise falcon.HTTPMethodNotAllowed(["GET"])


class StoragePools(_Family):
    """All pools, and behind them the reserved one."""

    address = "/storagepools"

    @get(
        "The storage pools, by name; the reserved pool of all ISO images is the last.",
        arr(POOL),
        filters=True,
        role=Role.VIEWER,
    )
    async def read(self, _call: Call) -> list[NewJson]:
        """Every pool that could be read."""
        found = sorted(ref for ref in self.serving.world.snapshot.objects if ref.kind == reference.STORAGE_POOL)
        world = await self.fresh_world([ref.name for ref in found])
        return [*isolated(found, lambda ref: self.view(world, ref.name)), iso_pool_view()]

    @post(
        "Make a storage pool. It starts with the host; activate it to start it now.", POOL, _CREATE,
        other={202: POOL},
        description="A kimchi-iso pool is searched for ISO images by a task: 202, and `task_id` names it. It is active"
        " at once, so that what is found shows in kimchi_isos.",
        failure="KCHPOOL0007E", role=Role.ADMIN,
    )  # fmt: skip
    def make(self, call: Call) -> NewJson | Answer:
        """Its document is committed, and the pool defined."""
        name, kind = str(call.body["name"]), str(call.body["type"])
        if name == ISO_POOL:
            raise bad("KCHPOOL0031E", f"The name {ISO_POOL} is reserved; choose another one.")
        from_group = kind == "logical" and bool((call.body.get("source") or {}).get("from_vg"))
        for pointer in _NEEDED[kind] if not from_group else ():
            if not _at(call.body, pointer):
                raise bad("KCHPOOL0004E", f"A storage pool of type {kind} needs `{pointer}`.")
        ref = self.ref(name)
        if ref in self.serving.world.snapshot.objects:
            raise self.taken(ref)
        if kind == ISO_TYPE:
            self.serving.scans.check_possible()
            if not Path(call.body["path"]).is_dir():
                raise bad(
                    "KCHPOOL0018E", f"There is no folder {call.body['path']} on the host; make it, or name another."
                )
        self.serving.changes.check_allowed()
        if sees_sources(self.serving):
            check_source(self.serving.host, name, kind, call.body.get("source") or {})
        spec, secret = self._spec(call, name, kind)
        try:
            world = self.create(call, ref, spec)
        except (Refusal, InvalidDocument):
            if secret is not None:
                self.serving.secrets.drop(secret)
            raise
        except NotApplied:
            if secret is not None and ref not in self.serving.world.desired.resources:
                self.serving.secrets.drop(secret)
            raise
        if kind != ISO_TYPE:
            return self.view(world, name)
        self.serving.scans.begin(name, str(spec["path"]), f"/storagepools/{ISO_POOL}", call.client)
        return Answer(self.view(world, name), 202)

    def _spec(self, call: Call, name: str, kind: str) -> tuple[NewJson, Path | None]:
        """The spec of the new pool, and the file of its password."""
        given = call.body.get("source") or {}
        spec: NewSpec = {"type": kind}
        secret: Path | None = None
        match kind:
            case "dir" | "kimchi-iso":
                spec["path"] = call.body["path"]
            case "netfs":
                spec["source"] = {key: given[key] for key in ("host", "path")}
            case "logical":
                if not given.get("from_vg"):
                    spec["source"] = {"devices": list(given["devices"])}
                    spec["build"] = True
            case "iscsi":
                spec["source"] = {key: given[key] for key in ("host", "port", "target") if key in given}
                if auth := given.get("auth"):
                    secret = self._secret(name, auth)
                    spec["source"]["auth"] = {"username": auth["username"], "passwordFrom": {"file": str(secret)}}
            case "scsi":
                spec["source"] = {"adapter": {"name": given["adapter_name"]}}
        return {**spec, "autostart": kind in _AUTOSTARTED, "active": kind == ISO_TYPE}, secret

    def _secret(self, name: str, auth: Json) -> Path:
        password = str(auth.get("password") or "")
        if not auth.get("username") or not password:
            raise bad("KCHPOOL0004E", "`source/auth` needs a `username` and a `password`.")
        if any(character in password for character in "\r\n\0"):
            raise bad("KCHPOOL0025E", "A password is one line of text.")
        return self.serving.secrets.keep(pool_owner(name), password)


class StoragePool(_Family):
    """One pool."""

    address = "/storagepools/{pool}"

    @get("A storage pool.", POOL, volatile=_VOLATILE, role=Role.VIEWER)
    async def read(self, _call: Call, pool: str) -> NewJson:
        """As it was observed last."""
        return iso_pool_view() if pool == ISO_POOL else self.view(await self.fresh_world([pool]), pool)

    @put(
        "Change whether a pool starts with the host, or extend its volume group.", POOL, _CHANGE, statuses=(405,),
        description="A device that holds something already is refused: nothing is overwritten.",
        failure="KCHPOOL0028E", role=Role.ADMIN,
    )  # fmt: skip
    def change_it(self, call: Call, pool: str) -> NewJson:
        """Its document says so from now on."""
        self._refuse_reserved(pool)
        ref, disks = self.ref(pool), list(call.body.get("disks") or ())
        observed = self.observed(self.serving.world, ref)
        if disks and POOLS.lowered(observed.config).get("type") != "logical":
            raise bad("KCHPOOL0029E", "Only a pool of type logical takes `disks`.")
        if disks and sees_sources(self.serving):
            check_devices(pool, disks)

        before: list[NewDocument] = []
        after: list[NewDocument] = []

        def change(document: NewDocument) -> None:
            spec = document["spec"]
            before[:], after[:] = [dict(spec)], [spec]
            if "autostart" in call.body:
                spec["autostart"] = call.body["autostart"]
            if disks:
                source = dict(spec.get("source") or {})
                spec["source"] = source | {"devices": list(dict.fromkeys([*(source.get("devices") or ()), *disks]))}

        def undo(document: NewDocument) -> None:
            if document["spec"] == after[0]:  # else somebody has gone on from there
                document["spec"] = before[0]

        def take_back() -> None:
            # LVM may take a device later that it refuses now; it isn't to be tried behind the client's back.
            if disks:
                self.change(call, ref, undo, "Take back: Change")

        with taken_back(ref, take_back):
            return self.view(self.change(call, ref, change), pool)

    @delete(
        "Remove a storage pool. It has to be inactive and unused; what is in it stays.",
        statuses=(405,),
        failure="KCHPOOL0011E",
        role=Role.ADMIN,
    )
    def delete(self, call: Call, pool: str) -> None:
        """Its document goes, and the pool with it."""
        self._refuse_reserved(pool)
        world, ref = self.serving.world, self.ref(pool)
        if self.observed(world, ref).active:
            raise bad("KCHPOOL0005E", f"The storage pool {pool} is active; deactivate it first.")
        self._refuse_on_templates(world, pool, "KCHPOOL0035E")
        refuse_protected(world, ref)
        self.remove(call, ref)
        self.serving.scans.forget(pool)
        self.serving.secrets.forget(pool_owner(pool))

    @action("activate", "Start a storage pool.", POOL, statuses=(405,), failure="KCHPOOL0009E", role=Role.ADMIN)
    def activate(self, call: Call, pool: str) -> NewJson:
        """Its document says so from now on."""
        self._refuse_reserved(pool)
        self.observed(self.serving.world, self.ref(pool))
        world = self.change_spec(call, self.ref(pool), {"active": True}, "Activate")
        observed = self.observed(world, self.ref(pool))
        if pool_type(world, observed) == ISO_TYPE:
            self._search_again(call, observed)
        return self.view(world, pool)

    def _search_again(self, call: Call, observed: Observed) -> None:
        """Others may have put images there since the last search; unless that is still under way."""
        scans, name = self.serving.scans, observed.ref.name
        number = scans.task_of(name)
        if not number or not self.serving.tasks.is_under_way(int(number)):
            path = str(POOLS.lowered(observed.config).get("path") or "")
            scans.begin(name, path, f"/storagepools/{ISO_POOL}", call.client)

    @action(
        "deactivate",
        "Stop a pool that nobody uses; its volumes can't be seen then.",
        POOL,
        statuses=(405,),
        failure="KCHPOOL0010E",
        role=Role.ADMIN,
    )
    def deactivate(self, call: Call, pool: str) -> NewJson:
        """Its document says so from now on."""
        self._refuse_reserved(pool)
        world = self.serving.world
        self.observed(world, self.ref(pool))
        self._refuse_on_templates(world, pool, "KCHPOOL0034E")
        users = running_users(world, pool)
        if users:
            raise bad("KCHPOOL0010E", f"{', '.join(users)} run on volumes of {pool}; shut them down first.")
        return self.view(self.change_spec(call, self.ref(pool), {"active": False}, "Deactivate"), pool)

    @staticmethod
    def _refuse_on_templates(world: World, name: str, code: str) -> None:
        if templates := templates_on(world, name):
            raise bad(code, f"The storage pool {name} is used by the templates {', '.join(templates)}.")


def _at(value: Any, pointer: str) -> Any:
    for key in pointer.split("/"):
        value = value.get(key) if isinstance(value, dict) else None
    return value
