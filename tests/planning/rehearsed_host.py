"""A host that exists only as a snapshot: plans are made for it, and what they would do is done to it. No libvirt."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from lxml import etree

from reconciler.desired.state import DesiredState
from reconciler.observed.snapshot import Observed, Snapshot
from reconciler.planning.last_seen import LastSeen
from reconciler.planning.operations import CreateVolume, Define, EditLive, GrowVolume, Start, Stop, Undefine
from reconciler.planning.ownership import Owned
from reconciler.planning.plan import Plan, Step
from reconciler.planning.plan_options import PlanOptions
from reconciler.planning.planner import Planner
from specs.binding import parse
from specs.host import Feature, Host, VolumeSource
from specs.mark import read_mark
from specs.reference import STORAGE_VOLUME, VIRTUAL_MACHINE, Ref
from tests.desired.documents import Desired, document

QEMU = Host(domain_types=("qemu",), machines=("q35",), features=frozenset(Feature))


@dataclass
class RehearsedHost:
    """`running` machines are started as soon as they are defined; their running definition follows at once."""

    running: bool = True
    objects: dict[Ref, Observed] = field(default_factory=dict)
    ledger: dict[Ref, Owned] = field(default_factory=dict)
    approved: set[str] = field(default_factory=set)
    last_seen: dict[Ref, LastSeen] = field(default_factory=dict)  # what the ledger remembers of what is gone
    allowed_folders: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        self.desired = Desired(allowed_folders=self.allowed_folders)
        self.planner = Planner()

    def wish(self, files: Mapping[str, str | bytes]) -> DesiredState:
        """What these documents ask for."""
        return self.desired.of(files)

    def plan(self, files: Mapping[str, str | bytes]) -> Plan:
        """What onggi would do now."""
        wish = self.wish(files)
        assert not wish.problems, wish.problems
        options = PlanOptions(approved=frozenset(self.approved))
        return self.planner.plan(wish, self.snapshot(), self.ledger, options=options, last_seen=self.last_seen.get)

    def apply(self, files: Mapping[str, str | bytes]) -> Plan:
        """Plan, and do it; gives the plan that was done."""
        plan = self.plan(files)
        self.perform(plan)
        return plan

    def perform(self, plan: Plan) -> None:
        """Do what a plan says."""
        self.ledger |= {entry.ref: entry for entry in plan.records}
        for step in plan.steps:
            for operation in step.operations:
                self._do(operation)
            if step.owned is not None:
                self.ledger[step.ref] = step.owned
            else:
                self.ledger.pop(step.ref, None)

    def snapshot(self) -> Snapshot:
        """The host as a reader would find it."""
        volumes = {
            ref: VolumeSource(seen.details["path"], "file", seen.config.get("format", "raw"))
            for ref, seen in self.objects.items()
            if ref.kind == STORAGE_VOLUME
        }
        paths = {ref.name: f"/{ref.name}" for ref in self.objects if ref.kind == "StoragePool"}
        return Snapshot(1, replace(QEMU, volumes=volumes, pool_paths=paths), dict(self.objects))

    def disks(self, name: str) -> list[str]:
        """The paths of a machine's disks."""
        return disk_paths(self.objects[Ref(VIRTUAL_MACHINE, name)].xml)

    def _do(self, operation: Any) -> None:
        match operation:
            case Define(ref=ref, uid=uid, xml=xml):
                before = self.objects.get(ref)
                named = parse(xml)
                if ref.kind == VIRTUAL_MACHINE:
                    paths = disk_paths(xml)
                    assert len(paths) == len(set(paths)), f"{ref} would write to one disk in two places: {paths}"
                    on = before is not None and before.active
                    made = Observed(ref, uid, xml, xml if on else None, "running" if on else "shutoff",
                                    mark=read_mark(named))  # fmt: skip
                else:
                    made = Observed(ref, uid, xml, xml, "active")
                self.objects[ref] = made
            case Start(ref=ref) if ref.kind == VIRTUAL_MACHINE and self.running:
                seen = self.objects[ref]
                self.objects[ref] = replace(seen, live_xml=seen.xml, state="running")
            case Stop(ref=ref) if ref.kind == VIRTUAL_MACHINE:
                self.objects[ref] = replace(self.objects[ref], live_xml=None, state="shutoff")
            case Undefine(ref=ref):
                del self.objects[ref]
            case CreateVolume(ref=ref, xml=xml):
                backing = parse(xml).findtext("backingStore/path") or ""
                details = {"path": f"/{ref.pool}/{ref.short_name}", "backing": backing}
                self.objects[ref] = Observed(ref, "", xml, state="active", details=details)
            case GrowVolume(ref=ref, capacity=capacity):
                root = parse(self.objects[ref].xml)
                root.find("capacity").text = str(capacity)  # type: ignore[union-attr]
                root.find("capacity").attrib.clear()  # type: ignore[union-attr]
                self.objects[ref] = replace(self.objects[ref], xml=etree.tostring(root, encoding="unicode"))
            case _:
                pass


def disk_paths(xml: str, *, read_only: bool = False) -> list[str]:
    """What a guest may write to, by a definition or one device of it; with `read_only` also what it only reads."""
    root = parse(xml)
    disks = [root] if root.tag == "disk" else root.findall("devices/disk")
    return [
        _path(source) or f"{source.get('pool')}/{source.get('volume')}"
        for disk in disks
        if disk.get("device", "disk") == "disk" and (read_only or disk.find("readonly") is None)
        for source in disk.findall("source")
    ]


def _path(source: Any) -> str:
    """Where it is, of a volume that is named by its pool nowhere."""
    return next((str(text) for key in ("file", "dev", "name", "namespace") if (text := source.get(key))), "")


def pool(name: str, **spec: Any) -> str:
    return document("StoragePool", name, {"type": "dir", "path": f"/{name}", **spec})


def steps_of(plan: Plan, name: str) -> list[Step]:
    return [step for step in plan.steps if step.ref == Ref(VIRTUAL_MACHINE, name)]


def pulled(plan: Plan, before: Snapshot, names: Iterable[Ref]) -> set[str]:
    """The paths of disks that a plan takes from machines that go on being declared, in definitions and guests."""
    lost: set[str] = set()
    declared = set(names)
    for step in plan.steps:
        seen = before.objects.get(step.ref)
        if seen is None or step.ref.kind != VIRTUAL_MACHINE or step.ref not in declared:
            continue
        for operation in step.operations:
            if isinstance(operation, Define):
                lost |= set(disk_paths(seen.xml)) - set(disk_paths(operation.xml, read_only=True))
            elif isinstance(operation, EditLive) and operation.verb == "detach":
                root = parse(operation.value)
                lost |= set(disk_paths(operation.value)) if root.tag == "disk" else set()
    return lost
