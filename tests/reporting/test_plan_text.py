"""A plan as people read it."""

from __future__ import annotations

import re
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from reconciler.planning.plan import Action, Blocked, Plan, Step, Waiting
from reconciler.reporting.plan_text import plan_text, problems_text, summary_text
from reconciler.status.value_text import printable, value_text
from specs.effect import Change, Effect
from specs.problem import Problem
from specs.reference import Ref

REVISION = "main@sha1:0123"
WEB, LAN = Ref("VirtualMachine", "tg-web"), Ref("Network", "tg-lan")


def step(ref: Ref, action: Action, *changes: Change, why: str = "its document changed") -> Step:
    return Step(ref, action, why, Effect.LIVE, (), changes, path=f"vms/{ref.name}.yaml", line=3)


def text(*steps: Step, **more: Any) -> str:
    return plan_text(Plan(REVISION, steps, **more), colour=False, width=100)


def test_a_whole_plan_reads_like_this() -> None:
    plan = Plan(
        REVISION,
        steps=(
            step(
                LAN,
                Action.CREATE,
                Change("/mode", None, "isolated", Effect.LIVE),
                Change("/subnet", None, "192.168.150.0/24", Effect.LIVE),
                why="declared, and not on the host",
            ),
            step(
                WEB,
                Action.UPDATE,
                Change("/memory", 1024, 2048, Effect.LIVE),
                Change("/disks/root/bus", "sata", "virtio", Effect.NEXT_BOOT),
                Change("/interfaces/lan", {"network": "lan"}, None, Effect.LIVE),
            ),
            step(Ref("VirtualMachine", "tg-old"), Action.DELETE, why="its document is gone; its volumes stay"),
            step(Ref("VirtualMachine", "tg-new"), Action.REPLACE, Change("/uid", "a", "b", Effect.RECREATE)),
        ),
        blocked=(Blocked(Ref.volume("p", "v"), "ShrinkRefused", "a disk never shrinks; declare 10GiB", "v.yaml", 7),),
        waiting=(Waiting(Ref("VirtualMachine", "tg-db"), (Change("/cpus", 1, 2, Effect.NEXT_BOOT),)),),
        drifted=((Ref("Network", "tg-net"), (Change("/domain", "a", "b", Effect.LIVE),)),),
        extras=((Ref("VirtualMachine", "tg-db"), ("/disks/vdb",)),),
        notes=("nothing is deleted: the source is empty",),
    )
    assert plan_text(plan, colour=False, width=100) == (
        "  + Network/tg-lan  (vms/tg-lan.yaml:3)\n"
        "      declared, and not on the host\n"
        "      mode    isolated\n"
        "      subnet  192.168.150.0/24\n"
        "\n"
        "  ~ VirtualMachine/tg-web  (vms/tg-web.yaml:3)\n"
        "      its document changed\n"
        "      /memory:          1GiB → 2GiB            (live)\n"
        "      /disks/root/bus:  sata → virtio          (next boot)\n"
        "      /interfaces/lan:  network: lan → (none)  (live)\n"
        "\n"
        "  - VirtualMachine/tg-old  (vms/tg-old.yaml:3)\n"
        "      its document is gone; its volumes stay\n"
        "\n"
        "  ∓ VirtualMachine/tg-new  (vms/tg-new.yaml:3)\n"
        "      its document changed\n"
        "      /uid:  a → b  (recreate)\n"
        "\n"
        "Blocked:\n"
        "  ! StorageVolume/p/v  (v.yaml:7)\n"
        "      ShrinkRefused: a disk never shrinks; declare 10GiB\n"
        "\n"
        "Waiting:\n"
        "  VirtualMachine/tg-db needs a restart: /cpus: 1 → 2\n"
        "\n"
        "Drifted, and left as it is (driftPolicy: warn):\n"
        "  Network/tg-net /domain: a → b\n"
        "\n"
        "On the host, not in a document, and left alone:\n"
        "  VirtualMachine/tg-db: /disks/vdb\n"
        "\n"
        "Notes:\n"
        "  nothing is deleted: the source is empty\n"
        "\n"
        "Plan: 1 to create, 1 to change, 1 to replace, 1 to delete, 1 blocked."
    )


def test_at_rest_it_is_one_line() -> None:
    assert text() == f"No changes: the host is as {REVISION} says."


def test_at_rest_with_mistakes_it_does_not_say_that_all_is_as_it_should_be() -> None:
    shown = plan_text(Plan(REVISION, ()), colour=False, width=100, mistakes=True)
    assert shown == f"No changes: the host is as the documents of {REVISION} without errors say."


def test_something_blocked_is_no_rest() -> None:
    assert text(blocked=(Blocked(WEB, "OwnedByOther", "it is another's; rename yours"),)).endswith(
        "Plan: 0 to create, 0 to change, 0 to delete, 1 blocked."
    )


def test_cloud_init_data_is_never_shown() -> None:
    data = "#cloud-config\npassword: s3cret\n"
    shown = text(
        step(WEB, Action.UPDATE, Change("/cloudInit/userData", "#cloud-config\n\n", data, Effect.LIVE)),
        step(LAN, Action.CREATE, Change("/cloudInit", None, {"userData": data}, Effect.LIVE)),
    )
    assert "s3cret" not in shown
    assert "/cloudInit/userData:  changed  (live)" in shown
    assert "cloudInit  (set)" in shown


def test_things_in_a_list_are_called_by_their_names() -> None:
    disks = [{"name": "root", "size": "20GiB"}, {"volume": "pool/data"}]
    assert value_text(disks) == "root, pool/data"
    assert value_text([{"network": "lan"}]) == "lan"
    assert value_text([]) == "[]"
    assert value_text(True) == "true"
    assert value_text(None) == "(none)"
    assert value_text("") == '""'


def test_a_note_says_why_a_change_is_refused() -> None:
    shown = text(step(WEB, Action.UPDATE, Change("/machine", "pc", "q35", Effect.FORBIDDEN, "make it anew")))
    assert "(refused: make it anew)" in shown


def test_documents_with_errors_are_told_by_place() -> None:
    problems = (Problem("b.yaml", 2, 1, "no kind; write one", "/kind"), Problem("a.yaml", 1, 1, "not YAML"))
    assert problems_text(problems, colour=False).splitlines()[1:] == [
        "  ! a.yaml:1:1: not YAML",
        "  ! b.yaml:2:1: no kind; write one (at /kind)",
    ]
    assert problems_text((), colour=False) == ""


def test_the_summary_counts() -> None:
    assert summary_text(Plan(REVISION, (step(WEB, Action.CREATE),))) == "Plan: 1 to create, 0 to change, 0 to delete."


values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=8,
)
changes = st.builds(Change, st.text(max_size=20), values, values, st.sampled_from(Effect), st.text(max_size=20))
UNSAFE = re.compile("[\x00-\x09\x0b-\x1f\x7f-\x9f\u2028-\u202e]")


@given(st.lists(changes, max_size=3), st.sampled_from(Action), st.text(max_size=10))
def test_no_value_reaches_the_terminal_as_a_command(found: list[Change], action: Action, name: str) -> None:
    plan = Plan(REVISION, (step(Ref("Network", name), action, *found, why=name),), notes=(name,))
    shown = plan_text(plan, colour=False, width=80)
    assert UNSAFE.search(shown) is None


@given(st.lists(changes, max_size=3), st.sampled_from(Action))
def test_colours_change_nothing_but_colours(found: list[Change], action: Action) -> None:
    plan = Plan(REVISION, (step(LAN, action, *found),), blocked=(Blocked(WEB, "Why", "because"),))
    coloured = plan_text(plan, colour=True, width=100)
    assert "\x1b[" in coloured
    assert re.sub(r"\x1b\[[0-9;]*m", "", coloured) == plan_text(plan, colour=False, width=100)


@given(values, st.integers(4, 60))
def test_a_value_keeps_to_its_width(value: Any, width: int) -> None:
    assert len(value_text(value, width)) <= max(width, len("(none)"))


@given(st.text())
def test_what_is_printable_stays_so(text: str) -> None:
    assert printable(printable(text)) == printable(text)
