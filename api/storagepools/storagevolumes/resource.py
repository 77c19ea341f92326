"""/storagepools/{pool}/storagevolumes: images and devices. Each is a document, an uploaded one once it is whole."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Iterator, Mapping
from contextlib import ExitStack
from typing import Final

import falcon
import falcon.asgi

from api.http.body import read_object
from api.http.disconnect import while_connected
from api.http.endpoint import Call, get, raw
from api.http.forms import AROUND, MAX_FILE, Given, Wanted, is_form, read_form
from api.http.refusal import bad
from api.http.responder import JSON_TYPE, as_seen, client_of, to_json, write_beside
from api.http.schema import Checked, arr, obj, text
from api.storagepools.storagevolumes.family import UPLOAD_CODES, VolumeResource, target_of
from api.storagepools.storagevolumes.iso_images import all_images, volume_views
from api.storagepools.storagevolumes.new_volume import CREATE, NewVolume, check_name, names_in, planned
from api.storagepools.storagevolumes.view import VOLUME
from api.storagepools.view import ISO_POOL
from api.tasks.view import TASK, task_view
from reconciler.errors import Refused, Transient
from reconciler.identity.role import Role
from reconciler.ledger.task_records import TaskRecord
from reconciler.loop.passes import World
from reconciler.serving.client import Client
from reconciler.serving.names import Promise
from reconciler.serving.reservations import Reservation
from specs.plain import NewJson
from specs.reference import Ref
from specs.storagevolume import KIND as VOLUMES

_CREATE: Final = Checked(CREATE, "KCHVOL0018E")
_FILE = obj(
    {
        "name": text("The new volume's name; that of the file when it is left out."),
        "file": text("What is uploaded, whole.", format="binary"),
    },
    required=("file",),
    closed=False,
)


class StorageVolumes(VolumeResource):
    """The volumes of a pool."""

    address = "/storagepools/{pool}/storagevolumes"

    @get("The volumes of an active pool, by name.", arr(VOLUME), filters=True, blocking=True, role=Role.VIEWER)
    def read(self, _call: Call, pool: str) -> list[NewJson]:
        """Every volume that could be read."""
        world = self.fresh_world(pool)
        if pool == ISO_POOL:
            return all_images(self.serving, world)
        return volume_views(self.serving, world, self.active_pool(world, pool))

    @raw(
        "POST", "Make a volume: empty, from a URL, or by an upload.", TASK, status=202,
        body=_CREATE, form=_FILE, statuses=(405,), if_match=True,
        description="A task makes it; its message tells how far it is. With `upload` the task runs until the last chunk"
        " was PUT to the new volume. A form with a `file` is uploaded whole.",
        failure="KCHVOL0007E", role=Role.ADMIN,
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
            async with as_seen(self, request, {"pool": pool}):
                task = await write_beside(lambda: self._make(pool, dict(body), client))
        response.status = 202
        response.content_type = JSON_TYPE
        response.data = to_json(self.with_actions(TASK, task_view(task)))

    def _make(self, pool: str, body: NewJson, client: Client) -> TaskRecord:
        world, serving = self.serving.world, self.serving
        found = self.writable_pool(world, pool)
        serving.changes.check_allowed()
        new = planned(body, found, serving.settings.networks)
        if new.upload:
            return self._begin(world, pool, new, client)
        promise, volumes = self._promised(world, pool, new), serving.volumes
        ref = promise.ref
        if new.small:
            return self.start(promise, lambda tell, _stop: volumes.make_small(ref, new.spec, client, tell), client)
        fetches = "source" in VOLUMES.declared(new.spec)
        return self.start(
            promise, lambda tell, stop: volumes.declare(ref, new.spec, client, tell, stop), client, fetches=fetches
        )

    def _begin(self, world: World, pool: str, new: NewVolume, client: Client) -> TaskRecord:
        self.serving.uploads.check_possible(world)
        promise = self._promised(world, pool, new)
        ref = promise.ref
        try:
            return self.serving.uploads.begin(ref, new.capacity, target_of(ref), client)
        except Refused as error:
            raise bad(UPLOAD_CODES.get(error.reason, ""), str(error)) from None
        finally:
            self.serving.names.release(promise)  # the upload holds it from here on

    def _promised(self, world: World, pool: str, new: NewVolume) -> Promise:
        promise = self.free(world, pool, new.names)
        if promise is None:
            raise self.taken(Ref.volume(pool, new.name))
        return promise

    async def _take_file(self, request: falcon.asgi.Request, pool: str, client: Client) -> TaskRecord:
        """The volume is there when this returns: the task that tells of it has ended. A client who leaves before has
        nothing.
        """
        announced = request.content_length or 0
        with ExitStack() as promised:

            async def ask(file: str, texts: Mapping[str, str]) -> Wanted:
                wanted, promise = await asyncio.to_thread(self._asked, pool, _name(file, texts), announced)
                promised.callback(promise.close)
                return wanted

            await asyncio.to_thread(self._checked, pool)
            async with read_form(request, {"file"}, self.serving.settings.state, ask) as form:
                given = form.files.get("file")
                if given is None or not given.length:
                    raise bad("KCHVOL0024E", "The form has to have a `file` that isn't empty.")
                new = NewVolume(_name(given.name, form.texts), {}, given.length, upload=True)
                check_name(new.name)
                promised.close()  # the upload's own takes its place
                gone, begun = threading.Event(), list[TaskRecord]()

                def leave() -> None:
                    gone.set()
                    for task in begun:
                        self.serving.uploads.leave(Ref.volume(pool, new.name), task)

                try:
                    async with as_seen(self, request, {"pool": pool}), while_connected(request, leave):
                        return await write_beside(lambda: self._take(pool, new, given, client, gone, begun))
                except Refused as error:
                    raise bad(UPLOAD_CODES.get(error.reason, ""), str(error)) from None

    def _checked(self, pool: str) -> World:
        world = self.serving.world
        self.writable_pool(world, pool)
        self.serving.uploads.check_possible(world)
        return world

    def _asked(self, pool: str, name: str, announced: int) -> tuple[Wanted, Reservation]:
        """How long the file may be, and the pool's room for it. Raises Refusal when its name or no room is free."""
        check_name(name)
        world = self._checked(pool)
        ref, uploads = Ref.volume(pool, name), self.serving.uploads
        if name in names_in(world, pool) or uploads.expects(ref):
            raise self.taken(ref)
        room = uploads.room(pool, world)
        try:
            promise = uploads.reserve(pool, min(max(0, announced - AROUND), MAX_FILE))
        except Refused as error:
            raise bad("", str(error)) from None
        most = MAX_FILE if room is None else room
        return Wanted(most, bad("", f"The pool {pool} has room for {most} bytes; make room, or send less.")), promise

    def _take(
        self,
        pool: str,
        new: NewVolume,
        given: Given,
        client: Client,
        gone: threading.Event,
        begun: list[TaskRecord],
    ) -> TaskRecord:
        task = self._begin(self._checked(pool), pool, new, client)
        begun.append(task)
        ref = Ref.volume(pool, new.name)
        try:
            self.serving.uploads.put(ref, given.length, _unless(gone, given.chunks()), client)
        except BaseException as error:
            self.serving.uploads.abort(ref, str(error), client)
            raise
        return self.serving.tasks.get(str(task.id), client)


def _name(file: str, texts: Mapping[str, str]) -> str:
    return texts.get("name") or file.replace("\\", "/").rpartition("/")[2]


def _unless(gone: threading.Event, chunks: Iterator[bytes]) -> Iterator[bytes]:
    for chunk in chunks:
        if gone.is_set():
            raise Transient("The client left before the file was stored.")
        yield chunk
