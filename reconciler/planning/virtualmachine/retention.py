"""The law of data: no step takes a volume with data from a machine that is declared or runs, unless a person said yes.

It is kept by completing the wish before anything is compared with it. Here a desired state becomes one in which each
machine still has what `kept_disks` and `kept_cards` say that it keeps. Whatever follows (definitions, live edits, what
is made, grown or removed, and in which order) then is about a machine that has its disks. Pure.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace

from reconciler.bulkhead import Failure, contained
from reconciler.desired.state import DesiredState, Resource
from reconciler.observed.snapshot import Observed
from reconciler.planning.approval import NEEDS_APPROVAL
from reconciler.planning.context import Context
from reconciler.planning.failed import failed
from reconciler.planning.ownership import Owned
from reconciler.planning.plan import Blocked
from reconciler.planning.recreation import vanished
from reconciler.planning.virtualmachine import retention_text
from reconciler.planning.virtualmachine.retained_disks import (
    Coming,
    Decision,
    Leaving,
    decide,
    disk_ref,
    in_its_place,
    is_settled,
    is_unknown,
    remembered,
)
from reconciler.planning.virtualmachine.retained_interfaces import with_retained_interfaces
from specs.host import Host
from specs.plain import NewSpec, Spec
from specs.reference import STORAGE_POOL, STORAGE_VOLUME, VIRTUAL_MACHINE, Ref
from specs.registry import kinds
from specs.virtualmachine import KIND as MACHINES
from specs.virtualmachine.storage.named_sources import disk_name, text


@dataclass(frozen=True, slots=True)
class Kept:
    """The completed wish; what of the documents' wish is held back; and what the ledger is to remember of machines.

    `after` has the machines that get a disk from another one, which lets go of it first.
    """

    desired: DesiredState
    blocked: tuple[Blocked, ...] = ()
    remembered: Mapping[Ref, str] = field(default_factory=dict)
    after: Mapping[Ref, Ref] = field(default_factory=dict)
    let_go: frozenset[Ref] = frozenset()  # the disks that machines lose because a person said so
    notes: tuple[str, ...] = ()


# A machine about whose disks and cards nothing is to be done, told by these and the host's volumes alone.
_Quiet = tuple[Resource, Observed | None, Owned | None]


class Retention:
    """Remembers which machines need nothing: nearly all, pass after pass, until a volume comes or goes."""

    def __init__(self) -> None:
        self._quiet: dict[Ref, _Quiet] = {}
        self._around: tuple[Host, Host, str] | None = None  # what those depend on together

    def keep(self, context: Context) -> Kept:
        """The desired state in which nothing is lost."""
        made = _Completion(context)
        quiet: dict[Ref, _Quiet] = {}
        made.share_folders()
        around = (context.snapshot.host, context.host, context.desired.repository_id)
        before = self._quiet if self._is_around(*around) and not made.pools else {}
        owned, present, only_observed = context.owned, context.renames.present, context.only_observed
        for ref, resource in context.desired.resources.items():
            if ref.kind != VIRTUAL_MACHINE:
                continue
            entry = owned.get(ref)
            if ref in context.suspended or ref in only_observed:
                continue  # nothing is done to it
            observed = context.snapshot.get(present.get(ref, ref))
            if observed is None and entry is not None:  # it is made again with what it had
                had = contained("finding what it had", ref, resource.digest, vanished, resource, context)
                if isinstance(had, Failure):
                    made.blocked.append(failed(ref, had, resource.path, resource.line))
                    continue
                observed = had
            known = before.get(ref)
            if known is not None and known[0] is resource and known[1] is observed and known[2] is entry:
                quiet[ref] = known
                continue
            found = contained("telling its disks", ref, resource.digest, made.complete, resource, observed)
            if isinstance(found, Failure):
                made.blocked.append(failed(ref, found, resource.path, resource.line))
            elif not found and ref not in made.decided:  # what was decided depends on whatever else is there
                quiet[ref] = (resource, observed, entry)
        self._quiet, self._around = quiet, around
        return made.result()

    def _is_around(self, observed: Host, host: Host, repository_id: str) -> bool:
        before = self._around
        return before is not None and before[0] is observed and before[1] is host and before[2] == repository_id


class _Completion:
    def __init__(self, context: Context) -> None:
        self.context = context
        self.resources = dict(context.desired.resources)
        self.pools: dict[str, str] = {}  # declared pools whose folder is that of another one on the host
        self.blocked: list[Blocked] = []
        self.remembered: dict[Ref, str] = {}
        self.notes: list[str] = []
        self.retained: dict[Ref, tuple[Ref, str]] = {}  # a volume that stays with a machine, and what lets it go
        self.let_go: dict[Ref, Ref] = {}
        self.decided: set[Ref] = set()  # the machines for which that took a look at others

    def share_folders(self) -> None:
        """A pool is declared anew over the folder of one that is there: its volumes are the ones that lie there."""
        objects, paths = self.context.snapshot.objects, self.context.snapshot.host.pool_paths
        folders = {path.rstrip("/"): name for name, path in paths.items()}
        for ref, resource in self.context.desired.resources.items():
            if ref.kind != STORAGE_POOL or ref in objects:
                continue
            there = folders.get((self.context.host.pool_paths.get(ref.name) or "").rstrip("/"))
            if there is not None and there != ref.name:
                message = retention_text.shared_folder(ref, Ref(STORAGE_POOL, there))
                self.blocked.append(Blocked(ref, "RenameRefused", message, resource.path, resource.line))
                del self.resources[ref]
                self.pools[ref.name] = there
        for ref in self.context.desired.resources if self.pools else ():
            if ref.pool in self.pools:
                self._rename(ref, Ref(STORAGE_VOLUME, self._place(ref.name)))

    def complete(self, resource: Resource, observed: Observed | None) -> bool:
        """Complete one machine; False when there was nothing to do."""
        if observed is not None and _is_anothers(resource, observed, self.context):
            return False
        before = resource
        if self.pools:
            resource = self._at_places(resource)
        if "/disks" not in resource.policy.ignore_fields:
            resource = self._with_disks(resource, observed)
        if observed is not None:
            resource = with_retained_interfaces(resource, observed, self.context)
        if resource is before:
            return False
        self.resources[resource.ref] = resource
        return True

    def _at_places(self, resource: Resource) -> Resource:
        spec = dict(resource.spec)
        for kind in ("disks", "cdroms", "floppies"):
            if kind in spec:
                spec[kind] = [
                    {**drive, "volume": self._place(drive["volume"])} if "volume" in drive else drive
                    for drive in spec[kind]
                ]
        if (pool := self.pools.get(spec.get("cloudInit", {}).get("pool", ""))) is not None:
            spec["cloudInit"] = {**spec["cloudInit"], "pool": pool}
        return resource if spec == resource.spec else changed(resource, spec)

    def _place(self, volume: str) -> str:
        pool, _, name = volume.partition("/")
        return f"{self.pools.get(pool, pool)}/{name}"

    def _with_disks(self, resource: Resource, observed: Observed | None) -> Resource:
        entry = self.context.owned.get(resource.ref)
        if not remembered(entry) and (observed is None or is_settled(resource, observed, self.context)):
            return resource
        self.decided.add(resource.ref)
        found = decide(resource, observed, self.context)
        self._rename_all(found)
        resource = self._renamed(resource, found, remembered(entry))
        if found.displacing:
            resource = self._without_displacing(resource, found)
        if not found.leaving:
            return resource
        if found.approved:
            self.let_go |= {each.volume: resource.ref for each in found.leaving}
            return resource
        return self._held(resource, found)

    def _rename_all(self, found: Decision) -> None:
        for declared, present in found.renamed.items():
            self._rename(declared, present)

    def _rename(self, declared: Ref, present: Ref) -> None:
        volume = self.resources.pop(declared, None)
        if volume is None or present in self.resources:
            return
        spec = {**volume.spec, "pool": present.pool}
        if "backingVolume" in spec:
            spec["backingVolume"] = self._place(spec["backingVolume"])
        needs = tuple(dict.fromkeys(kinds()[STORAGE_VOLUME].references(present.short_name, spec)))
        self.resources[present] = replace(volume, ref=present, spec=spec, depends_on=needs)

    def _renamed(self, resource: Resource, found: Decision, known: Mapping[str, str]) -> Resource:
        """With each renamed entry as the volume that it is; the ledger keeps them by the entries' names.

        It also keeps those that are called otherwise again while their disk stays.
        """
        staying = {each.volume.name for each in found.leaving}
        names = {name: volume for name, volume in known.items() if volume in staying}
        disks = []
        for disk in MACHINES.declared(resource.spec).get("disks") or ():
            present = found.renamed.get(disk_ref(disk))
            if present is not None:
                name = str(disk["name"])
                names[name] = present.name
                if known.get(name) != present.name:
                    self.notes.append(retention_text.renamed(resource.ref, name, present))
                disk = {**disk, "volume": present.name}
            disks.append(disk)
        if names:
            self.remembered[resource.ref] = json.dumps(names, sort_keys=True)
        return changed(resource, {**resource.spec, "disks": disks}) if found.renamed else resource

    def _without_displacing(self, resource: Resource, found: Decision) -> Resource:
        for volume, place in found.displacing.items():
            unknown = is_unknown(place, self.context)
            message = retention_text.beneath(volume, place) if unknown else retention_text.displacing(volume, place)
            self.blocked.append(
                Blocked(resource.ref, "PlaceTaken", message, resource.path, resource.line, part="/disks")
            )
        declared = MACHINES.declared(resource.spec)["disks"]
        disks = [disk for disk in declared if disk_ref(disk) not in found.displacing]
        return changed(resource, {**resource.spec, "disks": disks})

    def _held(self, resource: Resource, found: Decision) -> Resource:
        """With the disks that would leave, and without those that would come in their place."""
        waiting = [each for each in found.coming if in_its_place(each, found.leaving)]
        message = retention_text.leaving(found, self.context)
        self.blocked.append(
            Blocked(resource.ref, NEEDS_APPROVAL, message, resource.path, resource.line, found.digest, part="/disks")
        )
        for each in waiting:
            self._withhold(each, resource, found)
        for gone in found.leaving:
            self.retained[gone.volume] = (resource.ref, found.digest)
        return self._keeping(resource, found.leaving, waiting)

    def _withhold(self, coming: Coming, resource: Resource, found: Decision) -> None:
        volume = self.resources.pop(coming.volume, None) if coming.new else None
        if volume is not None:
            message = retention_text.in_place_of(resource, coming, found)
            self.blocked.append(Blocked(coming.volume, NEEDS_APPROVAL, message, volume.path, volume.line, found.digest))

    def _keeping(self, resource: Resource, leaving: Iterable[Leaving], waiting: Iterable[Coming]) -> Resource:
        withheld = {each.volume.name for each in waiting}
        # What a disk that stays has, no other device gets meanwhile: libvirt would move it away from there.
        taken = [(key, each.found[key]) for each in leaving for key in ("target", "bootOrder") if key in each.found]

        def yielding(item: Spec) -> Spec:
            return {key: value for key, value in item.items() if (key, value) not in taken}

        spec: NewSpec = dict(resource.spec)
        for kind in ("disks", "cdroms", "interfaces"):
            if kind in spec:
                spec[kind] = [yielding(item) for item in spec[kind]]
        declared = [disk for disk in spec.get("disks", ()) if disk_name(disk) not in withheld]
        spec["disks"] = [*declared, *map(self._as_it_is, leaving)]
        policy = resource.policy
        if "disks" not in MACHINES.declared(resource.spec):  # a list that isn't declared is never complete
            policy = replace(policy, complete=tuple(name for name in policy.complete if name != "disks"))
        return replace(changed(resource, spec), policy=policy)

    @staticmethod
    def _as_it_is(leaving: Leaving) -> Spec:
        """The entry of a disk that stays: what lies in a pool by its volume, all else by the place that it has."""
        source = leaving.found["source"]
        in_no_pool = "volume" not in source and leaving.volume.name == text(source)
        return {"source": source} if in_no_pool else {"volume": leaving.volume.name}

    def result(self) -> Kept:
        """What came of all machines together: a disk that one of them still has isn't given to another."""
        after: dict[Ref, Ref] = {}
        if self.retained or self.let_go:
            for ref, resource in list(self.resources.items()):
                if ref.kind == VIRTUAL_MACHINE:
                    self._give(resource, after)
        desired = self.context.desired
        if self.resources != desired.resources:
            desired = replace(desired, resources=self.resources)
        pairs = {ref: giver for ref, giver in after.items() if after.get(giver) != ref}
        return Kept(desired, tuple(self.blocked), self.remembered, pairs, frozenset(self.let_go), tuple(self.notes))

    def _give(self, resource: Resource, after: dict[Ref, Ref]) -> None:
        for disk in MACHINES.declared(resource.spec).get("disks") or ():
            volume = disk_ref(disk)
            giver, digest = self.retained.get(volume, (resource.ref, ""))
            if giver != resource.ref and not self._has(resource.ref, volume):
                message = retention_text.elsewhere(resource.ref, volume, giver, digest)
                there = resource.ref in self.context.snapshot.objects
                self.blocked.append(
                    Blocked(resource.ref, NEEDS_APPROVAL, message, resource.path, resource.line, digest,
                            part="/disks" if there else "")
                )  # fmt: skip
                rest = [each for each in MACHINES.declared(resource.spec)["disks"] if each is not disk]
                resource = self.resources[resource.ref] = changed(resource, {**resource.spec, "disks": rest})
            elif (giver := self.let_go.get(volume, resource.ref)) != resource.ref:
                after[resource.ref] = giver

    def _has(self, machine: Ref, volume: Ref) -> bool:
        return self.context.renames.present.get(machine, machine) in self.context.users.get(volume, ())


def _is_anothers(resource: Resource, observed: Observed, context: Context) -> bool:
    mark = observed.mark
    return mark is not None and mark.repository_id != context.desired.repository_id and not resource.policy.adopt


def changed(resource: Resource, spec: Spec) -> Resource:
    """A machine that asks for something else than its document does; that isn't what was applied before."""
    devices = {key: spec.get(key) for key in ("disks", "cdroms", "floppies", "interfaces")}
    text = json.dumps([resource.digest, devices], sort_keys=True, default=str)
    return replace(
        resource,
        spec=spec,
        depends_on=tuple(dict.fromkeys(kinds()[VIRTUAL_MACHINE].references(resource.ref.name, spec))),
        digest=hashlib.sha256(text.encode()).hexdigest(),
    )
