"""Whose doing a step is: the sentence beside it."""

from __future__ import annotations

import pytest

from reconciler.desired.state import Resource
from reconciler.planning.ownership import Owned
from reconciler.planning.why import not_applied, why_changed, why_volume_leaves
from specs.reference import Ref
from tests.planning.machines import PLAIN
from tests.planning.worlds import WEB, World, applied, wanted

SEED, DISK = Ref.volume("default", "onggi-seed-web"), Ref.volume("default", "web-root")
SEEDED = wanted(cloudInit={"user": "me"})


@pytest.mark.parametrize(
    ("declared", "entry", "why"),
    [
        ((), Owned(DISK, ""), "its document is gone and says deletionPolicy: Delete"),
        ((), Owned(SEED, "", seed=True), "nothing uses this cloud-init data any more"),
        (
            (),
            Owned(SEED, "", seed=True, parent=WEB),
            "the cloud-init data of VirtualMachine/web, whose document is gone",
        ),
        ((PLAIN,), Owned(SEED, "", seed=True, parent=WEB), "VirtualMachine/web declares no cloud-init data any more"),
        (
            (SEEDED,),
            Owned(SEED, "", seed=True, parent=WEB),
            "the former cloud-init data of VirtualMachine/web, which has new ones",
        ),
        (
            (),
            Owned(DISK, "", parent=WEB),
            "a disk of VirtualMachine/web, whose document is gone and says deletionPolicy: Delete",
        ),
        (
            (PLAIN,),
            Owned(DISK, "", parent=WEB),
            "VirtualMachine/web doesn't declare this disk any more, and says deletionPolicy: Delete",
        ),
    ],
)
def test_why_a_volume_leaves(declared: tuple[Resource, ...], entry: Owned, why: str) -> None:
    assert why_volume_leaves(entry, World(declared).context) == why


@pytest.mark.parametrize(
    ("entry", "more", "why"),
    [
        (None, {}, "differs from its document"),
        (Owned(WEB, "u"), {}, "differs from its document"),
        (applied(PLAIN), {}, "changed on the host since it was last applied"),
        (applied(wanted(cpus=2)), {}, "its document changed"),
        (applied(PLAIN), {"adopted": True}, "taken over, as its annotation onggi/adopt says"),
        (
            None,
            {"adopted": True, "taken_from": "r"},
            "taken over from the repository r, as its annotation onggi/adopt says",
        ),
        (applied(PLAIN), {"moved": True, "taken_from": "r"}, "moved to this branch and path, as it was approved"),
    ],
)
def test_why_an_object_is_changed(entry: Owned | None, more: dict[str, object], why: str) -> None:
    assert why_changed(PLAIN, entry, **more) == why  # type: ignore[arg-type]


@pytest.mark.parametrize(("entry", "digest"), [(None, ""), (Owned(WEB, "u"), ""), (applied(PLAIN), PLAIN.digest)])
def test_what_can_not_be_applied_is_not_remembered_as_applied(entry: Owned | None, digest: str) -> None:
    assert not_applied(applied(wanted(cpus=2)), entry).facts["digest"] == digest
