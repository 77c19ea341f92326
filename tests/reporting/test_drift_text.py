"""How drift is printed: for a person, for a script, for a pull request."""

from __future__ import annotations

from reconciler.ledger.drift_history import DriftRecord
from reconciler.reporting.drift_text import (
    DriftReport,
    record_json,
    records_markdown,
    records_text,
    report_markdown,
    report_text,
)
from reconciler.status.drift import Drift, DriftedField, DriftKind
from tests.planning.values import vm

WEB, DB = vm("web"), vm("db")
NOON = "2026-01-31T12:00:00.000Z"
REPORT = DriftReport(
    "main@sha1:0123",
    (
        Drift(DB, DriftKind.MISSING, "warn", (DriftedField("/", "present", None),)),
        Drift(
            WEB,
            DriftKind.CHANGED,
            "enforce",
            (DriftedField("/memory", 64, 96, 64), DriftedField("/title", "ours", "ours", "theirs", True)),
            active=True,
        ),
        Drift(WEB, DriftKind.EXTRA, "enforce", (DriftedField("/interfaces/52:54:00:00:00:01", None, "present"),)),
    ),
    {(WEB, "/memory"): NOON},
    waiting=2,
)
RECORD = DriftRecord(WEB, "/memory", "changed", "enforce", 64, 96, NOON, NOON, NOON, "onggi")


def test_the_table_names_field_values_place_time_and_policy() -> None:
    text = report_text(REPORT, colour=False)
    assert [line.split() for line in text.splitlines()[:4]] == [
        ["OBJECT", "FIELD", "DECLARED", "FOUND", "WHERE", "SINCE", "POLICY"],
        ["VirtualMachine/db", "/", "present", "missing", "host", "now", "warn"],
        ["VirtualMachine/web", "/memory", "64MiB", "96MiB", "config", NOON, "enforce"],
        ["VirtualMachine/web", "/title", "ours", "theirs", "live", "now", "enforce"],
    ]
    assert "Drift: 3 fields of 2 objects." in text
    assert "left alone:\n  VirtualMachine/web: /interfaces/52:54:00:00:00:01" in text
    assert text.endswith("2 changes wait to be applied: onggi plan")


def test_without_drift_there_is_one_sentence() -> None:
    text = report_text(DriftReport("main@sha1:0123", (), {}), colour=False)
    assert text == "No drift: the host is as it was last applied (main@sha1:0123)."


def test_the_markdown_is_a_table_that_no_value_can_leave() -> None:
    evil = "a|b `c` <img src=x> @team\n| x |"
    report = DriftReport("r", (Drift(WEB, DriftKind.CHANGED, "enforce", (DriftedField("/title", "ours", evil),)),), {})
    markdown = report_markdown(report)
    rows = [line for line in markdown.splitlines() if line.startswith("|")]
    assert rows[0] == "| Object | Field | Declared | Found | Where | Since | Policy |"
    assert len(rows) == 3
    assert rows[2].replace("\\|", "").count("|") == 8
    assert rows[2].startswith("| `VirtualMachine/web` | `/title` | `ours` |")
    quoted = report_markdown(
        DriftReport("r", (Drift(WEB, DriftKind.CHANGED, "enforce", (DriftedField("/title", "``", "a|`b"),)),), {})
    )
    assert "| ``` `` ``` | `` a\\|`b `` |" in quoted


def test_scripts_get_all_three_values() -> None:
    told = REPORT.to_json()
    assert told["waitingToBeApplied"] == 2
    assert told["extra"] == [{"kind": "VirtualMachine", "name": "web", "fields": ["/interfaces/52:54:00:00:00:01"]}]
    missing, changed = told["drift"]
    assert (missing["type"], missing["policy"]) == ("missing", "warn")
    assert changed["fields"][0] == {
        "field": "/memory", "declared": 64, "config": 96, "live": 64, "where": "config", "since": NOON,
    }  # fmt: skip
    assert changed["fields"][1]["live"] == "theirs"


def test_records_tell_how_they_ended() -> None:
    assert f"onggi at {NOON}" in records_text([RECORD], colour=False)
    assert records_text([], colour=False) == ""
    assert f"| onggi at {NOON} | enforce |" in records_markdown([RECORD])
    assert "No drift is recorded." in records_markdown([])
    assert record_json(RECORD)["healedBy"] == "onggi"
