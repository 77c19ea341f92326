"""Drift as people and scripts read it: a table, Markdown for a pull request, and the shapes of JSON.

Pure. Two sources have the same columns: a comparison that was just made, and the records of the state folder.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import click

from reconciler.ledger.drift_history import DriftRecord
from reconciler.reporting.change_text import change_rows
from reconciler.reporting.table import table_text
from reconciler.status.drift import Drift, DriftedField, DriftKind, deviations
from reconciler.status.value_text import abbreviated, is_blob, printable, value_text
from specs.effect import Change, Effect
from specs.plain import NewJson
from specs.reference import Ref

_WIDEST_VALUE = 40
_LONG = "(several lines)"
_NOW = "now"  # since when something differs that has no record yet

Since = Mapping[tuple[Ref, str], str]


@dataclass(frozen=True, slots=True)
class DriftReport:
    """A comparison that was just made. `since` tells when the recorded ones were seen first."""

    revision: str
    found: tuple[Drift, ...]
    since: Since
    waiting: int = 0  # steps that a new revision asks for: no drift

    @property
    def deviations(self) -> list[Drift]:
        """What counts."""
        return deviations(self.found)

    @property
    def extras(self) -> list[Drift]:
        """What is only information."""
        return [item for item in self.found if item.kind is DriftKind.EXTRA]

    def to_json(self) -> NewJson:
        """The shape of `onggi drift REPO -o json`."""
        return {
            "revision": self.revision,
            "drift": [self._json(item) for item in self.deviations],
            "extra": [
                {"kind": item.ref.kind, "name": item.ref.name, "fields": [each.field for each in item.fields]}
                for item in self.extras
            ],
            "waitingToBeApplied": self.waiting,
        }

    def _json(self, item: Drift) -> NewJson:
        def field(each: DriftedField) -> NewJson:
            shown = {"field": each.field, "declared": each.declared, "config": each.config}
            if item.active and item.kind is DriftKind.CHANGED:
                shown["live"] = each.live
            return shown | {"where": each.where, "since": self.since.get((item.ref, each.field), "")}

        return {
            "kind": item.ref.kind,
            "name": item.ref.name,
            "type": item.kind.value,
            "policy": item.policy,
            "path": item.path,
            "line": item.line,
            "fields": [field(each) for each in item.fields],
        }


def report_text(report: DriftReport, *, colour: bool) -> str:
    """A row for each field, then the extras apart, then what waits."""
    parts = []
    rows = _rows(report, str)
    if rows:
        parts.append(table_text(_COLUMNS, rows, _paint if colour else None))
    parts.append(_summary(report))
    if report.extras:
        lines = (f"  {printable(str(item.ref))}: {_names(item)}" for item in report.extras)
        parts.append("\n".join(["Extra, in no document and left alone:", *lines]))
    if report.waiting:
        parts.append(_waiting(report))
    return "\n\n".join(parts)


def report_markdown(report: DriftReport) -> str:
    """The same for a pull request. Whatever a value holds, it stays in its cell and is no markup."""
    parts = ["### Drift", f"Compared with {_code(report.revision)}. {_summary(report)}"]
    rows = _rows(report, _code)
    if rows:
        head = [f"| {' | '.join(name.capitalize() for name in _COLUMNS)} |", "|" + " --- |" * len(_COLUMNS)]
        body = [f"| {' | '.join((_code(row[0]), _code(row[1]), *row[2:]))} |" for row in rows]
        parts.append("\n".join([*head, *body]))
    if report.extras:
        lines = (
            f"- {_code(str(item.ref))}: {', '.join(_code(each.field) for each in item.fields)}"
            for item in report.extras
        )
        parts.append("\n".join(["Extra, in no document and left alone:", "", *lines]))
    if report.waiting:
        parts.append(_waiting(report))
    return "\n\n".join(parts)


def records_text(records: Iterable[DriftRecord], *, colour: bool) -> str:
    """A row for each record, oldest first; empty for none."""
    rows = [
        (
            printable(str(item.ref)),
            printable(name),
            declared,
            found,
            item.first_seen,
            item.last_seen,
            f"{item.healed_by} at {item.healed_at}" if item.healed_at else "",
            item.policy,
        )
        for item in records
        for name, declared, found in _values(item.field, item.declared, item.found)
    ]
    return table_text(_RECORD_COLUMNS, rows, _paint if colour else None) if rows else ""


def records_markdown(records: Iterable[DriftRecord]) -> str:
    """The same for a pull request."""
    head = [f"| {' | '.join(name.capitalize() for name in _RECORD_COLUMNS)} |", "|" + " --- |" * len(_RECORD_COLUMNS)]
    body = [
        f"| {_code(str(item.ref))} | {_code(name)} | {_code(declared)} | {_code(found)} "
        f"| {item.first_seen} | {item.last_seen} "
        f"| {f'{item.healed_by} at {item.healed_at}' if item.healed_at else ''} | {item.policy} |"
        for item in records
        for name, declared, found in _values(item.field, item.declared, item.found)
    ]
    return "\n".join(["### Drift", "", *([*head, *body] if body else ["No drift is recorded."])])


def record_json(record: DriftRecord) -> NewJson:
    """The shape of one record of `onggi drift -o json`."""
    return {
        "kind": record.ref.kind,
        "name": record.ref.name,
        "field": record.field,
        "type": record.kind,
        "policy": record.policy,
        "declared": record.declared,
        "found": record.found,
        "firstSeen": record.first_seen,
        "lastSeen": record.last_seen,
        "healedAt": record.healed_at,
        "healedBy": record.healed_by,
    }


_COLUMNS = ("object", "field", "declared", "found", "where", "since", "policy")
_RECORD_COLUMNS = ("object", "field", "declared", "found", "first seen", "last seen", "healed by", "policy")


def _rows(report: DriftReport, text: Callable[[str], str]) -> list[tuple[str, ...]]:
    rows: list[tuple[str, ...]] = []
    for item in report.deviations:
        for each in item.fields:
            missing = item.kind is DriftKind.MISSING
            found = "missing" if missing else ""
            where = {DriftKind.MISSING: "host", DriftKind.POWER: "state"}.get(item.kind, each.where)
            since = report.since.get((item.ref, each.field), _NOW)
            for name, declared, is_there in _values(each.field, each.declared, each.found):
                shown = found or text(is_there)
                rows.append(
                    (printable(str(item.ref)), printable(name), text(declared), shown, where, since, item.policy)
                )
    return rows


def _values(field: str, declared: Any, found: Any) -> Iterator[tuple[str, str, str]]:
    """What differs in one field, value by value: its name, how it should be, and how it is."""
    for row in change_rows(Change(field, found, declared, Effect.LIVE)):
        if row.lines or not row.new:
            yield row.name, _short(declared), _short(found)
        else:
            yield row.name, abbreviated(row.new, _WIDEST_VALUE), abbreviated(row.old, _WIDEST_VALUE)


def _short(content: Any) -> str:
    return _LONG if is_blob(content) else value_text(content, _WIDEST_VALUE)


def _summary(report: DriftReport) -> str:
    fields = sum(len(item.fields) for item in report.deviations)
    if not fields:
        return f"No drift: the host is as it was last applied ({printable(report.revision)})."
    objects = len({item.ref for item in report.deviations})
    return f"Drift: {_count(fields, 'field')} of {_count(objects, 'object')}."


def _waiting(report: DriftReport) -> str:
    verb = "waits" if report.waiting == 1 else "wait"
    return f"{_count(report.waiting, 'change')} {verb} to be applied: onggi plan"


def _names(item: Drift) -> str:
    return ", ".join(printable(each.field) for each in item.fields)


def _count(number: int, what: str) -> str:
    return f"{number} {what}{'s' if number != 1 else ''}"


def _code(text: str) -> str:
    """A code span that nothing in the text can end, not even a table's column."""
    safe = abbreviated(printable(text), 200).replace("|", "\\|")
    if "`" not in safe:
        return f"`{safe}`"
    longest = max(len(run) for run in re.findall("`+", safe))
    fence = "`" * (longest + 1)
    return f"{fence} {safe} {fence}"


def _paint(column: str, cell: str) -> str:
    if column == "found":
        return click.style(cell, fg="red")
    if column == "declared":
        return click.style(cell, fg="green")
    return cell
