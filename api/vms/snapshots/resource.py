"""/vms/{name}/snapshots: kept inside a machine's disks. They are operations: no document speaks of them.

After one was put back the agent goes on as the machine's document says: what differs from it is changed again.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Iterable
from itertools import count
from typing import Final

from api.http.endpoint import Answer, Call, action, delete, get, post
from api.http.refusal import Refusal, bad, not_found
from api.http.schema import arr, obj, text
from api.tasks.view import TASK, task_view
from api.vms.devices import MachineDevices
from api.vms.snapshots.view import SNAPSHOT, SNAPSHOT_OR_NONE, snapshot_view
from api.vms.storages.media import Media
from reconciler.errors import NotFound, Refused
from reconciler.identity.role import Role
from reconciler.observed.answers import SnapshotOf
from reconciler.observed.snapshot import Observed
from reconciler.planning.one_off import CreateSnapshot, DeleteSnapshot, RevertSnapshot
from reconciler.planning.plan import one_off_step
from reconciler.planning.virtualmachine.power import strategy
from reconciler.serving.names import Promise
from reconciler.serving.put_back import check_disks, check_put_back
from reconciler.serving.tasks import Tell
from specs.binding import parse
from specs.name import INVISIBLE
from specs.plain import NewJson
from specs.reference import Ref
from specs.virtualmachine import KIND as MACHINES
from specs.virtualmachine.storage.snapshots import hindrance

_CODES: Final = {
    "NotWhileRunning": "KCHSNAP0001E",
    "SnapshotExists": "KCHSNAP0002E",
    "InvalidName": "KCHSNAP0002E",
    "SnapshotNotFound": "KCHSNAP0003E",
    "DiskNotSnapshotable": "KCHSNAP0010E",
}
_CURRENT: Final = "current"  # /snapshots/current is something else
_RAN: Final = frozenset({"running", "paused", "blocked"})  # states with a memory
_LONGEST: Final = 200

_CREATE = obj(
    {
        "name": text(
            "Its name; the seconds since 1970 when it is empty or missing.",
            pattern=f"^(?:[^./{INVISIBLE}][^/{INVISIBLE}]*)?$",
            maxLength=_LONGEST,
            x_code="KCHSNAP0002E",
            x_message="A snapshot's name has no slash, no invisible characters and no dot in front; choose another.",
        )
    },
    closed=False,
)


class _Family(MachineDevices):
    def known(self, observed: Observed) -> tuple[SnapshotOf, ...]:
        """The machine's snapshots, as the host has them now."""
        return self.serving.hypervisor.snapshots(observed.ref)

    def named(self, observed: Observed, snapshot: str) -> SnapshotOf:
        found = next((each for each in self.known(observed) if each.name == snapshot), None)
        if found is None:
            raise not_found("KCHSNAP0003E", f"The snapshot {snapshot} of {observed.ref.name}")
        return found

    def role_on(self, call: Call, observed: Observed) -> Role:
        return self.serving.sight(call.client).role_on(observed.ref)

    def perform(self, call: Call, why: str, operation: RevertSnapshot | DeleteSnapshot) -> None:
        try:
            self.serving.operations.perform(one_off_step(operation.ref, why, operation), call.client)
        except NotFound as error:
            raise Refusal(404, str(error), _CODES.get(error.reason, self.missing_code)) from None


class MachineSnapshots(_Family):
    """All snapshots of a machine."""

    address = "/vms/{name}/snapshots"

    @get("The snapshots of a machine, by name.", arr(SNAPSHOT), filters=True, blocking=True, role=Role.VIEWER)
    def read(self, _call: Call, name: str) -> list[NewJson]:
        """In the order of their names, whatever their case."""
        found = sorted(self.known(self.machine(name)), key=lambda each: (each.name.casefold(), each.name))
        return [snapshot_view(each) for each in found]

    @post(
        "Make a snapshot of a machine whose disks are all qcow2; of one that runs, with its memory.",
        TASK,
        _CREATE,
        status=202,
        failure="KCHSNAP0002E",
        role=Role.OPERATOR,
    )
    def make(self, call: Call, name: str) -> NewJson:
        """A task makes it. A machine that runs stands still meanwhile."""
        observed = self.machine(name)
        self.serving.hypervisor  # noqa: B018  # away: said now, not by the task
        running = observed.live_xml if observed.active else None
        if (unable := hindrance(parse(running or observed.xml), name, running=observed.active)) is not None:
            raise bad(_CODES[unable.reason], unable.sentence)
        snapshot = str(call.body.get("name") or "")
        if snapshot and (snapshot == _CURRENT or not snapshot.strip()):
            raise bad("KCHSNAP0002E", f"{snapshot!r} can't be a snapshot's name here; choose another.")
        promise = self._promised(observed, snapshot)
        snapshot, ref = promise.ref.name.rpartition("/")[2], observed.ref

        def work(_tell: Tell, stop: threading.Event) -> None:
            try:
                self._create(call, ref, snapshot, stop)
            finally:
                self.serving.names.release(promise)

        try:
            return task_view(self.serving.tasks.start(f"/vms/{name}/snapshots/{snapshot}", work, call.client))
        except BaseException:
            self.serving.names.release(promise)
            raise

    def _promised(self, observed: Observed, snapshot: str) -> Promise:
        """Its name, that of another request's never. Without one the seconds since 1970, or a little later: a second
        one may be asked for before the first is there.
        """
        names: Iterable[str] = [snapshot]
        if not snapshot:
            taken = {each.name for each in self.known(observed)}
            names = (str(second) for second in count(int(time.time())) if str(second) not in taken)
        found = self.serving.names.first(Ref("Snapshot", f"{observed.ref.name}/{name}") for name in names)
        if found is None:
            raise bad("KCHSNAP0002E", f"A snapshot {snapshot} is being made by another request; choose another name.")
        return found

    def _create(self, call: Call, ref: Ref, snapshot: str, stop: threading.Event) -> None:
        step = one_off_step(ref, f"the snapshot {snapshot} was asked for", CreateSnapshot(ref, snapshot))
        try:
            self.serving.operations.perform(step, call.client, stop=stop)
        except (Refused, NotFound) as error:
            code = _CODES.get(error.reason)
            raise Refused(f"{code}: {error}", reason=error.reason) if code else error from None


class CurrentSnapshot(_Family):
    """The snapshot that the machine stands on."""

    address = "/vms/{name}/snapshots/current"

    @get(
        "The snapshot that was made or put back last; {} when there is none.",
        SNAPSHOT_OR_NONE,
        blocking=True,
        role=Role.VIEWER,
    )
    def read(self, _call: Call, name: str) -> NewJson:
        """As the host has it now."""
        found = next((each for each in self.known(self.machine(name)) if each.current), None)
        return snapshot_view(found) if found is not None else {}


class MachineSnapshot(_Family):
    """One snapshot."""

    address = "/vms/{name}/snapshots/{snapshot}"

    @get("A snapshot.", SNAPSHOT, blocking=True, role=Role.VIEWER)
    def read(self, _call: Call, name: str, snapshot: str) -> NewJson:
        """As the host has it now."""
        return snapshot_view(self.named(self.machine(name), snapshot))

    @delete("Delete a snapshot. Those that were made after it stay.", failure="KCHSNAP0006E", role=Role.OPERATOR)
    def delete(self, call: Call, name: str, snapshot: str) -> None:
        """Its children get its parent."""
        observed = self.machine(name)
        found = self.named(observed, snapshot)
        check_disks(self.role_on(call, observed), snapshot, found.xml, observed)
        why = f"the removal of the snapshot {snapshot} was asked for"
        self.perform(call, why, DeleteSnapshot(observed.ref, snapshot))

    @action(
        "revert",
        "Put a machine back to a snapshot: its disks, its definition, and its memory when it ran then. One that runs is"
        " cut off.",
        None,
        status=303,
        description="What its document says otherwise comes true again after it. With what it couldn't be given by"
        " whoever asks, such as a disk or a network that it doesn't have now, only administrators put it back: 403.",
        failure="KCHSNAP0009E",
        role=Role.OPERATOR,
    )
    def revert(self, call: Call, name: str, snapshot: str) -> Answer:
        """What its document says otherwise comes true again after it. That it runs, when it ran then, is committed."""
        observed = self.machine(name)
        found, media = self.named(observed, snapshot), Media(self.serving, call.client)
        check_put_back(self.role_on(call, observed), snapshot, found.xml, observed, media.may_have)
        if found.state in _RAN:
            self._let_run(call, observed.ref)
        why = f"its snapshot {snapshot} was asked back"
        self.perform(call, why, RevertSnapshot(observed.ref, snapshot))
        return Answer(status=303, location=f"/vms/{name}/snapshots/{snapshot}")

    def _let_run(self, call: Call, ref: Ref) -> None:
        """A document that has it halted, or paused, would soon take away again what is put back."""
        declared = self.serving.world.desired.resources.get(ref)
        if declared is None:
            return
        fields: NewJson = {} if strategy(declared) != "Halted" else {"runStrategy": "RerunOnFailure"}
        if "paused" in MACHINES.declared(declared.spec):
            fields["paused"] = None
        if fields:
            self.change_spec(call, ref, fields, "Run as in its snapshot", settle=False)
