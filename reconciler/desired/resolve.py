"""From documents to desired state: templates expanded, volumes named in full, identities fixed. Pure.

Incremental by identity: a resource is made anew only when its document, its templates or what else it was made from is
another object than last time; and what is made anew but says the same is handed out as the old object.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from typing import Any

from reconciler.bulkhead import Failure, contained
from reconciler.desired.load import LoadedDocuments
from reconciler.desired.made import Inputs, Made, named, problem
from reconciler.desired.making import Around, making_of, makings
from reconciler.desired.state import DesiredState, Resource
from reconciler.source import limits
from reconciler.source.files import REPOSITORY_FILE
from reconciler.source.tree import SourceTree
from specs.document import Document
from specs.problem import Problem
from specs.reference import Ref
from specs.registry import kinds
from specs.scope import Scope


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
        self._gathered: dict[str, Any] = {}
        self._made: dict[Ref, Made] = {}
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
        around = self._around(loaded.documents, repository_id)
        before, self._made = self._made, {}
        budget = _Budget(limits.most_values())
        for document in loaded.documents:
            known, text = before.get(document.ref), document.piece.text
            made = contained("working out", document.ref, text, _remake, document, known, around, budget)
            if isinstance(made, Failure):
                inputs = Inputs(document, repository_id)
                made = Made(inputs, problems=(problem(document, "", f"{made.message}."),))
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

    def _around(self, documents: Iterable[Document], repository_id: str) -> Around:
        by_kind: dict[str, list[Document]] = defaultdict(list)
        for document in documents:
            by_kind[document.kind].append(document)
        for kind, making in makings().items():
            self._gathered[kind] = making.gather(by_kind[kind], self._gathered.get(kind))
        return Around(repository_id, self._allowed_folders, self._gathered)


def _remake(document: Document, known: Made | None, around: Around, budget: _Budget) -> Made:
    making = making_of(document.kind)
    inputs = Inputs(document, around.repository_id, making.others(document, around))
    if not budget.spend(making.cost(document, inputs.others)):
        # Made from nothing that stays: it is looked at again when others leave room.
        return Made(inputs._replace(repository_id=""), problems=(problem(document, "", budget.excess),))
    return known if known is not None and known.inputs.same(inputs) else _kept(making.make(inputs, around), known)


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


def _gather(made: Iterable[Made], state: _State) -> None:
    """Put all documents' resources together; what two of them claim is given to neither."""
    owners: dict[Ref, Made] = {}
    identities: dict[str, Made] = {}
    clashes: dict[Ref, list[Made]] = {}
    good: list[Made] = []
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
        if uid and kinds()[ref.kind].is_defined and (twin := identities.setdefault(uid, one)) is not one:
            for each, other in ((one, twin), (twin, one)):
                refused.add(each.inputs.document.ref)
                state.problems.append(_same_identity(uid, each.inputs.document, other.inputs.document))
    for one, pointer, sentence in _among(good):
        refused.add(one.inputs.document.ref)
        state.problems.append(problem(one.inputs.document, pointer, sentence))
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


def _among(good: Iterable[Made]) -> Iterable[tuple[Made, str, str]]:
    by_kind: dict[str, list[Made]] = defaultdict(list)
    for one in good:
        by_kind[one.inputs.document.kind].append(one)
    return (each for kind, of_kind in by_kind.items() for each in making_of(kind).among(of_kind))


def _claimed(ref: Ref, one: Made, claimants: list[Made]) -> Problem:
    others = named(claimants, one)
    by = f"by {others}" if others else "by a document that has a mistake of its own"
    return problem(one.inputs.document, "", f"{ref} is asked for {by} too; rename the disk or the volume.")


def _same_identity(uid: str, document: Document, other: Document) -> Problem:
    where = f"{other.ref} ({other.path}:{other.line})"
    message = f"The uid {uid} is used by {where} too; give each its own, or leave it away."
    return problem(document, "/metadata/uid", message)


def _kept(new: Made, old: Made | None) -> Made:
    """The new outcome with old objects wherever they say the same."""
    if old is None:
        return new
    known = {resource.ref: resource for resource in old.resources}
    return replace(new, resources=tuple(_same(resource, known.get(resource.ref)) for resource in new.resources))


def _same(new: Resource, old: Resource | None) -> Resource:
    if old is None or (new.digest, new.path, new.line) != (old.digest, old.path, old.line):
        return new
    return old
