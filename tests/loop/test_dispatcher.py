"""What is looked at again once a step is done."""

from __future__ import annotations

from reconciler.loop.dispatcher import touched
from reconciler.planning.operations import Define, Rename, RenameSnapshots
from reconciler.planning.plan import Action, Step
from specs.effect import Effect
from specs.reference import Ref

OLD, NEW = Ref("VirtualMachine", "old"), Ref("VirtualMachine", "new")


def test_after_a_rename_the_old_name_is_looked_at_before_the_new_one() -> None:
    operations = (Rename(OLD, NEW, "u"), RenameSnapshots(NEW, "u"), Define(NEW, "u", "<domain/>"))
    assert touched(Step(NEW, Action.UPDATE, "renamed", Effect.LIVE, operations)) == (OLD, NEW)


def test_a_step_that_does_nothing_touches_its_object() -> None:
    assert touched(Step(NEW, Action.UPDATE, "asked for", Effect.LIVE, ())) == (NEW,)
