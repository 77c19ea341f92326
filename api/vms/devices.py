"""Devices of a machine: attached, changed and detached by commits of the machine's document.

A machine that the repository doesn't know is adopted by a change. A device that no document speaks of is detached by an
operation: a document can't say that something is to go which it never had.
"""

from __future__ import annotations

import copy
from collections.abc import Callable, Sequence
from dataclasses import replace
from functools import partial
from typing import Any, Final

from lxml import etree

from api.documents.resource import DocumentResource
from api.documents.taking_back import taken_back
from api.http.endpoint import Call
from api.http.refusal import Refusal
from reconciler.errors import Unsupported
from reconciler.identity.role import Role
from reconciler.loop.passes import World
from reconciler.observed.snapshot import Observed
from reconciler.planning.operations import Define, EditLive, Operation
from reconciler.planning.plan import one_off_step
from reconciler.serving.machine_items import Item, Pair, is_seed, items_of, pairs
from reconciler.writing.changes import DocumentChange, Documents, Put
from specs.binding import Items, parse, read, serialise
from specs.host import Feature
from specs.plain import NewDocument, NewJson
from specs.reference import VIRTUAL_MACHINE, Ref
from specs.registry import kinds

MACHINE_MISSING: Final = "KCHVM0002E"


class Listed:
    """One list of a machine's document while it is changed: `items` is to be changed in place.

    `further` takes changes of other documents for the same commit.
    """

    def __init__(
        self, name: str, document: NewDocument, documents: Documents, observed: Observed, world: World
    ) -> None:
        self.name = name
        self.document = document
        self.observed = observed
        self.world = world
        self.items: list[Item] = items_of(document, documents, name)
        self.before = copy.deepcopy(self.items)
        self.further: list[DocumentChange] = []

    def place(self, is_meant: IsMeant) -> int | None:
        """Where the device that is meant is; None when no item stands for it. Raises Refusal 400 for a seed's drive."""
        place = next((pair.place for pair in self._pairs() if is_meant(pair.found)), None)
        if place is not None and is_seed(place, self.items):
            raise Refusal(400, "This drive holds the seed of the machine's `cloudInit`; change that in its document.")
        return place

    def keep_apart(self, key: str, is_vague: Callable[[Pair], bool]) -> None:
        """Write down the `key` by which an item's device is known, for each item that goes by its place in the list.

        It would stand for another device once one before it has gone.
        """
        for pair in self._pairs():
            if pair.place < len(self.items) and key not in self.items[pair.place] and is_vague(pair):
                self.items[pair.place][key] = pair.found[key]

    def _pairs(self) -> list[Pair]:
        return pairs(self.name, self.items, self.document, self.observed, self.world)

    def changes(self) -> Sequence[DocumentChange]:
        """What the commit consists of."""
        spec = self.document["spec"]
        if self.items != self.before:
            if self.items or "template" in spec:
                spec[self.name] = self.items
            else:
                spec.pop(self.name, None)
        return [Put(self.observed.ref, self.document), *self.further]


Change = Callable[[Listed], None]
Going = Callable[[Listed, int], None]
IsMeant = Callable[[Any], bool]  # of an item of the list that it is asked for


class MachineDevices(DocumentResource):
    """A family of addresses below a machine's. `listed` is the list of documents that it is about."""

    tag = "Virtual machines"
    kind = VIRTUAL_MACHINE
    noun = "machine"
    missing_code = MACHINE_MISSING

    def machine(self, name: str) -> Observed:
        """The machine as it was observed last. Raises Refusal 404."""
        return self.observed(self.serving.world, self.ref(name))

    def check_pluggable(self, observed: Observed) -> None:
        """Raises Unsupported for a running machine of a host that can't change its devices."""
        if observed.active and not self.serving.world.snapshot.host.can(Feature.DEVICE_HOTPLUG):
            raise Unsupported(
                f"This connection can't change devices of a running machine; shut {observed.ref.name} down first."
            )

    def change_list(self, call: Call, observed: Observed, listed: str, change: Change, verb: str) -> World:
        """Let `change` work on one list of the machine's document, commit it, and give the world where it is true.

        `change` may be called several times, and raise. A change that the host fails at is taken back by another
        commit: no document is left behind whose machine can't be as it says.
        """
        last: list[Listed] = []

        def remembered(changed: Listed) -> None:
            change(changed)
            last[:] = [changed]

        def take_back() -> None:
            if last and last[0].items != last[0].before:  # what was there before comes back, whose it ever was
                back = replace(call, client=replace(call.client, role=Role.ADMIN))
                self._commit(back, observed, listed, partial(_restore, last[0]), f"Take back: {verb}")

        with taken_back(observed.ref, take_back):
            return self._commit(call, observed, listed, remembered, verb)

    def _commit(self, call: Call, observed: Observed, listed: str, change: Change, verb: str) -> World:
        ref = observed.ref

        def edit(documents: Documents) -> Sequence[DocumentChange]:
            document = self.serving.document(ref, documents)
            document["spec"] = dict(document.get("spec") or {})
            changed = Listed(listed, document, documents, observed, self.serving.world)
            change(changed)
            return changed.changes()

        message = f"{verb} {self.noun} {ref.short_name}"
        return self.serving.changes.make(edit, message, call.client, [ref]).world

    def detach(
        self, call: Call, observed: Observed, listed: str, is_meant: IsMeant, verb: str, also: Going | None = None
    ) -> None:
        """Take the device that is meant away from the machine, out of its document and off the host.

        `also` gets the list, and the item's place, before the item goes. Data stays where it is.
        """

        def change(changed: Listed) -> None:
            place = changed.place(is_meant)
            if place is None:
                return
            if also is not None:
                also(changed, place)
            del changed.items[place]

        self.change_list(call, observed, listed, change, verb)
        self.detach_undeclared(call, observed.ref, listed, is_meant)
        self.check_running(observed.ref, listed, is_meant, there=False)

    def detach_undeclared(self, call: Call, ref: Ref, listed: str, is_meant: IsMeant) -> None:
        """Take a device away that no item stands for, by an operation; done already is fine."""
        now = self.serving.world.snapshot.get(ref)
        if now is None:
            return
        operations: list[Operation] = []
        root = parse(now.xml)
        going = _elements(root, listed, is_meant)
        for each in going:
            if (holder := each.getparent()) is not None:
                holder.remove(each)
        if going:
            operations.append(Define(ref, now.uid, serialise(root)))
        if now.live_xml is not None:
            found = _elements(parse(now.live_xml), listed, is_meant)
            operations += [EditLive(ref, "detach", serialise(each)) for each in found]
        if operations:
            step = one_off_step(ref, "the removal of a device that isn't declared was asked for", *operations)
            self.serving.operations.perform(step, call.client)

    def check_running(self, ref: Ref, listed: str, is_meant: IsMeant, *, there: bool) -> None:
        """Raises Refusal 409 for a running machine that couldn't be changed so, or hasn't been yet."""
        world = self.serving.world
        now = world.snapshot.get(ref)
        if now is None or now.live is None:
            return
        if any(is_meant(item) for item in now.live.get(listed) or ()) is not there:
            changes = [change for item in world.plan.waiting if item.ref == ref for change in item.changes]
            why = next((each.note for each in changes if each.note and each.pointer.startswith(f"/{listed}/")), "")
            raise Refusal(
                409,
                f"The change is committed, and comes true when {ref.name} is started the next time"
                + (f": {why.rstrip('.')}." if why else "."),
            )

    def not_there(self, world: World, what: str) -> Refusal:
        """409: the change is in the repository, and the host hasn't come to it."""
        why = f": {world.closed}" if world.closed else "; look at the status of the machine"
        return Refusal(409, f"The change is committed, and {what} isn't there yet{why}.")


def _restore(failed: Listed, now: Listed) -> None:
    if now.items == failed.items:  # else somebody has gone on from there
        now.items = failed.before


def devices(observed: Observed, listed: str, key: str) -> list[Any]:
    """The machine's devices, of the type of their list: those that it runs with, and behind them those that wait for
    its next start.
    """
    found: NewJson = {}
    for spec in (observed.live, observed.config):
        for item in (spec or {}).get(listed) or ():
            if name := str(item.get(key) or ""):  # one without has no address
                found.setdefault(name, item)
    return list(found.values())


def _elements(root: etree._Element, listed: str, is_meant: IsMeant) -> list[etree._Element]:
    bind = next(bind for bind in kinds()[VIRTUAL_MACHINE].xml.BINDS if isinstance(bind, Items) and bind.name == listed)
    return [each for each in bind.elements(root) if is_meant(read(bind.fields, each))]
