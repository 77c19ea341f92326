"""A plan as people read it: a block for each object with a symbol, its why, and every field old → new with its effect.

Pure: the same plan gives the same text. Colours are asked for by who knows the terminal.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator

import click

from reconciler.planning.plan import Action, Blocked, Plan, Step
from reconciler.reporting.change_text import change_rows, value
from reconciler.status.value_text import abbreviated, is_blob, printable
from specs.effect import Change, Effect
from specs.problem import Problem
from specs.reference import Ref
from specs.registry import described

_COLOURS = {Action.CREATE: "green", Action.UPDATE: "yellow", Action.DELETE: "red", Action.REPLACE: "magenta"}
_EFFECTS = {
    Effect.LIVE: "live",
    Effect.NEXT_BOOT: "next boot",
    Effect.RECREATE: "recreate",
    Effect.FORBIDDEN: "refused",
}
# Of a new object these say nothing about the object itself.
_NOT_SHOWN_WHEN_NEW = frozenset({"/ignoreFields", "/driftPolicy", "/description", "/icon", "/access"})
_NARROWEST = 60
_BESIDE_VALUES = 24  # the margin, and the effect behind the values


def plan_text(plan: Plan, *, colour: bool, width: int, mistakes: bool = False) -> str:
    """The whole plan, without a last line end. `width` is how many columns a line should keep to; `mistakes` tells that
    not all documents could be used.
    """
    return _Text(colour, max(width, _NARROWEST), mistakes=mistakes).whole(plan)


def problems_text(problems: Iterable[Problem], *, colour: bool) -> str:
    """Documents that couldn't be used, one `file:line:column: message` each; empty for none."""
    text = _Text(colour, _NARROWEST)
    lines = [f"  {text.paint('!', 'red')} {printable(str(problem))}" for problem in sorted(problems, key=_place)]
    return text.section("Documents with errors, whose objects stay as they are:", lines)


def summary_text(plan: Plan) -> str:
    """`Plan: 3 to create, 1 to change, 0 to delete, 1 blocked.`"""
    parts = [
        f"{plan.count(Action.CREATE)} to create",
        f"{plan.count(Action.UPDATE)} to change",
        f"{plan.count(Action.DELETE)} to delete",
    ]
    if replaced := plan.count(Action.REPLACE):
        parts.insert(2, f"{replaced} to replace")
    if plan.blocked:
        parts.append(f"{len(plan.blocked)} blocked")
    return f"Plan: {', '.join(parts)}."


def _place(problem: Problem) -> tuple[str, int, int, str]:
    return problem.path, problem.line, problem.column, problem.message


class _Text:
    def __init__(self, colour: bool, width: int, *, mistakes: bool = False) -> None:
        self.colour = colour
        self.mistakes = mistakes
        self.width = width

    def paint(self, text: str, foreground: str | None = None, *, bold: bool = False, dim: bool = False) -> str:
        """The text in a colour, where there are colours."""
        return click.style(text, fg=foreground, bold=bold or None, dim=dim or None) if self.colour else text

    def whole(self, plan: Plan) -> str:
        """Every section that has something to say, with an empty line between two."""
        sections = [
            *("\n".join(self.step(step)) for step in plan.steps),
            self.section("Blocked:", (line for item in plan.blocked for line in self.blocked(item))),
            self.section("Waiting:", (line for item in plan.waiting for line in self.waiting(item.ref, item.changes))),
            self.section("Waiting for an approval:", (line for item in plan.staged for line in self.blocked(item))),
            self.section(
                "Drifted, and left as it is (driftPolicy: warn):",
                (line for ref, changes in plan.drifted for line in self.drifted(ref, changes)),
            ),
            self.section(
                "Changed on the host, and left as it is until `onggi resume` (suspended):",
                (line for ref, changes in plan.suspended for line in self.drifted(ref, changes)),
            ),
            self.section(
                "On the host, not in a document, and left alone:",
                (f"  {printable(str(ref))}: {', '.join(map(printable, names))}" for ref, names in plan.extras),
            ),
            self.section("Notes:", (f"  {printable(note)}" for note in plan.notes)),
            self.last_line(plan),
        ]
        return "\n\n".join(section for section in sections if section)

    def section(self, title: str, lines: Iterable[str]) -> str:
        """A title above its lines; nothing when there are none."""
        found = list(lines)
        return "\n".join([self.paint(title, bold=True), *found]) if found else ""

    def last_line(self, plan: Plan) -> str:
        """What it comes to."""
        if plan.empty and not plan.blocked:
            if plan.drifted or plan.suspended:
                return f"No changes are made: whatever differs from {printable(plan.revision)} is left as it is."
            if plan.waiting:
                return f"Nothing to do now. Once what waits is through, the host is as {printable(plan.revision)} says."
            if self.mistakes:
                return f"No changes: the host is as the documents of {printable(plan.revision)} without errors say."
            return f"No changes: the host is as {printable(plan.revision)} says."
        return self.paint(summary_text(plan), bold=True)

    def step(self, step: Step) -> Iterator[str]:
        """One object that is to be changed."""
        symbol = self.paint(step.action.value, _COLOURS[step.action], bold=True)
        yield f"  {symbol} {self.paint(printable(str(step.ref)), bold=True)}{self.place(step.path, step.line)}"
        yield f"      {printable(step.why)}"
        if step.action is Action.CREATE:
            yield from self.new_fields(step.changes)
        else:
            yield from self.changed_fields(step.changes)

    def new_fields(self, changes: Iterable[Change]) -> Iterator[str]:
        """What a new object is: its main fields, without their effects, for everything is new."""
        shown = [change for change in changes if change.pointer not in _NOT_SHOWN_WHEN_NEW and change.new is not None]
        names = [printable(change.pointer.lstrip("/")) for change in shown]
        column = max(map(len, names), default=0)
        for name, change in zip(names, shown, strict=True):
            content = "(set)" if is_blob(change.new) else value(change.pointer, change.new)
            yield f"      {name:<{column}}  {content}"

    def changed_fields(self, changes: Iterable[Change]) -> Iterator[str]:
        """`pointer: old → new  (effect)`, in columns; what is too long for one has its values on lines of their own."""
        rows = [(row, item) for item in changes for row in change_rows(item)]
        names = [f"{printable(row.name)}:" for row, _ in rows]
        column = max((len(name) for name in names), default=0)
        room = self.width - column - _BESIDE_VALUES
        values = max((len(row.text) for row, _ in rows if not row.lines and len(row.text) <= room), default=0)
        for name, (row, item) in zip(names, rows, strict=True):
            effect = f"({_EFFECTS[item.effect]}{f': {printable(item.note)}' if item.note else ''})"
            foreground = "red" if item.effect in (Effect.RECREATE, Effect.FORBIDDEN) else None
            painted = self.paint(effect, foreground, dim=foreground is None)
            if not row.lines and len(row.text) <= room:
                yield f"      {name:<{column}}  {row.text:<{values}}  {painted}"
                continue
            yield f"      {name:<{column}}  {painted}"
            yield from (self.differing(line) for line in row.lines or (f"-{row.old}", f"+{row.new}"))

    def differing(self, line: str) -> str:
        """A line of a diff."""
        return f"          {self.paint(line, {'-': 'red', '+': 'green'}.get(line[:1]))}"

    def blocked(self, item: Blocked) -> Iterator[str]:
        """Something that won't be done, and what to do about it."""
        yield f"  {self.paint('!', 'red', bold=True)} {printable(str(item.ref))}{self.place(item.path, item.line)}"
        yield f"      {item.reason}: {printable(item.message)}"

    def waiting(self, ref: Ref, changes: Iterable[Change]) -> Iterator[str]:
        """What is in the definition already and comes true later."""
        what = "needs a restart" if described(ref.kind).has_guest else "needs to be stopped and started"
        changes = tuple(changes)
        if all(item.effect is Effect.LIVE for item in changes):
            what = "waits for its guest"
        elif any(item.pointer == "/active" for item in changes):
            what = "is to be stopped"
        fields = ", ".join(f"{printable(row.name)}: {row.text}" for item in changes for row in change_rows(item))
        yield f"  {printable(str(ref))} {what}: {fields}"

    def drifted(self, ref: Ref, changes: Iterable[Change]) -> Iterator[str]:
        """What differs and isn't healed."""
        for item in changes:
            for row in change_rows(item):
                yield f"  {printable(str(ref))} {printable(row.name)}: {row.text}"

    def place(self, path: str, line: int) -> str:
        """Where the document is, when there is one."""
        if not path:
            return ""
        shown = abbreviated(printable(path), self.width)
        return self.paint(f"  ({shown}:{line})" if line else f"  ({shown})", dim=True)
