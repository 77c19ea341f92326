"""Makes drafts fit: whatever of a document isn't valid, or would change something on the host, is left out of it.

Nothing is guessed: the drafts go through the loader, the resolver and the planner themselves, again and again, until
the plan is empty. Each round leaves out at least one field, or a whole document.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, ParamSpec

from reconciler.bulkhead import Failure, contained
from reconciler.desired.load import Loader
from reconciler.desired.resolve import Resolver
from reconciler.desired.state import DesiredState
from reconciler.exporting.draft import Draft
from reconciler.exporting.remainder import overlay_text
from reconciler.exporting.text import document_text
from reconciler.observed.snapshot import Snapshot
from reconciler.planning.diff import compare
from reconciler.planning.plan import Plan
from reconciler.planning.planner import Planner
from reconciler.source.tree import Revision, SourceFile, SourceTree
from specs.binding import Items, parse, value_at
from specs.effect import Change
from specs.overlay.writing import FIELD as OVERLAY
from specs.overlay.writing import PREFIX, without
from specs.plain import NewSpec
from specs.problem import Unrenderable
from specs.reference import Ref
from specs.registry import kinds

_P = ParamSpec("_P")

# Of an item of a list these can go by themselves; without any other it would be another item.
_OPTIONAL = frozenset({
    *("bus", "target", "bootOrder", "readOnly", "model", "link", "ioLimits", "name"),
    *("acpiIndex", "address", "alias", "backend", "bandwidth", "coalesce", "driver", "filter", "mtu", "port"),
    *("portgroup", "rom", "targetDev", "teaming", "trustGuestRxFilters", "tune", "virtualport", "vlan"),
})  # fmt: skip
_ITEMS = {
    "disks": "the disk",
    "cdroms": "the CD-ROM drive",
    "floppies": "the floppy drive",
    "interfaces": "the interface",
    "hostDevices": "the device",
}
LACKING = "DependencyNotReady"
# Without these a document says nothing at all.
_ESSENTIAL = frozenset({"mode", "type", "pool"})


@dataclass(frozen=True, slots=True)
class Fitted:
    """The texts of the documents that fit, and for each object that has none the half-sentence why."""

    texts: Mapping[Ref, str]
    refused: Mapping[Ref, str]


@dataclass(frozen=True, slots=True)
class _Complaint:
    ref: Ref
    pointer: str  # into the spec, as a document writes it; empty: nobody knows which field
    why: str


def fit(
    drafts: Iterable[Draft], snapshot: Snapshot, repository_id: str, *, allowed_folders: tuple[str, ...] = ()
) -> Fitted:
    """Fit all drafts, which are changed in place, to a host as it is."""
    left = {draft.ref: draft for draft in drafts}
    refused: dict[Ref, str] = {}
    first: dict[Ref, str] = {}  # what came of leaving something out isn't why a document isn't possible
    loader, resolver, planner = Loader(), Resolver(allowed_folders=allowed_folders), Planner()
    texts: dict[Ref, str] = {}
    while left:
        texts = {}
        for ref, draft in list(left.items()):
            text = contained("writing", ref, "", document_text, draft)
            if isinstance(text, Failure):
                del left[ref]
                refused[ref] = text.message
            else:
                texts[ref] = text
        tree = _tree(left.values(), texts, repository_id)
        desired = resolver.resolve(tree, loader.load(tree), repository_id)
        plan = planner.plan(desired, snapshot, {})
        complaints = list(_complaints(left, desired, plan, snapshot))
        if not complaints:
            return Fitted(texts, refused)
        for complaint in complaints:
            first.setdefault(complaint.ref, complaint.why)
            if not _leave_out(left[complaint.ref], complaint):
                del left[complaint.ref]
                refused[complaint.ref] = first[complaint.ref]
    return Fitted({}, refused)


def _tree(drafts: Iterable[Draft], texts: Mapping[Ref, str], repository_id: str) -> SourceTree:
    files = []
    for draft in drafts:
        content = texts[draft.ref].encode()
        files.append(SourceFile(draft.path, hashlib.sha256(content).hexdigest(), content))
    digest = hashlib.sha256("".join(file.path + file.blob for file in files).encode()).hexdigest()
    return SourceTree(Revision("export", "sha256", digest), tuple(files), (), repository_id)


def _complaints(
    drafts: Mapping[Ref, Draft], desired: DesiredState, plan: Plan, snapshot: Snapshot
) -> Iterator[_Complaint]:
    """One for each document that doesn't fit: the next round shows what else is wrong with it."""
    at = {draft.path: ref for ref, draft in drafts.items()}
    told: set[Ref] = set()
    for problem in desired.problems:
        ref = problem.ref if problem.ref in drafts else at.get(problem.path)
        if ref is not None and ref not in told:
            told.add(ref)
            yield _Complaint(ref, problem.pointer.removeprefix("/spec"), _half(problem.message))
    different: dict[Ref, tuple[Change, ...]] = {step.ref: step.changes for step in plan.steps}
    different |= dict(plan.drifted)
    for ref, changes in different.items():
        if ref in drafts and ref not in told:
            told.add(ref)
            change = changes[0] if changes else None
            pointer = "" if change is None else _place(ref, _written, drafts[ref], change.pointer, snapshot)
            yield _Complaint(ref, pointer, "the document wouldn't mean what the host has")
    for item in plan.blocked:
        if item.reason == LACKING and item.ref not in different and _fits(item.ref, desired, snapshot):
            continue  # the machine is as its document says: what its next start lacks, it lacked before
        if item.ref in drafts and item.ref not in told:
            told.add(item.ref)
            pointer = _place(item.ref, _refused_field, drafts[item.ref], desired, snapshot)
            yield _Complaint(item.ref, pointer, _half(item.message))


def _place(ref: Ref, find: Callable[_P, str], *args: _P.args, **kwargs: _P.kwargs) -> str:
    """The field that is at fault; empty where looking for it fails: then the whole document is."""
    found = contained("finding the field", ref, "", find, *args, **kwargs)
    return "" if isinstance(found, Failure) else found


def _fits(ref: Ref, desired: DesiredState, snapshot: Snapshot) -> bool:
    resource, observed = desired.resources.get(ref), snapshot.get(ref)
    if resource is None or observed is None:
        return False
    try:
        return not compare(resource, observed, snapshot.host).config
    except Unrenderable:
        return False


def _half(sentence: str) -> str:
    return sentence.strip().rstrip(".")


def _written(draft: Draft, pointer: str, snapshot: Snapshot) -> str:
    """The place in the document of a change, whose pointer names an item of a list by its label."""
    xml = kinds()[draft.ref.kind].xml
    for bind in xml.BINDS:
        if not isinstance(bind, Items) or not pointer.startswith(f"/{bind.name}/"):
            continue
        try:
            lowered = xml.lower(draft.spec, name=draft.ref.short_name, uid=draft.uid, host=snapshot.host)
        except Unrenderable:
            return f"/{bind.name}"
        rest = pointer.removeprefix(f"/{bind.name}/")
        for index, item in enumerate(value_at(lowered, bind.name) or ()):
            label = bind.label(item)
            if rest == label or rest.startswith(f"{label}/"):
                return f"/{bind.name}/{index}{rest.removeprefix(label)}"
        return f"/{bind.name}"  # something that isn't in the list would have to go
    return pointer


def _refused_field(draft: Draft, desired: DesiredState, snapshot: Snapshot) -> str:
    """The field for which a document is blocked; empty when that isn't to be found out."""
    resource, observed = desired.resources.get(draft.ref), snapshot.get(draft.ref)
    if resource is None or observed is None:
        return ""
    try:
        found = compare(resource, observed, snapshot.host)
    except Unrenderable:
        return _unrenderable(draft, snapshot)
    changes = (*found.refused, *found.config)
    return _written(draft, changes[0].pointer, snapshot) if changes else ""


def _unrenderable(draft: Draft, snapshot: Snapshot) -> str:
    """The field, or the item of a list, that this host can't have."""
    xml, always = kinds()[draft.ref.kind].xml, {key: draft.spec[key] for key in _ESSENTIAL if key in draft.spec}

    def sound(part: NewSpec) -> bool:
        try:
            xml.lower({**always, **part}, name=draft.ref.short_name, uid=draft.uid, host=snapshot.host)
        except Unrenderable:
            return False
        return True

    for key, value in draft.spec.items():
        if sound({key: value}):
            continue
        if isinstance(value, list):
            index = next((index for index, item in enumerate(value) if not sound({key: [item]})), None)
            return f"/{key}" if index is None else f"/{key}/{index}"
        return f"/{key}"
    return ""


def _leave_out(draft: Draft, complaint: _Complaint) -> bool:
    """Take out of the spec what the pointer means. False when that can't go, or isn't there."""
    if complaint.pointer.startswith(PREFIX) and OVERLAY in draft.spec:
        return _leave_statement_out(draft, complaint)
    parts = [part for part in complaint.pointer.split("/") if part]
    holder: Any = draft.spec
    way: list[tuple[Any, Any]] = []
    for part in parts:
        key: Any = int(part) if isinstance(holder, list) and part.isdigit() else part
        present = key < len(holder) if isinstance(key, int) and isinstance(holder, list) else key in holder
        if not present:
            break
        way.append((holder, key))
        holder = holder[key]
        if not isinstance(holder, dict | list):
            break
    place = next((index for index, (inside, _) in enumerate(way) if isinstance(inside, list)), None)
    if place is not None:
        # Inside of an item either one optional field goes, or the whole item.
        way = way[: place + 2] if len(way) > place + 1 and way[place + 1][1] in _OPTIONAL else way[: place + 1]
    if not way or (len(way) == 1 and way[0][1] in _ESSENTIAL):
        return False
    holder, key = way[-1]
    draft.left.append(f"{_name(way)}: {complaint.why}")
    del holder[key]
    for outer, key_of in reversed(way[:-1]):
        # An empty list or mapping that is left would say something of its own; an empty drive is an item, though.
        if not outer[key_of] and not isinstance(outer, list):
            del outer[key_of]
    return True


def _leave_statement_out(draft: Draft, complaint: _Complaint) -> bool:
    """Of the overlay only what is complained about."""
    before = draft.spec[OVERLAY]
    after = without(before, (complaint.pointer,))
    if after == before or not len(parse(after)):
        del draft.spec[OVERLAY]
    else:
        draft.spec[OVERLAY] = overlay_text(parse(after))
    draft.left.append(f"{complaint.pointer.removeprefix(PREFIX)}: {complaint.why}")
    return True


def _name(way: list[tuple[Any, Any]]) -> str:
    """What is left out, as nothing else of the object is called: a place in a list moves when another item goes."""
    holder, key = way[-1]
    shown = _shown(holder[key])
    if len(way) > 1 and isinstance(way[0][0], dict) and isinstance(way[1][0], list):
        item = way[1][0][way[1][1]]
        called = f"{_ITEMS.get(way[0][1], way[0][1])} {_called(item)}".rstrip()
        field = "/".join(str(each) for _, each in way[2:])
        return f"{field} of {called} ({shown})" if field else f"{called} ({shown})"
    return f"{'/'.join(str(each) for _, each in way)} ({shown})"


def _called(item: Any) -> str:
    if not isinstance(item, Mapping):
        return str(item)
    return next((str(item[key]) for key in ("target", "volume", "mac", "device", "name", "ip") if key in item), "")


def _shown(value: Any) -> str:
    if isinstance(value, Mapping):
        return ", ".join(f"{key}: {_shown(item)}" for key, item in value.items()) or "empty"
    return ", ".join(map(_shown, value)) if isinstance(value, list) else str(value)
