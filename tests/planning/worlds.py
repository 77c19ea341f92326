"""Worlds in a few words, and plans as short lines: what the tables of this folder are written in.

A world is what is desired, what is on the host and what the ledger remembers. What is on the host is written as the
document that made it, and may be patched into what nobody's document made.
"""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

import pytest

from reconciler.desired.identity import object_uid
from reconciler.desired.state import DesiredState, Policy, Resource
from reconciler.observed.snapshot import Observed, Snapshot
from reconciler.planning.context import Context
from reconciler.planning.diff import managed_items
from reconciler.planning.gathered import Gathered
from reconciler.planning.last_seen import LastSeen
from reconciler.planning.operations import (
    Define,
    EditLive,
    GrowVolume,
    Operation,
    Rename,
    RenameVolume,
    SetAutostart,
    Start,
    Stop,
)
from reconciler.planning.ownership import Fact, Owned
from reconciler.planning.plan import Blocked, Plan
from reconciler.planning.plan_options import PlanOptions
from reconciler.planning.planner import Planner
from specs.binding import parse, serialise, write
from specs.effect import Change
from specs.host import Feature, Host, VolumeSource
from specs.mark import mark_of, read_mark, write_mark
from specs.reference import STORAGE_VOLUME, VIRTUAL_MACHINE, Ref
from specs.registry import kinds
from specs.scope import Scope
from tests.planning.values import REPOSITORY, REVISION

WEB = Ref(VIRTUAL_MACHINE, "web")
OURS = Scope(REPOSITORY)
QEMU = Host(domain_types=("qemu",), machines=("q35",), features=frozenset(Feature), pool_paths={"default": "/default"})


def wanted(
    name: str = "web",
    kind: str = VIRTUAL_MACHINE,
    *,
    uid: str = "",
    parent: Ref | None = None,
    policy: Mapping[str, Any] | None = None,
    **spec: Any,
) -> Resource:
    """One document's wish. `policy` are fields of `Policy`; whatever else is named is its spec."""
    if kind == VIRTUAL_MACHINE:
        spec = {"memory": 512, **spec}
    ref = Ref(kind, name)
    declared = object_uid(REPOSITORY, ref, uid) if kind != STORAGE_VOLUME else ""
    whole = json.dumps([spec, policy, uid], sort_keys=True, default=str)
    return Resource(
        ref,
        declared,
        spec,
        f"{ref.short_name}.yaml",
        1,
        policy=Policy(**(policy or {})),
        depends_on=tuple(kinds()[kind].references(ref.short_name, spec)),
        parent=parent,
        digest=hashlib.sha256(whole.encode()).hexdigest(),
    )


def found(
    document: Resource,
    state: str = "",
    reason: str = "",
    *,
    run: Resource | None = None,
    mark: Scope | None = OURS,
    marked: str = "",
    host: Host = QEMU,
    patch: Mapping[str, str] | None = None,
    **more: Any,
) -> Observed:
    """What is on the host of a document that was applied; `run` is the one that it was when it was started.

    `mark` is whose it is by its mark, `marked` under which name; `patch` puts one text in place of another in its
    definitions.
    """
    kind, ref = kinds()[document.ref.kind].xml, document.ref
    state = state or ("shutoff" if ref.kind == VIRTUAL_MACHINE else "active")

    def definition(one: Resource) -> str:
        lowered = kind.lower(one.spec, name=ref.short_name, uid=document.uid, host=host)
        root = write(kind.BINDS, kind.skeleton(lowered, name=ref.short_name, uid=document.uid, host=host), lowered)
        if mark is not None and ref.kind == VIRTUAL_MACHINE:
            write_mark(root, mark_of(mark, marked or ref.name, managed_items(lowered, kind.BINDS)))
        text = serialise(root)
        for before, after in (patch or {}).items():
            assert before in text, f"{before} isn't in {text}"
            text = text.replace(before, after)
        return text

    xml = definition(document)
    seen = Observed(ref, document.uid, xml, state=state, reason=reason, mark=read_mark(parse(xml)), **more)
    if seen.active and ref.kind != STORAGE_VOLUME:
        seen = replace(seen, live_xml=definition(run or document))
    if ref.kind == STORAGE_VOLUME:
        details = {"path": f"/{ref.pool}/{ref.short_name}", "type": "file", "format": "raw"}
        seen = replace(seen, details={**details, "format": document.spec.get("format", "raw"), **seen.details})
    return seen


def applied(document: Resource, *, created: bool = True, **facts: str) -> Owned:
    """What the ledger remembers of a document that was applied."""
    known = {Fact.DIGEST.value: document.digest}
    if document.ref.kind == VIRTUAL_MACHINE:
        known[Fact.RUN_STRATEGY.value] = str(document.spec.get("runStrategy", "RerunOnFailure"))
        known |= {Fact.SHUTDOWN_TIMEOUT.value: "60", Fact.FORCE_STOP.value: ""}
    return Owned(
        document.ref,
        document.uid,
        document.path,
        document.policy.deletion,
        document.parent,
        created=created,
        facts={**known, **facts},
    )


@dataclass(frozen=True)
class World:
    """Everything that a plan is made of."""

    desired: tuple[Resource, ...] = ()
    there: tuple[Observed, ...] = ()
    ledger: tuple[Owned, ...] = ()
    options: PlanOptions = field(default_factory=PlanOptions)
    suspended: frozenset[Ref] = frozenset()
    gone: Mapping[Ref, LastSeen] = field(default_factory=dict)  # how what is gone was
    held: frozenset[Ref] = frozenset()  # documents with errors
    unseen: frozenset[Ref] = frozenset()  # what can't be read
    host: Host = QEMU

    @property
    def wish(self) -> DesiredState:
        return DesiredState(REVISION, REPOSITORY, {one.ref: one for one in self.desired}, held=self.held)

    @property
    def snapshot(self) -> Snapshot:
        volumes = {
            seen.ref: VolumeSource(seen.details["path"], "file", seen.details["format"])
            for seen in self.there
            if seen.ref.kind == STORAGE_VOLUME
        }
        host = replace(self.host, volumes={**volumes, **self.host.volumes})
        return Snapshot(1, host, {seen.ref: seen for seen in self.there}, unseen=self.unseen)

    @property
    def owned(self) -> dict[Ref, Owned]:
        return {entry.ref: entry for entry in self.ledger}

    @property
    def context(self) -> Context:
        return Gathered(self.wish, self.snapshot, self.owned, self.suspended, self.options, self.gone.get)

    def plan(self, planner: Planner | None = None) -> Plan:
        return (planner or Planner()).plan(
            self.wish, self.snapshot, self.owned, self.suspended, self.options, last_seen=self.gone.get
        )

    def approved(self, *digests: str) -> World:
        """The same, once somebody has said yes."""
        return replace(self, options=replace(self.options, approved=self.options.approved | {*digests}))


def lines(plan: Plan) -> list[str]:
    """All that a plan says, a line for each thing, in the order in which it is shown."""
    return [
        *(
            f"{step.action.value} {step.ref.name}{_fields(step.changes)}: "
            f"{', '.join(map(word, step.operations)) or 'nothing'} ({step.why})"
            for step in plan.steps
        ),
        *map(_blocked, plan.blocked),
        *(
            f"waits {item.ref.name}{_fields(item.changes)}" + (f" for {item.waits_for}" if item.waits_for else "")
            for item in plan.waiting
        ),
        *(f"staged {item.ref.name}" for item in plan.staged),
        *(f"drifted {ref.name}{_fields(changes)}" for ref, changes in plan.drifted),
        *(f"left alone {ref.name}{_fields(changes)}" for ref, changes in plan.suspended),
        *(f"extra {ref.name} {' '.join(fields)}" for ref, fields in plan.extras),
        *(f"note {_without_digest(note)}" for note in plan.notes),
        *(f"forgotten {ref.name}" for ref in plan.forgotten),
    ]


def check(plan: Plan, *expected: str) -> None:
    """A plan says just this. A line that ends with … is the beginning of a longer one."""
    told = lines(plan)
    shortened = [
        line if len(expected) <= place or not (ending := expected[place]).endswith("…")
        else f"{line[: len(ending) - 1]}…"
        for place, line in enumerate(told)
    ]  # fmt: skip
    assert shortened == list(expected), "\n".join(told)


TABLED: dict[str, World] = {}  # all that the tables which were read so far hold, by their sentences


def table(*rows: tuple[str, World, *tuple[str, ...]]) -> pytest.MarkDecorator:
    """A test for each row: what is so in a sentence, the world, and what its plan says."""
    TABLED.update((sentence, world) for sentence, world, *_ in rows)
    params = [pytest.param(world, expected, id=sentence) for sentence, world, *expected in rows]
    return pytest.mark.parametrize(("world", "expected"), params)


def facts(plan: Plan, ref: Ref = WEB) -> Mapping[str, str]:
    """What the ledger remembers of an object once the plan was done; not what it says of the document alone."""
    of_document = {Fact.DIGEST, Fact.SHUTDOWN_TIMEOUT, Fact.FORCE_STOP}
    entries = [entry for entry in plan.records if entry.ref == ref]
    entries += [step.owned for step in plan.steps if step.ref == ref and step.owned is not None]
    return {str(key): value for key, value in entries[-1].facts.items() if key not in of_document} if entries else {}


def yes(plan: Plan) -> set[str]:
    """All that a person could say yes to."""
    return {item.digest for item in (*plan.blocked, *plan.staged) if item.digest}


def word(operation: Operation) -> str:
    """One operation in a few words."""
    match operation:
        case Define(secrets=secrets, opens=opens):
            looked_into = f" looking into {' '.join(ref.name for ref in opens)}" if opens else ""
            return "define" + (" with its secret" if secrets else "") + looked_into
        case Start(paused=paused, build=build, again=again):
            return "start" + " paused" * paused + " built" * build + (f" after it {again}" if again else "")
        case Stop(ref=ref, timeout_s=timeout_s, force=force) if ref.kind == VIRTUAL_MACHINE:
            return f"stop within {timeout_s:g} s" + " or by force" * force
        case SetAutostart(on=on):
            return f"autostart {'on' if on else 'off'}"
        case EditLive(verb=verb, value=value):
            return f"{verb} {parse(value).tag if value.startswith('<') else value}"
        case Rename(ref=ref, to=to) | RenameVolume(ref=ref, to=to):
            return f"rename {ref.name} to {to.name}"
        case GrowVolume(capacity=capacity, in_use_by=user):
            return f"grow to {capacity}" + (f" in {user.name}" if user is not None else "")
        case _:
            return re.sub("(?<!^)([A-Z])", r" \1", type(operation).__name__).lower()


def _fields(changes: Iterable[Change]) -> str:
    pointers = " ".join(change.pointer for change in changes)
    return f" {pointers}" if pointers else ""


def _blocked(item: Blocked) -> str:
    return f"! {item.ref.name}{' ' + item.part if item.part else ''} {item.reason}: {_without_digest(item.message)}"


def _without_digest(text: str) -> str:
    return re.sub(r"onggi approve \S+", "onggi approve it", text)
