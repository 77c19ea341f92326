"""A volume that was there, held data and is gone is lost: told, and made again only by somebody's word."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import replace
from typing import Any

import pytest

from reconciler.desired.state import DesiredState, Resource
from reconciler.observed.snapshot import Observed, Snapshot
from reconciler.planning.operations import CreateVolume, DeleteVolume, Start, Stop
from reconciler.planning.ownership import Fact, Owned
from reconciler.planning.plan import Plan
from reconciler.planning.plan_options import PlanOptions
from reconciler.planning.planner import Planner
from reconciler.status.drift import DriftKind, drift
from reconciler.status.one_pass import Pass
from reconciler.status.status import conditions
from specs.host import Host, VolumeSource
from specs.mark import Mark
from specs.reference import Ref
from tests.planning.values import REPOSITORY, REVISION, vm

POOL = Ref("StoragePool", "disks")
DISK, OTHER = Ref.volume("disks", "web-data.qcow2"), Ref.volume("disks", "web-root.qcow2")
WEB = vm("web")
PATH = "/srv/disks/web-data.qcow2"
DOMAIN = (
    "<domain type='test'><name>web</name><uuid>5a9d0a3b-6f8b-4d2b-8c7e-1f2a3b4c5d6e</uuid><memory>65536</memory>"
    "<os><type>hvm</type></os><devices><disk type='file' device='disk'><driver name='qemu' type='qcow2'/>"
    f"<source file='{PATH}'/><target dev='vda' bus='virtio'/></disk></devices></domain>"
)
APPLIED = Owned(DISK, "", "web.yaml", parent=WEB, facts={Fact.DIGEST: "d"})


def disk(**spec: Any) -> Resource:
    return Resource(
        DISK, "", {"pool": "disks", "format": "qcow2", "capacity": "1GiB", **spec}, "web.yaml", 1,
        depends_on=(POOL,), parent=WEB, digest="d",
    )  # fmt: skip


def machine(**spec: Any) -> Resource:
    drive = {"name": "data", "volume": DISK.name}
    return Resource(WEB, "u", {"disks": [drive], **spec}, "web.yaml", 1, depends_on=(DISK,), digest="m")


def web(*, running: bool = False, mark: Mark | None = None, reason: str = "destroyed") -> Observed:
    return Observed(
        WEB, "5a9d0a3b-6f8b-4d2b-8c7e-1f2a3b4c5d6e", DOMAIN, DOMAIN if running else None,
        "running" if running else "shutoff", "booted" if running else reason, mark=mark,
    )  # fmt: skip


def pool(state: str = "active") -> Observed:
    return Observed(POOL, "p", "<pool type='dir'><name>disks</name></pool>", state=state)


def volume(ref: Ref) -> Observed:
    details = {"path": f"/srv/disks/{ref.short_name}", "type": "file", "format": "qcow2"}
    described = "<capacity>1073741824</capacity><target><format type='qcow2'/></target>"
    xml = f"<volume><name>{ref.short_name}</name>{described}</volume>"
    return Observed(ref, "", xml, state="active", details=details)


def plan(resources: Iterable[Resource], seen: Iterable[Observed], owned: Iterable[Owned] = (), **options: Any) -> Plan:
    desired = DesiredState(REVISION, REPOSITORY, {one.ref: one for one in resources})
    return Planner().plan(desired, host(seen), {one.ref: one for one in owned}, options=PlanOptions(**options))


def host(seen: Iterable[Observed]) -> Snapshot:
    objects = {one.ref: one for one in seen}
    volumes = {ref: VolumeSource(one.details["path"], "file", "qcow2") for ref, one in objects.items() if ref.pool}
    return Snapshot(1, Host(volumes=volumes, pool_paths={"disks": "/srv/disks"}), objects)


def made(found: Plan) -> set[Ref]:
    return {each.ref for step in found.steps for each in step.operations if isinstance(each, CreateVolume)}


def reasons(found: Plan) -> Mapping[Ref, str]:
    return {item.ref: item.reason for item in found.blocked}


def digest(found: Plan, ref: Ref = DISK) -> str:
    return next(item.digest for item in found.blocked if item.ref == ref)


def test_a_volume_that_onggi_made_and_that_is_gone_is_lost_and_not_made_again() -> None:
    found = plan([disk()], [pool()], [APPLIED])
    assert made(found) == set()
    assert reasons(found) == {DISK: "DataLost"}
    assert PATH in found.blocked[0].message
    assert f"onggi approve {digest(found)}" in found.blocked[0].message


def test_one_that_was_taken_over_is_lost_likewise() -> None:
    assert reasons(plan([disk()], [pool()], [replace(APPLIED, created=False)])) == {DISK: "DataLost"}


def test_one_that_was_never_there_is_made() -> None:
    assert made(plan([disk()], [pool()])) == {DISK}


def test_one_that_shows_up_again_is_lost_no_more() -> None:
    assert plan([disk()], [pool(), volume(DISK)], [APPLIED]).blocked == ()


# A ledger that is lost too must not make loss look like the first time.
@pytest.mark.parametrize(
    "seen",
    [
        pytest.param(web(mark=Mark(REPOSITORY, "web", frozenset({f"/disks/{DISK.name}"}))), id="by its machine's mark"),
        pytest.param(web(mark=Mark(REPOSITORY, "web")), id="by its machine's definition"),
    ],
)
def test_without_a_ledger_it_is_known_to_have_been_there(seen: Observed) -> None:
    found = plan([disk(), machine()], [pool(), seen])
    assert made(found) == set()
    assert reasons(found) == {DISK: "DataLost", WEB: "DataLost"}


@pytest.mark.parametrize(
    "seen",
    [pytest.param([pool("inactive")], id="pool inactive"), pytest.param([], id="pool gone from the host")],
)
def test_what_cannot_be_seen_is_not_lost_and_not_made_either(seen: list[Observed]) -> None:
    owner = Resource(POOL, "p", {"type": "dir", "path": "/srv/disks"}, "pool.yaml", 1)
    found = plan([owner, disk()], seen, [APPLIED])
    assert made(found) == set()
    assert reasons(found)[DISK] == "DependencyNotReady"


def test_a_seed_is_made_again_from_its_document() -> None:
    seed = replace(disk(), spec={"pool": "disks", "format": "raw"}, content=b"seed")
    assert made(plan([seed], [pool()], [replace(APPLIED, seed=True)])) == {DISK}


def test_a_document_may_say_that_it_is_only_scratch() -> None:
    found = plan([disk(onLoss="recreate")], [pool()], [APPLIED])
    assert made(found) == {DISK}
    assert "onLoss: recreate" in found.steps[0].why


def test_a_yes_makes_it_again_once_and_not_after_the_next_loss() -> None:
    yes = frozenset({digest(plan([disk()], [pool()], [APPLIED]))})
    found = plan([disk()], [pool()], [APPLIED], approved=yes)
    assert made(found) == {DISK}
    entry = found.steps[0].owned
    assert entry is not None
    at_rest = plan([disk()], [pool(), volume(DISK)], [entry], approved=yes)
    assert (at_rest.steps, at_rest.blocked, at_rest.records) == ((), (), ())
    again = plan([disk()], [pool()], [entry], approved=yes)
    assert reasons(again) == {DISK: "DataLost"}
    assert digest(again) not in yes


def test_a_yes_survives_commits_that_have_nothing_to_do_with_it() -> None:
    before = digest(plan([disk()], [pool()], [APPLIED]))
    assert digest(plan([disk(), replace(machine(), spec={"memory": 512})], [pool()], [APPLIED])) == before
    assert digest(plan([replace(disk(capacity="2GiB"), digest="e")], [pool()], [APPLIED])) != before


def test_a_pool_that_is_empty_at_once_is_said_to_be_perhaps_unmounted() -> None:
    other = replace(disk(), ref=OTHER)
    found = plan([disk(), other], [pool()], [APPLIED, replace(APPLIED, ref=OTHER)])
    assert all("mounted at /srv/disks" in item.message for item in found.blocked)
    one_left = plan([disk(), other], [pool(), volume(OTHER)], [APPLIED, replace(APPLIED, ref=OTHER)])
    assert "mounted" not in one_left.blocked[0].message


def test_a_machine_without_its_data_is_not_started_but_changed_in_all_else() -> None:
    found = plan([disk(), machine(runStrategy="Always", memory=128)], [pool(), web(mark=Mark(REPOSITORY, "web"))])
    operations = [operation for step in found.steps for operation in step.operations]
    assert not any(isinstance(each, Start | CreateVolume | DeleteVolume) for each in operations)
    assert [
        (step.ref, [change.pointer for change in step.changes if change.pointer == "/memory"]) for step in found.steps
    ] == [(WEB, ["/memory"])]
    assert all(PATH in each.xml for each in operations if hasattr(each, "xml"))
    assert reasons(found) == {DISK: "DataLost", WEB: "DataLost"}


def test_a_running_machine_that_has_it_open_is_neither_stopped_nor_restarted() -> None:
    # The deleted file lives for as long as QEMU has it open: the stop would be the loss.
    for spec in ({"runStrategy": "Halted"}, {"restartPolicy": "Graceful", "cpuMode": "maximum"}):
        found = plan([disk(), machine(**spec)], [pool(), web(running=True, mark=Mark(REPOSITORY, "web"))])
        operations = [operation for step in found.steps for operation in step.operations]
        assert not any(isinstance(each, Start | Stop) for each in operations)
        assert "save" in next(item.message for item in found.blocked if item.ref == DISK)


def test_a_machine_that_vanished_with_its_disks_waits_for_them() -> None:
    found = plan([disk(), machine()], [pool()], [APPLIED])
    assert found.steps == ()
    assert reasons(found) == {DISK: "DataLost", WEB: "DataLost"}


def test_a_neighbour_goes_on() -> None:
    other = Resource(vm("db"), "v", {"memory": 64}, "db.yaml", 1)
    assert [step.ref for step in plan([disk(), machine(), other], [pool()], [APPLIED]).steps] == [vm("db")]


def test_an_overlay_is_not_made_on_a_base_that_is_lost_and_its_machine_is_not_started_without_it() -> None:
    base, root = replace(disk(), ref=OTHER, parent=None), replace(disk(), depends_on=(POOL, OTHER))
    running = [pool(), volume(DISK), web(mark=Mark(REPOSITORY, "web"))]
    found = plan([base, root, machine(runStrategy="Always")], running, [replace(APPLIED, ref=OTHER), APPLIED])
    assert reasons(found) == {OTHER: "DataLost", WEB: "DataLost"}
    assert not any(isinstance(each, Start) for step in found.steps for each in step.operations)


def test_both_are_told_with_a_condition_of_their_own() -> None:
    resources = [disk(), machine()]
    found = plan(resources, [pool(), web(mark=Mark(REPOSITORY, "web"))])
    desired = DesiredState(REVISION, REPOSITORY, {one.ref: one for one in resources})
    told = conditions(Pass(desired, host([pool()]), found))
    for ref in (DISK, WEB):
        assert {(item.type, item.status, item.reason) for item in told[ref]} >= {
            ("Ready", False, "DataLost"),
            ("DataLost", True, "VolumeGone"),
        }
    assert re.search(r"onggi approve sha256:[0-9a-f]{32}", told[DISK][0].message)


def test_it_is_drift_that_nobody_puts_back() -> None:
    resources = [disk(), machine()]
    found = plan(resources, [pool(), web(mark=Mark(REPOSITORY, "web"))], [APPLIED])
    desired = DesiredState(REVISION, REPOSITORY, {one.ref: one for one in resources})
    there = host([pool(), web(mark=Mark(REPOSITORY, "web"))])
    seen = drift(Pass(desired, there, found, owned={DISK: APPLIED}))
    assert [(item.ref, item.kind, item.policy) for item in seen] == [(DISK, DriftKind.MISSING, "hold")]


def test_what_is_only_just_being_made_is_not_lost() -> None:
    """The ledger knows of a volume as soon as its step has ended; the host was looked at before that."""
    ahead = plan([disk()], [pool()], [APPLIED], moving=frozenset({DISK}))
    assert DISK not in reasons(ahead)
    assert reasons(plan([disk()], [pool()], [APPLIED])) == {DISK: "DataLost"}
