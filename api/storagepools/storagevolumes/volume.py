"""/storagepools/{pool}/storagevolumes/{name}: one volume. Its bytes are no desired state: they come by operations."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from typing import Any

import falcon
import falcon.asgi

from api.http.endpoint import Answer, Call, action, delete, get, raw
from api.http.forms import Wanted, read_form
from api.http.refusal import bad, not_found
from api.http.responder import JSON_TYPE, as_seen, client_of, to_json, write_beside
from api.http.schema import number, obj, text
from api.storagepools.storagevolumes.family import UPLOAD_CODES, VolumeResource
from api.storagepools.storagevolumes.iso_images import all_images, scanned
from api.storagepools.storagevolumes.new_volume import check_name, clone_names, names_in
from api.storagepools.storagevolumes.resizing import resize_change
from api.storagepools.storagevolumes.view import VOLUME
from api.storagepools.usage import refuse_protected, users
from api.storagepools.view import ISO_POOL, ISO_TYPE, pool_type
from api.tasks.view import TASK, task_view
from reconciler.errors import Refused
from reconciler.identity.role import Role
from reconciler.loop.passes import World
from reconciler.observed.snapshot import Observed
from reconciler.planning.one_off import WipeVolume
from reconciler.planning.operations import DeleteVolume
from reconciler.planning.plan import Action, one_off_step
from reconciler.serving.client import Client
from reconciler.writing.changes import Remove
from specs.plain import NewJson
from specs.reference import STORAGE_POOL, Ref
from specs.size import MAX_BYTES

_CHUNK = obj(
    {
        "chunk_size": text("How many bytes the chunk has.", pattern="^[0-9]{1,18}$"),
        "chunk": text("The next bytes of the volume.", format="binary"),
        "offset": text("Where they belong, to go on after a broken connection; they are refused elsewhere."),
    },
    required=("chunk_size", "chunk"),
    closed=False,
)
_RESIZE = obj(
    {"size": number("The new capacity, in bytes.", minimum=1, maximum=MAX_BYTES, x_code="KCHVOL0020E")},
    required=("size",),
    closed=False,
    x_code="KCHVOL0020E",
)
_CLONE = obj(
    {
        "pool": text("The pool of the copy; the same when it is left out."),
        "name": text("Its name; one is made up when it is left out.", minLength=1, x_code="KCHVOL0013E"),
    },
    closed=False,
)


class StorageVolume(VolumeResource):
    """One volume."""

    address = "/storagepools/{pool}/storagevolumes/{name}"

    @get("A volume.", VOLUME, blocking=True, volatile=frozenset({"allocation", "used_by"}), role=Role.VIEWER)
    def read(self, _call: Call, pool: str, name: str) -> NewJson:
        """As it was observed last."""
        world = self.fresh_world(pool)
        if pool == ISO_POOL:
            return _named(all_images(self.serving, world), pool, name)
        found = self.active_pool(world, pool)
        if Ref.volume(pool, name) not in world.snapshot.objects and pool_type(world, found) == ISO_TYPE:
            return _named(scanned(self.serving, world, found), pool, name)
        return self.view(world, self.volume(world, pool, name))

    @raw(
        "PUT", "Upload the next chunk of a volume whose upload is under way.", VOLUME, form=_CHUNK, statuses=(405,),
        if_match=True,
        description="Chunks come in order. One that was cut off is sent again; with `offset` it can't get lost or come"
        " twice.",
        failure="KCHVOL0029E", role=Role.ADMIN,
    )  # fmt: skip
    async def on_put(self, request: falcon.asgi.Request, response: falcon.asgi.Response, pool: str, name: str) -> None:
        """200 and the volume."""
        if pool == ISO_POOL:
            raise falcon.HTTPMethodNotAllowed(["GET"])
        client = client_of(request)
        wanted = await asyncio.to_thread(self._asked, pool, name, client)

        async def ask(_file: str, _texts: Mapping[str, str]) -> Wanted:
            return wanted

        async with read_form(request, {"chunk"}, self.serving.settings.state, ask) as form:
            chunk = form.files.get("chunk")
            size, offset = _count(form.texts.get("chunk_size")), _count(form.texts.get("offset"))
            if chunk is None or size is None or ("offset" in form.texts and offset is None):
                raise bad("KCHVOL0024E", "A form with `chunk_size`, a number, and `chunk` is needed.")
            if size != chunk.length:
                raise bad("KCHVOL0026E", f"The chunk has {chunk.length} bytes and not {size}; send it again.")
            given = chunk
            async with as_seen(self, request, {"pool": pool, "name": name}):
                view = await write_beside(lambda: self._put(pool, name, size, given.chunks(), offset, client))
        response.content_type = JSON_TYPE
        response.data = to_json(self.with_actions(VOLUME, view))

    def _asked(self, pool: str, name: str, client: Client) -> Wanted:
        """How long a chunk may be, before anything of it is read. Raises Refusal when none is expected."""
        most = self.serving.uploads.most(Ref.volume(pool, name), client)
        if most is None:
            self.volume(self.serving.world, pool, name)
            raise bad(UPLOAD_CODES["NotUploading"], f"No upload of {name} is under way; begin one.")
        return Wanted(most, bad(UPLOAD_CODES["BeyondCapacity"], f"{most} bytes are left to come; send no more."))

    def _put(self, pool: str, name: str, size: int, chunks: Any, offset: int | None, client: Client) -> NewJson:
        ref = Ref.volume(pool, name)
        if not self.serving.uploads.expects(ref):
            self.volume(self.serving.world, pool, name)
        try:
            self.serving.uploads.put(ref, size, chunks, client, offset)
        except Refused as error:
            raise bad(UPLOAD_CODES.get(error.reason, ""), str(error)) from None
        return self.view(*self._seen(ref))

    def _seen(self, ref: Ref) -> tuple[World, Observed]:
        world = self.serving.world
        if ref not in world.snapshot.objects:
            world = self.serving.operations.look_again(ref)
        return world, self.volume(world, ref.pool, ref.short_name)

    @delete(
        "Remove a volume and its data. No machine and no other volume may use it.",
        statuses=(405,),
        failure="KCHVOL0010E",
        role=Role.ADMIN,
    )
    def delete(self, call: Call, pool: str, name: str) -> None:
        """An order: it doesn't go into the trash."""
        if pool == ISO_POOL:
            raise falcon.HTTPMethodNotAllowed(["GET"])
        serving, ref = self.serving, Ref.volume(pool, name)
        self.writable_pool(serving.world, pool)
        if serving.uploads.abort(ref, "The volume was deleted while it was uploaded.", call.client):
            return
        if serving.uploads.expects(ref):
            raise not_found(self.missing_code, f"The volume {name} in the pool {pool}")
        world = serving.world
        self.volume(world, pool, name)
        self._refuse_in_use(world, ref, "deleted")
        refuse_protected(world, ref)
        serving.changes.check_allowed()
        if ref in world.desired.resources or ref in world.desired.held:
            serving.changes.make(
                lambda _tip: [Remove(ref)], f"Delete volume {ref.name}", call.client, [ref], removes=True
            )
            self._refuse_in_use(serving.world, ref, "deleted")  # somebody may have been faster
        step = one_off_step(ref, "its removal was asked for", DeleteVolume(ref), action=Action.DELETE)
        serving.operations.perform(step, call.client)

    @action(
        "resize",
        "Make a volume larger, also below a running machine.",
        VOLUME,
        body=_RESIZE,
        failure="KCHVOL0011E",
        role=Role.ADMIN,
    )
    def resize(self, call: Call, pool: str, name: str) -> NewJson:
        """Its document says so from now on, or that of the machine whose own disk it is."""
        world, size = self.serving.world, int(call.body["size"])
        self.active_pool(world, pool)
        observed = self.volume(world, pool, name)
        now = int(observed.details.get("capacity") or 0)
        if size < now:
            raise bad("KCHVOL0011E", f"{name} has {now} bytes; it isn't shrunk to {size}, that would cut off data.")
        if size > now:
            owner, change = resize_change(self.serving, world, observed.ref, size)
            message = f"Resize volume {observed.ref.name}"
            world = self.serving.changes.make(change, message, call.client, [owner, observed.ref]).world
        return self.view(world, self.volume(world, pool, name))

    @action("wipe", "Overwrite a volume's data. No machine may use it.", VOLUME, failure="KCHVOL0009E", role=Role.ADMIN)
    def wipe(self, call: Call, pool: str, name: str) -> NewJson:
        """It is empty afterwards."""
        world = self.serving.world
        self.writable_pool(world, pool)
        ref = self.volume(world, pool, name).ref
        self._refuse_in_use(world, ref, "wiped")
        self.serving.changes.check_allowed()
        step = one_off_step(ref, "it was asked to be wiped", WipeVolume(ref))
        world = self.serving.operations.perform(step, call.client)
        return self.view(world, self.volume(world, pool, name))

    @action(
        "clone",
        "Copy a volume whole, without what it is based on.",
        TASK,
        status=202,
        body=_CLONE,
        failure="KCHVOL0023E",
        role=Role.ADMIN,
    )
    def clone(self, call: Call, pool: str, name: str) -> Answer:
        """A task copies it."""
        serving = self.serving
        world = serving.world
        self.active_pool(world, pool)
        source = self.volume(world, pool, name).ref
        target_pool = str(call.body.get("pool") or pool)
        if target_pool != pool and Ref(STORAGE_POOL, target_pool) not in world.snapshot.objects:
            raise bad("KCHPOOL0002E", f"There is no storage pool {target_pool}.")
        self.writable_pool(world, target_pool)
        serving.changes.check_allowed()
        wanted = str(call.body.get("name") or "")
        if wanted:
            check_name(wanted)
        names = iter([wanted]) if wanted else clone_names(name, names_in(world, target_pool))
        promise = self.free(world, target_pool, names)
        if promise is None:
            raise self.taken(Ref.volume(target_pool, wanted))
        copied = promise.ref
        work = lambda tell, stop: serving.volumes.copy(source, copied, call.client, tell, stop)  # noqa: E731
        return Answer(task_view(self.start(promise, work, call.client)), 202)

    def _refuse_in_use(self, world: World, ref: Ref, what: str) -> None:
        if found := users(world, ref):
            raise bad("KCHVOL0017E", f"{ref.short_name} can't be {what}: it is used by {', '.join(found)}.")


def _named(views: list[NewJson], pool: str, name: str) -> NewJson:
    for view in views:
        if view["name"] == name:
            return view
    raise not_found("KCHVOL0002E", f"The volume {name} in the pool {pool}")


def _count(given: str | None) -> int | None:
    """A field of a form that is a number of bytes."""
    text_of = (given or "").strip()
    return int(text_of) if text_of.isascii() and text_of.isdigit() and len(text_of) < 19 else None
