"""A plan as Markdown, for a comment below a pull request: what destroys something first, what is harmless last.

Whatever comes from documents or the host stands in fenced code, behind a fence that is longer than any that it holds:
there no forge takes it for Markdown, HTML, a mention or a command. Outside are only our own words and numbers.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Final

from reconciler.planning.plan import Action, Blocked, Plan, Step
from reconciler.reporting.change_text import change_rows
from reconciler.status.value_text import abbreviated, printable
from specs.effect import Change, Effect
from specs.problem import Problem
from specs.reference import Ref
from specs.registry import described

LONGEST: Final = 60_000
_LONGEST_LINE: Final = 300
_EFFECTS = {
    Effect.LIVE: "live",
    Effect.NEXT_BOOT: "at the next boot",
    Effect.RECREATE: "makes it anew",
    Effect.FORBIDDEN: "refused",
}
_CUT: Final = "\n_The rest is left out here; `onggi plan` shows all of it._\n"


@dataclass(frozen=True, slots=True)
class _Section:
    title: str
    lines: Sequence[str]
    folded: bool = False


def plan_markdown(plan: Plan, problems: Iterable[Problem] = (), *, longest: int = LONGEST) -> str:
    """The whole plan in at most `longest` bytes of UTF-8 (at least 1,000): what is cut is said to be cut.

    Pure: the same plan gives the same text.
    """
    wrong = sorted(problems, key=lambda each: (each.path, each.line, each.column, each.message))
    parts = [f"**{headline(plan, len(wrong))}**\n", _counts(plan, len(wrong))]
    room = longest - sum(_size(part) + 1 for part in parts) - _size(_CUT)  # each part is followed by a line end
    for section in _sections(plan, wrong):
        shown, whole = _fitted(section, room)
        if shown:
            parts.append(shown)
            room -= _size(shown) + 1
        if not whole:
            parts.append(_CUT)
            break
    return "\n".join(parts)


def headline(plan: Plan, problems: int = 0) -> str:
    """What it comes to in one line, dangers first: `1 to delete, 2 live, 1 waits for a restart`."""
    deletes, replaces = plan.count(Action.DELETE), plan.count(Action.REPLACE)
    creates, updates = plan.count(Action.CREATE), plan.count(Action.UPDATE)
    live = sum(step.action is Action.UPDATE and step.effect is Effect.LIVE for step in plan.steps)
    coming, waits = len(_coming(plan)), _waits(plan)
    told = [
        (problems, f"{problems} {'document' if problems == 1 else 'documents'} with errors"),
        (len(plan.blocked), f"{len(plan.blocked)} blocked"),
        (1, f"{deletes} to delete"),
        (replaces, f"{replaces} to replace"),
        (creates, f"{creates} to create"),
        (live, f"{live} live"),
        (updates - live - coming, f"{updates - live - coming} to change"),
        (waits, f"{waits} {'waits' if waits == 1 else 'wait'} for a restart"),
    ]
    if plan.empty and not plan.blocked and not problems and not waits:
        return "No changes"
    return ", ".join(text for number, text in told if number)


def _waits(plan: Plan) -> int:
    """Objects of which something waits for a restart, already or once the plan is done."""
    return len(_coming(plan) | {item.ref for item in plan.waiting})


def _coming(plan: Plan) -> set[Ref]:
    return {step.ref for step in plan.steps if step.action is Action.UPDATE and step.effect is Effect.NEXT_BOOT}


def _counts(plan: Plan, problems: int) -> str:
    columns = {
        "delete": plan.count(Action.DELETE),
        "replace": plan.count(Action.REPLACE),
        "change": plan.count(Action.UPDATE),
        "create": plan.count(Action.CREATE),
        "blocked": len(plan.blocked),
        "waiting for a restart": _waits(plan),
        "documents with errors": problems,
    }
    return f"| {' | '.join(columns)} |\n|{'---:|' * len(columns)}\n| {' | '.join(map(str, columns.values()))} |\n"


def _sections(plan: Plan, problems: Sequence[Problem]) -> Iterator[_Section]:
    dangerous = [step for step in plan.steps if _destroys(step)]
    changed = [step for step in plan.steps if not _destroys(step) and step.action is not Action.CREATE]
    created = [step for step in plan.steps if step.action is Action.CREATE]
    for section in (
        _Section("Deletes or replaces", [line for step in sorted(dangerous, key=_risk) for line in _step(step)]),
        _Section(
            "Documents with errors, whose objects stay as they are", [f"! {_line(str(item))}" for item in problems]
        ),
        _Section("Blocked", [_held_back(item) for item in plan.blocked]),
        _Section("Waits for an approval", [_held_back(item) for item in plan.staged]),
        _Section("Changes", [line for step in changed for line in _step(step)]),
        _Section("Waits for a restart", [line for item in plan.waiting for line in _waiting(item.ref, item.changes)]),
        _Section("Creates", [line for step in created for line in _step(step)], folded=True),
        _Section(
            "Drifted, and left as it is",
            [f"  {_line(str(ref))}{line}" for ref, changes in plan.drifted for line in _changes(changes)],
            folded=True,
        ),
        _Section(
            "Changed on the host while suspended, and left as it is",
            [f"  {_line(str(ref))}{line}" for ref, changes in plan.suspended for line in _changes(changes)],
            folded=True,
        ),
        _Section("Notes", [f"  {_line(note)}" for note in plan.notes]),
    ):
        if section.lines:
            yield section


def _held_back(item: Blocked) -> str:
    return f"! {_line(f'{item.ref}{_place(item.path, item.line)}: {item.reason}: {item.message}')}"


def _destroys(step: Step) -> bool:
    return step.action in (Action.DELETE, Action.REPLACE) or step.effect is Effect.RECREATE


def _risk(step: Step) -> tuple[bool, str]:
    return step.action is not Action.DELETE, str(step.ref)


def _step(step: Step) -> Iterator[str]:
    yield f"{step.action.value} {_line(f'{step.ref}{_place(step.path, step.line)}: {step.why}')}"
    if step.action is not Action.CREATE:
        yield from _changes(step.changes)


def _waiting(ref: Ref, changes: Iterable[Change]) -> Iterator[str]:
    what = "a restart" if described(ref.kind).has_guest else "a stop and a start"
    changes = tuple(changes)
    if all(change.effect is Effect.LIVE for change in changes):
        what = "its guest"
    yield f"~ {_line(f'{ref} waits for {what}')}"
    yield from _changes(changes)


def _changes(changes: Iterable[Change]) -> Iterator[str]:
    """A line for each value, and one for each changed line of a long text."""
    for change in changes:
        effect = f"({_EFFECTS[change.effect]}{f': {change.note}' if change.note else ''})"
        for row in change_rows(change):
            if row.lines:
                yield f"    {_line(f'{row.name}: {effect}')}"
                yield from (f"        {_line(line)}" for line in row.lines)
            else:
                yield f"    {_line(f'{row.name}: {row.text} {effect}')}"


def _place(path: str, line: int) -> str:
    return f" ({path}:{line})" if path and line else f" ({path})" if path else ""


def _line(text: str) -> str:
    """One line, whatever the text holds."""
    # A lone surrogate, as a file's name may hold, couldn't be sent.
    clean = text.encode("utf-8", "backslashreplace").decode()
    return abbreviated(printable(clean), _LONGEST_LINE)


def _fitted(section: _Section, room: int) -> tuple[str, bool]:
    """The section with as many lines as fit into `room` bytes, and whether that is all of them."""
    fence = _fence(section.lines)
    head = f"<details><summary>{section.title}</summary>\n" if section.folded else f"#### {section.title}\n"
    before, after = f"{head}\n{fence}diff\n", f"{fence}\n" + ("\n</details>\n" if section.folded else "")
    left = room - _size(before) - _size(after) - 1
    kept: list[str] = []
    for line in section.lines:
        left -= _size(line) + 1
        if left < 0:
            break
        kept.append(line)
    if not kept:
        return "", False
    return before + "\n".join(kept) + "\n" + after, len(kept) == len(section.lines)


def _fence(lines: Iterable[str]) -> str:
    longest = max((len(run) for line in lines for run in re.findall("`+", line)), default=0)
    return "`" * max(3, longest + 1)


def _size(text: str) -> int:
    return len(text.encode())
