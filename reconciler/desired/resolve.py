"""From documents to desired state: templates expanded, volumes named in full, identities fixed. Pure.

Incremental by identity: a resource is made anew only when its document, its templates or what else it was made from is
another object than last time; and what is made anew but says the same is handed out as the old object.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field, replace
from itertools import islice
from typing import Final, NamedTuple

from reconciler.bulkhead import Failure, contained
from reconciler.desired.identity import object_uid
from reconciler.desired.implied import ImpliedVolume, complete
from reconciler.desired.load import LoadedDocuments
from reconciler.desired.state import DesiredState, Policy, Resource
from reconciler.desired.template_chain import Expanded, TemplateChains
from reconciler.desired.templates import machine_fields, merged
from reconciler.source import limits
from reconciler.source.files import REPOSITORY_FILE
from reconciler.source.tree import SourceTree
from specs.document import Document
from specs.plain import Spec
from specs.problem import Problem
from specs.reference import STORAGE_POOL, STORAGE_VOLUME, TEMPLATE, VIRTUAL_MACHINE, Ref
from specs.registry import kinds
from specs.scope import Scope
from specs.storagepool import KIND as POOLS
from specs.storagepool.types import OF_DEVICES
from specs.template import KIND as TEMPLATES
from specs.virtualmachine import KIND as MACHINES
from specs.virtualmachine.staged import ANNOTATION as NEXT_BOOT
from specs.virtualmachine.staged import next_boot_fields

# Pools whose volumes are devices: always raw, and named without a suffix.

_COST: Final = 10  # values that a resource counts for, whatever is in it
_SHOWN: Final = 3  # others that a sentence names


class _Inputs(NamedTuple):
    """All that a document's resources are made from. Compared by identity where that is enough."""

    document: Document
    template: Expanded | None
    repository_id: str
    block_pools: frozenset[str]

    def same(self, other: _Inputs) -> bool:
        return (
            self.document is other.document
            and self.template is other.template
            and self.repository_id == other.repository_id
            and self.block_pools == other.block_pools
        )


@dataclass(frozen=True, slots=True)
class _Made:
    """What became of one document: its resource first, then the volumes that it implies; or problems and nothing."""

    inputs: _Inputs
    resources: tuple[Resource, ...] = ()
    problems: tuple[Problem, ...] = ()
    implied: tuple[Ref, ...] = ()
    disks: tuple[tuple[Ref, bool], ...] = ()  # each volume of a VM, and whether it may write to it


@dataclass(slots=True)
class _Budget:
    """What all documents of a revision may come to."""

    most: int
    spent: int = 0

    def spend(self, cost: int) -> bool:
        """Count; False beyond the limit."""
        self.spent += cost
        return self.spent <= self.most

    @property
    def excess(self) -> str:
        """What to do then."""
        return (
            f"With this document, their templates and their disks all documents come to more than {self.most} values; "
            "make the templates smaller, split the repository, or raise --max-files (max-files in the settings, "
            "ONGGI_MAX_FILES)."
        )


@dataclass(slots=True)
class _State:
    """The desired state while it is put together."""

    resources: dict[Ref, Resource] = field(default_factory=dict)
    problems: list[Problem] = field(default_factory=list)
    held: set[Ref] = field(default_factory=set)


class Resolver:
    """Resolves one source again and again. `allowed_folders` are where a CD-ROM's path may lie."""

    def __init__(self, *, allowed_folders: tuple[str, ...] = ()) -> None:
        self._allowed_folders = allowed_folders
        self._chains = TemplateChains()
        self._made: dict[Ref, _Made] = {}
        self._last: tuple[SourceTree, LoadedDocuments, DesiredState] | None = None

    def resolve(self, tree: SourceTree, loaded: LoadedDocuments, repository_id: str) -> DesiredState:
        """The desired state of a revision. Never raises for what is written in a document."""
        if self._last is not None:
            last_tree, last_loaded, state = self._last
            if last_tree is tree and last_loaded is loaded and state.repository_id == repository_id:
                return state
        if any(problem.path == REPOSITORY_FILE for problem in tree.problems):
            return _nobody_knows_whose(tree, loaded, repository_id)
        state = self._resolve(tree, loaded, repository_id)
        self._last = (tree, loaded, state)
        return state

    def _resolve(self, tree: SourceTree, loaded: LoadedDocuments, repository_id: str) -> DesiredState:
        templates = {document.name: document for document in loaded.documents if document.kind == TEMPLATE}
        self._chains.update(templates)
        block_pools = frozenset(
            document.name
            for document in loaded.documents
            if document.kind == STORAGE_POOL and POOLS.declared(document.spec).get("type") in OF_DEVICES
        )
        before, self._made = self._made, {}
        budget = _Budget(limits.most_values())
        for document in loaded.documents:
            known, text = before.get(document.ref), document.piece.text
            made = contained(
                "working out", document.ref, text, self._remake, document, known, repository_id, block_pools, budget
            )
            if isinstance(made, Failure):
                inputs = _Inputs(document, None, repository_id, block_pools)
                made = _Made(inputs, problems=(_problem(document, "", f"{made.message}."),))
            self._made[document.ref] = made
        state = _State(problems=[*tree.problems, *loaded.problems], held=set(loaded.held))
        _gather(self._made.values(), state)
        return DesiredState(
            revision=tree.revision,
            repository_id=repository_id,
            resources=state.resources,
            problems=tuple(state.problems),
            held=frozenset(state.held),
            held_paths=loaded.held_paths,
            prunable=bool(loaded.documents),
            where=Scope(repository_id, tree.branch, tree.path),
            blobs={file.path: file.blob for file in tree.files},
            emptied=loaded.emptied,
            unread=tree.unread,
        )

    def _inputs(self, document: Document, repository_id: str, block_pools: frozenset[str]) -> _Inputs:
        if document.kind == VIRTUAL_MACHINE:
            name = MACHINES.declared(document.spec).get("template")
            template = self._chains.of(name) if name is not None else None
            return _Inputs(document, template, repository_id, block_pools)
        if document.kind == TEMPLATE:
            return _Inputs(document, self._chains.of(document.name), repository_id, frozenset())
        return _Inputs(document, None, repository_id, frozenset())

    def _remake(
        self,
        document: Document,
        known: _Made | None,
        repository_id: str,
        block_pools: frozenset[str],
        budget: _Budget,
    ) -> _Made:
        inputs = self._inputs(document, repository_id, block_pools)
        if not budget.spend(_cost(inputs)):
            # Made from nothing that stays: it is looked at again when others leave room.
            return _Made(inputs._replace(repository_id=""), problems=(_problem(document, "", budget.excess),))
        return known if known is not None and known.inputs.same(inputs) else _kept(self._make(inputs), known)

    def _make(self, inputs: _Inputs) -> _Made:
        document = inputs.document
        if inputs.template is not None and inputs.template.mistake:
            pointer = "/spec/template"
            return _Made(inputs, problems=(_problem(document, pointer, inputs.template.mistake),))
        if document.kind == TEMPLATE:
            return _Made(inputs, (_resource(document, "", document.spec),))
        uid = object_uid(inputs.repository_id, document.ref, document.uid)
        if document.kind == VIRTUAL_MACHINE:
            return self._make_machine(inputs, uid)
        spec = dict(document.spec)
        if document.kind == STORAGE_VOLUME and "backingVolume" in spec:
            spec["backingVolume"] = Ref.volume_named(spec["backingVolume"], document.ref.pool).name
        return _Made(inputs, (_resource(document, uid, spec),))

    def _make_machine(self, inputs: _Inputs, uid: str) -> _Made:
        document = inputs.document
        spec: Spec = document.spec
        if inputs.template is not None:
            own = {key: value for key, value in spec.items() if key != "template"}
            spec = merged(machine_fields(TEMPLATES.declared(inputs.template.spec)), own)
        completion = complete(
            document.name,
            uid,
            MACHINES.declared(spec),
            block_pools=inputs.block_pools,
            allowed_folders=self._allowed_folders,
        )
        # What is right in each document may be wrong together: a template's topology under another number of CPUs.
        mistakes = [*kinds()[VIRTUAL_MACHINE].check(document.name, completion.spec), *completion.mistakes]
        if mistakes:
            return _Made(
                inputs,
                problems=tuple(_problem(document, f"/spec{pointer}", message) for pointer, message in mistakes),
                implied=tuple(volume.ref for volume in completion.volumes),
            )
        machine = _resource(document, uid, completion.spec)
        volumes = [_implied(volume, machine, inputs.repository_id) for volume in completion.volumes]
        disks = tuple(
            (Ref(STORAGE_VOLUME, disk["volume"]), not disk.get("readOnly", False))
            for disk in completion.spec.get("disks", ())
        )
        return _Made(inputs, (machine, *volumes), implied=tuple(volume.ref for volume in volumes), disks=disks)


def _cost(inputs: _Inputs) -> int:
    """How much a document will come to, known before it is made: a few lines may ask for very much."""
    if inputs.document.kind != VIRTUAL_MACHINE:
        return _COST
    below = inputs.template.spec if inputs.template is not None else {}
    disks = MACHINES.declared(inputs.document.spec).get("disks") or below.get("disks", ())
    return _COST * (1 + len(disks)) + (inputs.template.size if inputs.template is not None else 0)


def _nobody_knows_whose(tree: SourceTree, loaded: LoadedDocuments, repository_id: str) -> DesiredState:
    """With onggi.yaml broken every derived identity would be another one: nothing is done until it is repaired."""
    return DesiredState(
        revision=tree.revision,
        repository_id=repository_id,
        resources={},
        problems=(*tree.problems, *loaded.problems),
        held=loaded.held | {document.ref for document in loaded.documents},
        held_paths=loaded.held_paths,
        prunable=False,
        where=Scope(repository_id, tree.branch, tree.path),
    )


def _gather(made: Iterable[_Made], state: _State) -> None:
    """Put all documents' resources together; what two of them claim is given to neither."""
    owners: dict[Ref, _Made] = {}
    identities: dict[str, _Made] = {}
    clashes: dict[Ref, list[_Made]] = {}
    good: list[_Made] = []
    refused: set[Ref] = set()
    for one in made:
        ref = one.inputs.document.ref
        if one.problems:
            state.problems.extend(one.problems)
            state.held.add(ref)
            state.held.update(one.implied)
            continue
        good.append(one)
        for resource in one.resources:
            if (owner := owners.setdefault(resource.ref, one)) is not one:
                clashes.setdefault(resource.ref, [owner]).append(one)
        uid = one.resources[0].uid
        if uid and ref.kind != STORAGE_VOLUME and (twin := identities.setdefault(uid, one)) is not one:
            for each, other in ((one, twin), (twin, one)):
                refused.add(each.inputs.document.ref)
                state.problems.append(_same_identity(uid, each.inputs.document, other.inputs.document))
    for one, problem in _shared(good):
        refused.add(one.inputs.document.ref)
        state.problems.append(problem)
    for ref in state.held & owners.keys():
        clashes.setdefault(ref, [owners[ref]])
    for ref, claimants in clashes.items():
        refused.update(one.inputs.document.ref for one in claimants)
        state.problems.extend(_claimed(ref, one, claimants) for one in claimants)
    for one in good:
        if one.inputs.document.ref in refused:
            state.held.update(resource.ref for resource in one.resources)
        else:
            state.resources.update({resource.ref: resource for resource in one.resources})


def _shared(good: list[_Made]) -> Iterator[tuple[_Made, Problem]]:
    """Volumes that two VMs have through a template, or that one of them implies and another names."""
    users: dict[Ref, list[tuple[_Made, bool]]] = {}
    for one in good:
        for volume, writes in one.disks:
            users.setdefault(volume, []).append((one, writes))
    for volume, uses in users.items():
        if len(uses) < 2 or not any(writes for _, writes in uses):
            continue
        using = [one for one, _ in uses]
        for one in using:
            others = _named(using, one)
            message = (
                f"The volume {volume.name} is a disk of {others} too, and two writers destroy it; give each machine "
                "its own, or set `readOnly: true` in all of them."
            )
            yield one, _problem(one.inputs.document, "/spec/disks", message)


def _claimed(ref: Ref, one: _Made, claimants: list[_Made]) -> Problem:
    others = _named(claimants, one)
    by = f"by {others}" if others else "by a document that has a mistake of its own"
    return _problem(one.inputs.document, "", f"{ref} is asked for {by} too; rename the disk or the volume.")


def _named(all_of_them: list[_Made], but: _Made) -> str:
    """The others, of whom a few are named: a sentence for each of very many may not name all of them."""
    first = islice((str(other.inputs.document.ref) for other in all_of_them if other is not but), _SHOWN)
    named = sorted(set(first))
    more = len(all_of_them) - len(named) - 1
    return ", ".join(named) + (f" and {more} more" if more > 0 and len(named) == _SHOWN else "")


def _same_identity(uid: str, document: Document, other: Document) -> Problem:
    where = f"{other.ref} ({other.path}:{other.line})"
    message = f"The uid {uid} is used by {where} too; give each its own, or leave it away."
    return _problem(document, "/metadata/uid", message)


def _kept(new: _Made, old: _Made | None) -> _Made:
    """The new outcome with old objects wherever they say the same."""
    if old is None:
        return new
    known = {resource.ref: resource for resource in old.resources}
    return replace(new, resources=tuple(_same(resource, known.get(resource.ref)) for resource in new.resources))


def _same(new: Resource, old: Resource | None) -> Resource:
    if old is None or (new.digest, new.path, new.line) != (old.digest, old.path, old.line):
        return new
    return old


def _policy(document: Document, spec: Spec) -> Policy:
    return Policy(
        drift=spec.get("driftPolicy", "enforce"),
        deletion=spec.get("deletionPolicy", "Retain"),
        ignore_fields=tuple(spec.get("ignoreFields", ())),
        adopt=_annotated(document, "onggi/adopt"),
        protect=_annotated(document, "onggi/protect"),
        complete=tuple(filter(None, document.annotations.get("onggi/complete", "").replace(" ", "").split(","))),
        next_boot=next_boot_fields(document.annotations.get(NEXT_BOOT, ""), MACHINES.declared(spec)),
    )


def _annotated(document: Document, name: str) -> bool:
    return str(document.annotations.get(name, "")).lower() == "true"


def _resource(document: Document, uid: str, spec: Spec) -> Resource:
    needs = tuple(dict.fromkeys(kinds()[document.kind].references(document.name, spec)))
    resource = Resource(
        ref=document.ref,
        uid=uid,
        spec=spec,
        path=document.path,
        line=document.line,
        policy=_policy(document, spec),
        depends_on=needs,
    )
    return _digested(resource)


def _implied(volume: ImpliedVolume, machine: Resource, repository_id: str) -> Resource:
    """A VM's own volume: at its document's place, and treated as the VM is."""
    needs = tuple(dict.fromkeys(kinds()[STORAGE_VOLUME].references(volume.ref.short_name, volume.spec)))
    resource = Resource(
        ref=volume.ref,
        uid=object_uid(repository_id, volume.ref, ""),
        spec=volume.spec,
        path=machine.path,
        line=machine.line,
        policy=replace(machine.policy, ignore_fields=(), complete=(), next_boot=frozenset()),
        depends_on=needs,
        parent=machine.ref,
        content=volume.content,
    )
    return _digested(resource)


def _digested(resource: Resource) -> Resource:
    # A seed's bytes aren't in it: its name is made from them.
    policy = resource.policy
    everything = [
        str(resource.ref),
        resource.uid,
        resource.spec,
        [
            policy.drift,
            policy.deletion,
            policy.ignore_fields,
            policy.adopt,
            policy.protect,
            *policy.complete,
            *sorted(policy.next_boot),
        ],
        [str(ref) for ref in resource.depends_on],
        str(resource.parent),
    ]
    text = json.dumps(everything, sort_keys=True, separators=(",", ":"), default=str)
    object.__setattr__(resource, "digest", hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest())
    return resource


def _problem(document: Document, pointer: str, message: str) -> Problem:
    line, column = document.locate(pointer)
    return Problem(document.path, line, column, message, pointer, document.ref)
