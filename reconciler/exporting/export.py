"""A host's objects as documents, from a snapshot alone. Writing them somewhere is left to `folder`."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass, replace

from reconciler.bulkhead import Failure, contained
from reconciler.exporting.choosing import choose, leave_shared_disks
from reconciler.exporting.draft import Draft, Surroundings
from reconciler.exporting.exporter import exporters, unsaid
from reconciler.exporting.fitting import Fitted, fit
from reconciler.exporting.foreign import Known, owners
from reconciler.exporting.whole import Held, complete, held_by, is_definition
from reconciler.observed.snapshot import Observed, Snapshot
from specs.reference import Ref


@dataclass(frozen=True, slots=True)
class ExportedDocument:
    """One file: its path below the folder, and what of the object it leaves out (half-sentences).

    `owner` says whose the object is, when it is another repository's; empty for a free one.
    """

    ref: Ref
    path: str
    text: str
    left: tuple[str, ...]
    owner: str = ""
    held: Held | None = None  # None of a minimal one


@dataclass(frozen=True, slots=True)
class Export:
    """The documents, whose plan on this host is empty, and a sentence for each object that has none.

    `kept` of `total` facts that the objects' definitions say are in the documents.
    """

    documents: tuple[ExportedDocument, ...]
    notes: tuple[str, ...]
    kept: int = 0
    total: int = 0


def export(
    snapshot: Snapshot,
    repository_id: str,
    *,
    all_volumes: bool = False,
    allowed_folders: tuple[str, ...] = (),
    declared: Mapping[Ref, str] | None = None,
    wanted: Collection[Ref] = (),
    foreign: bool = False,
    known: Known | None = None,
    minimal: bool = False,
) -> Export:
    """The documents of everything that others made on the host, or of `wanted` objects and what they need.

    `declared` tells which objects have a document already, and in which file. `all_volumes` adds the volumes that no
    machine uses. `allowed_folders` are those in which the path of a CD-ROM's image may lie. What is another
    repository's, which `known` helps to tell, gets a document only with `foreign`, and that says so. A `minimal`
    document says what fields say, and no more.
    """
    around = Surroundings(snapshot)
    others_own = owners(around, known or Known(repository_id))
    choice = choose(
        around,
        all_volumes=all_volumes,
        declared=declared or {},
        foreign={} if foreign else others_own,
        wanted=wanted,
    )
    drafts: list[Draft] = []
    failed: dict[Ref, str] = {}
    for observed in choice.chosen:
        make = draft_of if is_definition(observed.ref.kind) and not minimal else _draft
        draft = contained("exporting", observed.ref, observed.xml, make, observed, around)
        if isinstance(draft, Failure):
            failed[observed.ref] = draft.message
        else:
            draft.owner = others_own.get(draft.ref, "")
            drafts.append(draft)
    leave_shared_disks(drafts)
    # Taking a machine over changes its mark alone, which isn't for a document to say.
    unmarked = {ref: replace(seen, mark=None) for ref, seen in snapshot.objects.items() if ref in others_own}
    as_free = replace(snapshot, objects={**snapshot.objects, **unmarked})
    fitted = fit(drafts, as_free, repository_id, allowed_folders=allowed_folders)
    held: dict[Ref, Held] = {}
    if not minimal:
        drafts = [draft for draft in drafts if draft.ref in fitted.texts]
        defined = [draft for draft in drafts if is_definition(draft.ref.kind)]
        for draft in defined:
            xml = snapshot.objects[draft.ref].xml
            contained("completing", draft.ref, xml, complete, draft, xml, snapshot.host)
        again = fit(drafts, as_free, repository_id, allowed_folders=allowed_folders)
        fitted = Fitted(again.texts, {**fitted.refused, **again.refused})
        for draft in defined:
            xml = snapshot.objects[draft.ref].xml
            found = contained("counting", draft.ref, xml, held_by, draft, xml, snapshot.host)
            held[draft.ref] = Held.nothing(xml) if isinstance(found, Failure) else found
    documents = tuple(
        ExportedDocument(
            draft.ref, draft.path, fitted.texts[draft.ref], tuple(draft.told), draft.owner, held.get(draft.ref)
        )
        for draft in drafts
        if draft.ref in fitted.texts
    )
    refused = (f"{ref} gets no document: {why}." for ref, why in sorted({**fitted.refused, **failed}.items()))
    defined_here = [each for each in choice.chosen if is_definition(each.ref.kind) and not minimal]
    every = [held.get(each.ref) or Held.nothing(each.xml) for each in defined_here]
    return Export(
        documents, (*choice.notes, *refused), sum(each.kept for each in every), sum(each.total for each in every)
    )


def _draft(observed: Observed, around: Surroundings) -> Draft:
    draft = draft_of(observed, around)
    draft.left.extend(unsaid(draft.ref.kind, observed.xml))
    return draft


def draft_of(observed: Observed, around: Surroundings) -> Draft:
    """What a document would say of one object, before anybody looked whether it fits."""
    return exporters()[observed.ref.kind].draft(observed, around)
