"""Why a disk or a seed leaves is told as it is, and a seed that follows later is told before."""

from __future__ import annotations

from dataclasses import replace

import pytest

from reconciler.observed.snapshot import Observed, Snapshot
from reconciler.planning.context import Context
from reconciler.planning.gathered import Gathered
from reconciler.planning.ownership import Owned
from reconciler.planning.plan_options import PlanOptions
from reconciler.planning.prune import removals
from reconciler.planning.why import why_volume_leaves
from specs.host import Host, VolumeSource
from specs.reference import Ref
from tests.planning.values import context, resource, vm

WEB, SEED, NEW, DISK = vm("web"), *(Ref.volume("default", name) for name in ("old-seed", "new-seed", "web-data"))
OLD = Owned(SEED, "", "web.yaml", parent=WEB, seed=True)
DATA = Owned(DISK, "", "web.yaml", "Delete", parent=WEB)


def declared(**spec: object) -> Context:
    return context([replace(resource(WEB, NEW), spec=spec)])


@pytest.mark.parametrize(
    ("entry", "now", "why"),
    [
        (OLD, context(), "the cloud-init data of VirtualMachine/web, whose document is gone"),
        (OLD, declared(), "VirtualMachine/web declares no cloud-init data any more"),
        (OLD, declared(cloudInit={"userData": "x"}), "the former cloud-init data of VirtualMachine/web, which has new"),
        (replace(OLD, parent=None), context(), "nothing uses this cloud-init data any more"),
        (DATA, context(), "a disk of VirtualMachine/web, whose document is gone and says deletionPolicy: Delete"),
        (DATA, declared(), "VirtualMachine/web doesn't declare this disk any more, and says deletionPolicy: Delete"),
        (replace(DATA, parent=None), context(), "its document is gone and says deletionPolicy: Delete"),
    ],
)
def test_the_reason_is_whose_doing_it_is(entry: Owned, now: Context, why: str) -> None:
    assert why_volume_leaves(entry, now).startswith(why)


def test_a_seed_that_a_running_machine_still_has_is_told_in_the_plan_that_takes_it_away() -> None:
    xml = (
        "<domain type='kvm' id='1'><name>web</name><devices><disk type='file' device='cdrom'>"
        "<source file='/pool/old-seed'/><target dev='sda' bus='sata'/></disk></devices></domain>"
    )
    host = Host(volumes={SEED: VolumeSource("/pool/old-seed", "file", "raw")})
    objects = {WEB: Observed(WEB, "u", xml, xml, "running"), SEED: Observed(SEED, "", "<volume/>")}
    before = declared(cloudInit={"userData": "x"})
    found = removals(Gathered(before.desired, Snapshot(1, host, objects), {SEED: OLD}, options=PlanOptions()), {})
    assert found.assessments == []
    [note] = found.notes
    assert note.startswith(f"{SEED} is deleted as soon as no machine has it: the former cloud-init data of {WEB}")
