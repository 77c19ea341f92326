"""One changed field as people read it."""

from __future__ import annotations

from typing import Any

import pytest

from reconciler.planning.plan import Action, Plan, Step
from reconciler.reporting.change_text import change_rows
from reconciler.reporting.plan_markdown import plan_markdown
from reconciler.reporting.plan_text import plan_text
from specs.comparing import differences
from specs.effect import Change, Effect
from specs.reference import Ref
from specs.virtualmachine.interfaces.interfaces import INTERFACES


def rows(pointer: str, old: Any, new: Any) -> list[str]:
    return [f"{row.name}: {row.text}" for row in change_rows(Change(pointer, old, new, Effect.LIVE))]


@pytest.mark.parametrize(
    ("pointer", "old", "new", "shown"),
    [
        ("/memory", 2048, 3072, "2GiB → 3GiB"),
        ("/maximumMemory", None, 1000, "(none) → 1000MiB"),
        ("/capacity", 10 << 30, 1, "10GiB → 1B"),
        ("/disks/a/ioLimits/readBytesPerSecond", 1 << 20, 1000, "1MiB/s → 1000B/s"),
        ("/cpus", 1, 2, "1 → 2"),
        ("/capacity", "10GiB", "20GiB", "10GiB → 20GiB"),
    ],
)
def test_a_size_has_its_unit(pointer: str, old: Any, new: Any, shown: str) -> None:
    assert rows(pointer, old, new) == [f"{pointer}: {shown}"]


def test_of_nested_values_only_what_differs_is_shown_field_by_field() -> None:
    old = {"start": "10.0.0.2", "end": "10.0.0.9", "hosts": [{"name": "a", "ip": "10.0.0.2"}, {"name": "b", "ip": "x"}]}
    new = {"start": "10.0.0.2", "end": "10.0.0.8", "hosts": [{"name": "a", "ip": "10.0.0.3"}]}
    assert rows("/dhcp", old, new) == [
        "/dhcp/end: 10.0.0.9 → 10.0.0.8",
        "/dhcp/hosts/a/ip: 10.0.0.2 → 10.0.0.3",
        "/dhcp/hosts/b: name: b, ip: x → (none)",
    ]


def test_of_a_long_text_the_changed_lines_are_shown() -> None:
    old = "".join(f"line {number}\n" for number in range(20))
    assert rows("/description", old, old.replace("line 7", "line seven")) == [
        "/description:  line 6; -line 7; +line seven;  line 8"
    ]
    assert rows("/description", None, "one\ntwo\n") == ["/description: +one; +two"]


def test_a_text_that_changes_everywhere_doesnt_flood_the_plan() -> None:
    old, new = ("".join(f"{word} {number}\n" for number in range(500)) for word in ("old", "new"))
    (row,) = change_rows(Change("/description", old, new, Effect.LIVE))
    assert len(row.lines) == 41
    assert row.lines[-1] == "  … 960 more lines"


def test_no_line_of_cloud_init_is_shown() -> None:
    assert rows("/cloudInit/userData", "password: a\nb\n", "password: s3cret\nb\n") == ["/cloudInit/userData: changed"]
    assert rows("/cloudInit", {"userData": "a"}, {"userData": "s3cret"}) == ["/cloudInit: changed"]


def test_an_interface_goes_by_the_name_that_its_document_gives_it() -> None:
    declared = [
        {"name": "front", "network": "lan", "mac": "52:54:00:00:00:01", "model": "virtio"},
        {"network": "wan", "mac": "52:54:00:00:00:02"},
    ]
    found = [{"network": "lan", "mac": "52:54:00:00:00:01", "model": "e1000"}]
    changes, _ = differences([INTERFACES], {"interfaces": declared}, {"interfaces": found})
    assert [change.pointer for change in changes] == [
        "/interfaces/52:54:00:00:00:01/model", "/interfaces/52:54:00:00:00:02"
    ]  # fmt: skip
    assert [row.name for change in changes for row in change_rows(change)] == [
        "/interfaces/front/model", "/interfaces/wan"
    ]  # fmt: skip


def shown(*changes: Change) -> tuple[str, str]:
    step = Step(Ref("VirtualMachine", "web"), Action.UPDATE, "because", Effect.LIVE, (), changes)
    plan = Plan("main@sha1:0", (step,))
    return plan_text(plan, colour=False, width=80), plan_markdown(plan)


def test_what_doesnt_fit_beside_its_new_value_stands_above_it_and_is_whole() -> None:
    old, new = ({"network": "lan", "forwarders": [f"{word}-{number}" for number in range(20)]} for word in ("a", "b"))
    text, markdown = shown(Change("/dns", old, new, Effect.LIVE), Change("/cpus", 1, 2, Effect.NEXT_BOOT))
    lines = text.splitlines()
    place = next(index for index, line in enumerate(lines) if "/dns/forwarders:" in line)
    assert lines[place].endswith("(live)")
    assert lines[place + 1].strip() == "-" + ", ".join(old["forwarders"])
    assert lines[place + 2].strip() == "+" + ", ".join(new["forwarders"])
    assert "/cpus:            1 → 2  (next boot)" in text
    assert "/dns/forwarders: " in markdown


def test_no_character_of_a_long_text_reaches_the_terminal_as_a_command() -> None:
    text, markdown = shown(Change("/description", "a\nb", "a\n\x1b[2Jb\n```", Effect.LIVE))
    assert "\x1b" not in text + markdown
    assert "+\\x1b[2Jb" in text
