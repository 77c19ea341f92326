"""Sends documents that nobody would write through the whole line, on a host that is nothing but values.

Each has to be refused with its place, or to be planned, applied, compared, told of and exported, and nobody fails.
"""

from __future__ import annotations

import hashlib
import json
import logging
import random
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any

import orjson

from api.drift.view import drift_view
from api.metrics.view import metrics_text
from api.networks.view import network_view
from api.plan.view import plan_view
from api.storagepools.storagevolumes.view import volume_view
from api.storagepools.view import pool_view
from api.templates.view import template_view
from api.vms.ifaces.view import interface_view, interfaces
from api.vms.storages.view import storage_view, storages
from api.vms.view import machine_view
from reconciler import bulkhead
from reconciler.desired.load import Loader
from reconciler.desired.resolve import Resolver
from reconciler.desired.state import DesiredState
from reconciler.exporting.export import export
from reconciler.hypervisor.carrying import carried
from reconciler.loop.passes import World
from reconciler.observed.osinfo.images import NO_IMAGE
from reconciler.observed.snapshot import Observed, Snapshot
from reconciler.planning.operations import CreateVolume, Define, Start
from reconciler.planning.ownership import Owned
from reconciler.planning.plan import Action, Plan
from reconciler.planning.planner import Planner
from reconciler.reporting.drift_text import DriftReport, report_markdown, report_text
from reconciler.reporting.metrics import Tally
from reconciler.reporting.plan_markdown import plan_markdown
from reconciler.reporting.plan_text import plan_text, problems_text
from reconciler.reporting.saved_plan import plan_digest
from reconciler.serving.secrets import Secrets
from reconciler.source.tree import Revision, SourceFile, SourceTree
from reconciler.status.drift import drift
from reconciler.status.one_pass import Pass
from specs.binding import parse
from specs.host import Host, VolumeSource
from specs.reference import STORAGE_VOLUME, TEMPLATE, VIRTUAL_MACHINE, Ref
from specs.registry import kinds
from specs.yaml_values import is_printable
from tests.fuzz.values import Documents
from tests.specs.virtualmachine.world import KVM, QEMU, TEST_DRIVER

REPOSITORY = "0f3ee1de-6a31-4f3f-a3a8-5d8d1f6b9c03"
_NAMES = ("web", "db", "é漢", "a b", "x" * 128)
_VOLUMES = ("web-root.qcow2", "data", "x.iso")
_REFERENCES = {
    "pool": ("default", "web", "nowhere"),
    "storagePool": ("default", "web"),
    "network": _NAMES[:3],
    "networks": _NAMES[:3],
    "template": _NAMES[:3],
    "volume": (*_VOLUMES, "default/data", "web/x.iso"),
    "base": ("default/data",),
    "backingVolume": ("data", "web/data"),
}


@dataclass(frozen=True)
class Found:
    """What is wrong with the line: where, and the documents that show it. `taken` and `refused` count documents."""

    mistakes: tuple[str, ...]
    taken: int
    refused: int


class _Failures(logging.Handler):
    """What the bulkheads have contained: that nobody else suffers doesn't make it right."""

    def __init__(self) -> None:
        super().__init__(logging.ERROR)
        self.texts: list[str] = []

    def emit(self, record: logging.LogRecord) -> None:
        error = record.exc_info[1] if record.exc_info else None
        self.texts.append(f"{record.getMessage().partition(', so')[0]}: {error!s:.200}")


def run(seed: int, secrets: Secrets) -> Found:
    """One round: a handful of documents of every kind, twice, so that the second revision changes the first."""
    draw = random.Random(seed)
    failures = _Failures()
    logging.getLogger("onggi.bulkhead").addHandler(failures)
    bulkhead._told.clear()
    mistakes: list[str] = []
    taken = refused = 0
    try:
        loader, resolver, planner = Loader(), Resolver(allowed_folders=("/",)), Planner()
        snapshot, owned = Snapshot(1, draw.choice((KVM, QEMU, TEST_DRIVER)), {}), dict[Ref, Owned]()
        for _ in range(2):
            tree = _tree(draw)
            loaded = loader.load(tree)
            desired = resolver.resolve(tree, loaded, REPOSITORY)
            refused += len({problem.path for problem in desired.problems})
            taken += len(desired.resources)
            mistakes += _unplaced(desired)
            snapshot, owned = _pass(planner, desired, snapshot, owned, secrets)
    except Exception as error:
        mistakes.append(f"{type(error).__name__} at {bulkhead.described(error)[1]}: {error!s:.300}")
    finally:
        logging.getLogger("onggi.bulkhead").removeHandler(failures)
    return Found((*mistakes, *failures.texts), taken, refused)


def _tree(draw: random.Random) -> SourceTree:
    sources = []
    for name, kind in kinds().items():
        made = Documents(kind, draw, _REFERENCES, odd=draw.choice((0.0, 0.0, 0.02)))
        for called in draw.sample(_VOLUMES if name == STORAGE_VOLUME else _NAMES, 4 if name == VIRTUAL_MACHINE else 2):
            # JSON is YAML; half of it with escapes, so that whatever a text may hold gets as far as the reader.
            text = json.dumps(made.document(called), ensure_ascii=draw.random() < 0.5, indent=1)
            content = text.encode("utf-8", "replace")
            path = f"{name}-{len(sources)}.yaml"
            sources.append(SourceFile(path, hashlib.sha256(content).hexdigest(), content))
    return SourceTree(Revision("main", "sha1", f"{draw.getrandbits(160):040x}"), tuple(sources), (), REPOSITORY)


def _unplaced(desired: DesiredState) -> Iterator[str]:
    for problem in desired.problems:
        if problem.line < 1 or not problem.path or not problem.message.rstrip().endswith((".", "?")):
            yield f"a refusal without a place or an end: {problem}"
        if len(str(problem)) > 2000 or not is_printable(str(problem)):
            yield f"a refusal that can't be printed: {str(problem)[:300]!r}"


def _pass(
    planner: Planner, desired: DesiredState, snapshot: Snapshot, owned: dict[Ref, Owned], secrets: Secrets
) -> tuple[Snapshot, dict[Ref, Owned]]:
    plan = planner.plan(desired, snapshot, owned)
    _tell(desired, snapshot, plan, owned, secrets)
    snapshot, owned = _applied(plan, snapshot, owned)
    after = planner.plan(desired, snapshot, owned)
    _tell(desired, snapshot, after, owned, secrets)
    bare = {ref: replace(seen, mark=None) for ref, seen in snapshot.objects.items()}
    export(replace(snapshot, objects=bare), REPOSITORY, all_volumes=True, allowed_folders=("/",))
    return snapshot, owned


def _tell(desired: DesiredState, snapshot: Snapshot, plan: Plan, owned: Mapping[Ref, Owned], secrets: Secrets) -> None:
    """Everything that anybody may ask about one pass, as bytes: what can't be sent isn't told."""
    now = Pass(desired, snapshot, plan, owned=owned, sequence=1)
    world = World.of(now, drift(now))
    report = DriftReport("r", world.drift, {})
    texts = [
        plan_text(plan, colour=True, width=80),
        problems_text(desired.problems, colour=False),
        plan_markdown(plan, desired.problems),
        plan_digest(now),
        report_text(report, colour=False),
        report_markdown(report),
        metrics_text(world, Tally().counted(), {}, {}),
        *(item.message for several in world.conditions.values() for item in several),
    ]
    for text in texts:
        text.encode()
    orjson.dumps([plan.to_json(), report.to_json(), plan_view(world), drift_view(world, {}), *_views(world, secrets)])


def _views(world: World, secrets: Secrets) -> Iterator[Any]:
    for ref, seen in world.snapshot.objects.items():
        if ref.kind == VIRTUAL_MACHINE:
            yield machine_view(world, seen, {}, secrets)
            yield from (storage_view(kind, item, world.snapshot.host) for kind, item in storages(seen))
            yield from (interface_view(item, seen, {}) for item in interfaces(seen))
        elif ref.kind == STORAGE_VOLUME:
            yield volume_view(world, seen, lambda _path: NO_IMAGE)
        elif ref.kind == "StoragePool":
            yield pool_view(world, seen)
        else:
            yield network_view(world, seen)
    for ref in world.desired.resources:
        if ref.kind == TEMPLATE:
            yield template_view(world, ref.name, lambda _path: False)


def _applied(plan: Plan, snapshot: Snapshot, owned: Mapping[Ref, Owned]) -> tuple[Snapshot, dict[Ref, Owned]]:
    """The host once all of the plan is done, as far as definitions tell."""
    objects, ours = dict(snapshot.objects), dict(owned)
    for step in plan.steps:
        if step.action is Action.DELETE:
            objects.pop(step.ref, None)
            ours.pop(step.ref, None)
            continue
        for operation in step.operations:
            if isinstance(operation, Define):
                parse(operation.xml)
                uid = operation.uid or f"00000000-0000-0000-0000-{len(objects):012x}"
                objects[step.ref] = carried(None, step.ref, uid=uid, xml=operation.xml, state=_off(step.ref))
            elif isinstance(operation, Start) and operation.ref in objects:
                seen = objects[operation.ref]
                on = "running" if seen.ref.kind == VIRTUAL_MACHINE else "active"
                objects[operation.ref] = replace(seen, state=on, live_xml=seen.xml)
            elif isinstance(operation, CreateVolume):
                objects[step.ref] = _volume(operation)
        if step.owned is not None:
            ours[step.ref] = step.owned
    host = _host(snapshot.host, objects)
    return Snapshot(snapshot.serial + 1, host, dict(sorted(objects.items()))), ours


def _off(ref: Ref) -> str:
    return "shutoff" if ref.kind == VIRTUAL_MACHINE else "inactive"


def _volume(operation: CreateVolume) -> Observed:
    root = parse(operation.xml)
    form = root.find("target/format")
    details = {
        "path": f"/{operation.ref.pool}/{operation.ref.short_name}",
        "capacity": int(root.findtext("capacity") or 0),
        "allocation": 0,
        "format": (form.get("type") if form is not None else None) or "raw",
        "type": "file",
        "backing": root.findtext("backingStore/path") or "",
    }
    return Observed(operation.ref, "", operation.xml, state="active", details=details)


def _host(before: Host, objects: Mapping[Ref, Observed]) -> Host:
    volumes = {
        ref: VolumeSource(seen.details["path"], "file", seen.details["format"])
        for ref, seen in objects.items()
        if ref.kind == STORAGE_VOLUME
    }
    return replace(before, volumes={**before.volumes, **volumes})
