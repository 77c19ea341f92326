"""/storagepools/{pool}/storagevolumes: disk images and devices. A declared one is a document, its bytes are not."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable, Iterator
from typing import Any, ClassVar, Final

import falcon
import falcon.asgi

from api.documents import DocumentResource
from api.http.body import read_object
from api.http.endpoint import Answer, Call, action, delete, get, raw
from api.http.forms import is_form, read_form
from api.http.refusal import bad, not_found
from api.http.responder import JSON_TYPE, client_of, to_json
from api.http.schema import Checked, arr, number, obj, text
from api.storage.images import all_images, scanned, volume_views
from api.storage.new_volume import CREATE, NewVolume, check_name, clone_names, free_refs, names_in, planned
from api.storage.resizing import resize_change
from api.storage.use import refuse_protected, users
from api.views.pools import ISO_POOL, ISO_TYPE, READ_ONLY, pool_type
from api.views.tasks import TASK, task_view
from api.views.volumes import VOLUME, is_folder, volume_view
from reconciler.applying.task_records import TaskRecord
from reconciler.desired.writing.changes import Remove
from reconciler.errors import Refused
from reconciler.observed.snapshot import Observed
from reconciler.passes import World
from reconciler.planning.one_off import WipeVolume, one_off_step
from reconciler.planning.operations import DeleteVolume
from reconciler.planning.plan import Action
from reconciler.serving.client import Client
from reconciler.serving.tasks import Work
from specs import reference
from specs.reference import STORAGE_POOL, Ref

_CREATE: Final = Checked(CREATE, "KCHVOL0018E")
_FILE = obj(
    {
        "name": text("The new volume's name; that of the file when it is left out."),
        "file": text("What is uploaded, whole.", format="binary"),
    },
    required=("file",),
    closed=False,
)
_CHUNK = obj(
    {
        "chunk_size": text("How many bytes the chunk has.", pattern="^[0-9]{1,18}$"),
        "chunk": text("The next bytes of the volume.", format="binary"),
        "offset": text("Where they belong, to go on after a broken connection; they are refused elsewhere."),
    },
    required=("chunk_size", "chunk"),
    closed=False,
)
_UPLOAD_CODES = {"NotUploading": "KCHVOL0027E", "SizeMismatch": "KCHVOL0026E", "BeyondCapacity": "KCHVOL0028E"}
_RESIZE = obj(
    {"size": number("The new capacity, in bytes.", minimum=1, x_code="KCHVOL0020E")},
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


class _Family(DocumentResource):
    tag: ClassVar[str] = "Storage volumes"
    kind = reference.STORAGE_VOLUME
    noun = "volume"
    missing_code = "KCHVOL0002E"
    taken_code = "KCHVOL0001E"
    name_code = "KCHVOL0013E"

    def active_pool(self, world: World, pool: str) -> Observed:
        """Raises Refusal: 404, or 400 while its volumes can't be seen."""
        observed = world.snapshot.get(Ref(STORAGE_POOL, pool))
        if observed is None:
            raise not_found("KCHPOOL0002E", f"The storage pool {pool}")
        if not observed.active:
            raise bad("KCHVOL0006E", f"The storage pool {pool} is inactive; activate it to get at its volumes.")
        return observed

    def writable_pool(self, world: World, pool: str) -> Observed:
        """The same for who makes or removes volumes."""
        observed = self.active_pool(world, pool)
        if (kind := str(observed.config.get("type"))) in READ_ONLY:
            raise bad(
                "KCHVOL0012E", f"What is in a pool of type {kind} comes from elsewhere and can't be changed here."
            )
        return observed

    def volume(self, world: World, pool: str, name: str) -> Observed:
        """Raises Refusal 404."""
        observed = world.snapshot.get(Ref.volume(pool, name))
        if observed is None or is_folder(observed):
            raise not_found("KCHVOL0002E", f"The volume {name} in the pool {pool}")
        return observed

    def view(self, world: World, observed: Observed) -> dict[str, Any]:
        return volume_view(world, observed, self.serving.images.facts)

    def free(self, world: World, pool: str, names: Iterator[str]) -> Ref | None:
        """The first name that no volume of the pool has or is to have; nobody else gets it until it is released."""
        found = free_refs(pool, names, names_in(world, pool))
        return self.serving.names.first(ref for ref in found if not self.serving.uploads.expects(ref))

    def start(self, ref: Ref, work: Work, client: Client) -> TaskRecord:
        """A task that makes a volume, whose name was found free."""

        def released(tell: Callable[[str], None], stop: threading.Event) -> str | None:
            try:
                return work(tell, stop)
            finally:
                self.serving.names.release(ref)

        try:
            return self.serving.tasks.start(_target(ref), released, client)
        except BaseException:
            self.serving.names.release(ref)
            raise


class StorageVolumes(_Family):
    """The volumes of a pool."""

    address = "/storagepools/{pool}/storagevolumes"

    @get("The volumes of an active pool, by name.", arr(VOLUME), filters=True, blocking=True)
    def read(self, _call: Call, pool: str) -> list[dict[str, Any]]:
        """Every volume that could be read."""
        world = self.serving.world
        if pool == ISO_POOL:
            return all_images(self.serving, world)
        return volume_views(self.serving, world, self.active_pool(world, pool))

    @raw(
        "POST", "Make a volume: empty, from a URL, or by an upload.", TASK, status=202,
        body=_CREATE, form=_FILE, statuses=(405,),
        description="A task makes it; its message tells how far it is. With `upload` the task runs until the last chunk"
        " was PUT to the new volume. A form with a `file` is uploaded whole.",
    )  # fmt: skip
    async def on_post(self, request: falcon.asgi.Request, response: falcon.asgi.Response, pool: str) -> None:
        """202 and the task."""
        if pool == ISO_POOL:
            raise falcon.HTTPMethodNotAllowed(["GET"])
        client = client_of(request)
        if is_form(request):
            task = await self._take_file(request, pool, client)
        else:
            body = await read_object(request, _CREATE)
            task = await asyncio.to_thread(self._make, pool, dict(body), client)
        response.status = 202
        response.content_type = JSON_TYPE
        response.data = to_json(task_view(task))

    def _make(self, pool: str, body: dict[str, Any], client: Client) -> TaskRecord:
        world, serving = self.serving.world, self.serving
        found = self.writable_pool(world, pool)
        serving.changes.check_allowed()
        new = planned(body, found)
        if new.upload:
            return self._begin(world, pool, new, client)
        ref = self._promised(world, pool, new)
        volumes = serving.volumes
        if new.small:
            return self.start(ref, lambda _tell, _stop: volumes.make_small(ref, new.spec, client), client)
        return self.start(ref, lambda tell, stop: volumes.declare(ref, new.spec, client, tell, stop), client)

    def _begin(self, world: World, pool: str, new: NewVolume, client: Client) -> TaskRecord:
        self.serving.uploads.check_possible(world)
        ref = self._promised(world, pool, new)
        try:
            return self.serving.uploads.begin(ref, new.capacity, _target(ref), client)
        finally:
            self.serving.names.release(ref)  # the upload holds it from here on

    def _promised(self, world: World, pool: str, new: NewVolume) -> Ref:
        ref = self.free(world, pool, new.names)
        if ref is None:
            raise self.taken(Ref.volume(pool, new.name))
        return ref

    async def _take_file(self, request: falcon.asgi.Request, pool: str, client: Client) -> TaskRecord:
        """The volume is there when this returns: the task that tells of it has ended."""

        def check() -> World:
            world = self.serving.world
            self.writable_pool(world, pool)
            self.serving.uploads.check_possible(world)
            return world

        await asyncio.to_thread(check)
        async with read_form(request, {"file"}, self.serving.settings.state) as form:
            given = form.files.get("file")
            if given is None or not given.length:
                raise bad("KCHVOL0024E", "The form has to have a `file` that isn't empty.")
            name = form.texts.get("name") or given.name.replace("\\", "/").rpartition("/")[2]
            new = NewVolume(name, {}, given.length, upload=True)
            check_name(name)

            def take() -> TaskRecord:
                task = self._begin(check(), pool, new, client)
                ref = Ref.volume(pool, name)
                try:
                    self.serving.uploads.put(ref, given.length, given.chunks())
                except BaseException as error:
                    self.serving.uploads.abort(ref, str(error))
                    raise
                return self.serving.tasks.get(str(task.id))

            try:
                return await asyncio.to_thread(take)
            except Refused as error:
                raise bad(_UPLOAD_CODES.get(error.reason, ""), str(error)) from None


class StorageVolume(_Family):
    """One volume."""

    address = "/storagepools/{pool}/storagevolumes/{name}"

    @get("A volume.", VOLUME, blocking=True, volatile=frozenset({"allocation", "used_by"}))
    def read(self, _call: Call, pool: str, name: str) -> dict[str, Any]:
        """As it was observed last."""
        world = self.serving.world
        if pool == ISO_POOL:
            return _named(all_images(self.serving, world), pool, name)
        found = self.active_pool(world, pool)
        if Ref.volume(pool, name) not in world.snapshot.objects and pool_type(world, found) == ISO_TYPE:
            return _named(scanned(self.serving, world, found), pool, name)
        return self.view(world, self.volume(world, pool, name))

    @raw(
        "PUT", "Upload the next chunk of a volume whose upload is under way.", VOLUME, form=_CHUNK, statuses=(405,),
        description="Chunks come in order. One that was cut off is sent again; with `offset` it can't get lost or come"
        " twice.",
    )  # fmt: skip
    async def on_put(self, request: falcon.asgi.Request, response: falcon.asgi.Response, pool: str, name: str) -> None:
        """200 and the volume."""
        if pool == ISO_POOL:
            raise falcon.HTTPMethodNotAllowed(["GET"])
        async with read_form(request, {"chunk"}, self.serving.settings.state) as form:
            chunk = form.files.get("chunk")
            size, offset = _count(form.texts.get("chunk_size")), _count(form.texts.get("offset"))
            if chunk is None or size is None or ("offset" in form.texts and offset is None):
                raise bad("KCHVOL0024E", "A form with `chunk_size`, a number, and `chunk` is needed.")
            if size != chunk.length:
                raise bad("KCHVOL0026E", f"The chunk has {chunk.length} bytes and not {size}; send it again.")
            given = chunk
            view = await asyncio.to_thread(lambda: self._put(pool, name, size, given.chunks(), offset))
        response.content_type = JSON_TYPE
        response.data = to_json(view)

    def _put(self, pool: str, name: str, size: int, chunks: Any, offset: int | None) -> dict[str, Any]:
        ref = Ref.volume(pool, name)
        if not self.serving.uploads.expects(ref):
            self.volume(self.serving.world, pool, name)
        try:
            self.serving.uploads.put(ref, size, chunks, offset)
        except Refused as error:
            raise bad(_UPLOAD_CODES.get(error.reason, ""), str(error)) from None
        return self.view(*self._seen(ref))

    def _seen(self, ref: Ref) -> tuple[World, Observed]:
        world = self.serving.world
        if ref not in world.snapshot.objects:
            world = self.serving.operations.look_again(ref)
        return world, self.volume(world, ref.pool, ref.short_name)

    @delete("Remove a volume and its data. No machine and no other volume may use it.", statuses=(405,))
    def delete(self, call: Call, pool: str, name: str) -> None:
        """An order: it doesn't go into the trash."""
        if pool == ISO_POOL:
            raise falcon.HTTPMethodNotAllowed(["GET"])
        serving, ref = self.serving, Ref.volume(pool, name)
        self.writable_pool(serving.world, pool)
        if serving.uploads.abort(ref, "The volume was deleted while it was uploaded."):
            return
        world = serving.world
        self.volume(world, pool, name)
        self._refuse_in_use(world, ref, "deleted")
        refuse_protected(world, ref)
        serving.changes.check_allowed()
        if ref in world.desired.resources or ref in world.desired.held:
            serving.changes.make(
                lambda _tip: [Remove(ref)], f"Delete volume {ref.name}", call.client, [ref], removes=True
            )
        step = one_off_step(ref, "its removal was asked for", DeleteVolume(ref), action=Action.DELETE)
        serving.operations.perform(step, call.client)

    @action("resize", "Make a volume larger, also below a running machine.", VOLUME, body=_RESIZE)
    def resize(self, call: Call, pool: str, name: str) -> dict[str, Any]:
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

    @action("wipe", "Overwrite a volume's data. No machine may use it.", VOLUME)
    def wipe(self, call: Call, pool: str, name: str) -> dict[str, Any]:
        """It is empty afterwards."""
        world = self.serving.world
        self.writable_pool(world, pool)
        ref = self.volume(world, pool, name).ref
        self._refuse_in_use(world, ref, "wiped")
        self.serving.changes.check_allowed()
        step = one_off_step(ref, "it was asked to be wiped", WipeVolume(ref))
        world = self.serving.operations.perform(step, call.client)
        return self.view(world, self.volume(world, pool, name))

    @action("clone", "Copy a volume whole, without what it is based on.", TASK, status=202, body=_CLONE)
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
        ref = self.free(world, target_pool, names)
        if ref is None:
            raise self.taken(Ref.volume(target_pool, wanted))
        copied = ref
        work = lambda tell, stop: serving.volumes.copy(source, copied, call.client, tell, stop)  # noqa: E731
        return Answer(task_view(self.start(ref, work, call.client)), 202)

    def _refuse_in_use(self, world: World, ref: Ref, what: str) -> None:
        if found := users(world, ref):
            raise bad("KCHVOL0017E", f"{ref.short_name} can't be {what}: it is used by {', '.join(found)}.")


def _named(views: list[dict[str, Any]], pool: str, name: str) -> dict[str, Any]:
    for view in views:
        if view["name"] == name:
            return view
    raise not_found("KCHVOL0002E", f"The volume {name} in the pool {pool}")


def _target(ref: Ref) -> str:
    return f"/storagepools/{ref.pool}/storagevolumes/{ref.short_name}"


def _count(given: str | None) -> int | None:
    """A field of a form that is a number of bytes."""
    text_of = (given or "").strip()
    return int(text_of) if text_of.isascii() and text_of.isdigit() and len(text_of) < 19 else None
