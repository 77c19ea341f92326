"""`onggi adopt`."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import click

from reconciler.cli.here import repository_otherwise
from reconciler.cli.objects import complete_object, known_kind, object_named
from reconciler.cli.options import HOST, RESULT, SOURCE, state, verb
from reconciler.cli.output import Output
from reconciler.cli.progress import told_when_slow
from reconciler.settings.settings import Settings
from specs.plain import NewJson
from specs.reference import Ref

if TYPE_CHECKING:
    from reconciler.line.adopting import Candidate
    from reconciler.planning.plan import Plan
    from reconciler.status.outcome import StepOutcome
    from specs.effect import Change


def _refs(_ctx: click.Context, _param: click.Parameter, words: tuple[str, ...]) -> tuple[Ref, ...]:
    found = []
    for word in words:
        kind, slash, name = word.partition("/")
        if not slash or not name:
            raise click.BadParameter(f"{word!r} isn't KIND/NAME; write for example vm/web, or volume/default/web.qcow2")
        found.append(Ref(known_kind(kind).name, name))
    return tuple(found)


@verb(
    "adopt",
    *SOURCE,
    click.argument(
        "wanted",
        nargs=-1,
        metavar="[KIND/NAME]...",
        callback=_refs,
        shell_complete=complete_object,
        help="What to adopt, such as vm/web.  [default: everything declared that is on the host]",
    ),
    *HOST,
    state,
    click.option("--enforce", is_flag=True, help="End the observation: documents are applied from now on."),
    *RESULT,
    logs_at="WARNING",
)
def command(settings: Settings, out: Output, wanted: tuple[Ref, ...], enforce: bool) -> int:
    """Take ownership of what documents describe and others made.

    Without --enforce it is only observed: how it differs from its document is told here and by `onggi plan`, but
    nothing is changed, and nothing removed when a document goes. With --enforce the observation ends, machines get
    onggi's mark, and the plan that will be applied is shown. What belongs to another repository is never taken unless
    its document says onggi/adopt. Stop a running agent first. Exits with 1 when something couldn't be adopted.
    """
    from reconciler.line import adopting
    from reconciler.line.line import Line

    if not Path(settings.repository).exists() and (first := object_named(settings.repository)) is not None:
        wanted = (first, *wanted)  # REPO was left away
        settings = replace(settings, repository=repository_otherwise(click.get_current_context()))
    with (
        Line.open(settings, exclusive=True) as line,
        told_when_slow(f"reading {settings.repository} and {settings.connect} …", quiet=out.quiet),
    ):
        desired, snapshot = line.desired(), line.observe()
        found = adopting.candidates(line, desired, snapshot, wanted)
        outcomes: tuple[StepOutcome, ...] = ()
        if enforce:
            outcomes = adopting.enforce(line, desired, snapshot, found)
        else:
            adopting.observe(line, found)
        plan = line.compare(desired, line.observe()).plan
    failed = {outcome.step.ref: outcome.message for outcome in outcomes if outcome.message}
    out.show(
        lambda: _json(found, plan, failed, enforce=enforce), lambda: _text(found, plan, failed, out, enforce=enforce)
    )
    _tell(found, wanted, failed, out)
    refused = any(each.message for each in found)
    return 1 if refused or failed or desired.problems or len(_missing(found, wanted)) else 0


def _missing(found: Iterable[Candidate], wanted: tuple[Ref, ...]) -> list[Ref]:
    return sorted(set(wanted) - {each.ref for each in found})


def _tell(found: list[Candidate], wanted: tuple[Ref, ...], failed: Mapping[Ref, str], out: Output) -> None:
    """What isn't adopted, on stderr; everything else is adopted nevertheless."""
    from reconciler.status.value_text import printable

    sentences = [each.message for each in found if each.message]
    sentences += [f"{ref} stays observed: {message}" for ref, message in failed.items()]
    sentences += [f"{ref} isn't both declared and on the host; check the name" for ref in _missing(found, wanted)]
    for sentence in sentences:
        click.echo(f"onggi: {printable(sentence)}", err=True)
    if not found and not wanted:
        out.note("Nothing that is declared is on the host yet; there is nothing to adopt.")


def _differences(plan: Plan) -> dict[Ref, tuple[Change, ...]]:
    return dict(plan.drifted)


def _word(each: Candidate, failed: Mapping[Ref, str], *, enforce: bool) -> str:
    """What happened to one object, in a word for scripts and people."""
    if each.message:
        return "refused"
    if each.standing == "ours":
        return "ours"
    return "enforced" if enforce and each.ref not in failed else "observed"


def _text(found: list[Candidate], plan: Plan, failed: Mapping[Ref, str], out: Output, *, enforce: bool) -> str:
    from reconciler.reporting.change_text import change_rows
    from reconciler.reporting.plan_text import plan_text
    from reconciler.status.value_text import printable

    differing = _differences(plan)
    lines = []
    for each in found:
        word = _word(each, failed, enforce=enforce)
        changes = differing.get(each.ref, ())
        how = ""
        if word == "observed":
            how = f", differs in {len(changes)}" if changes else ", as declared"
        lines.append(f"{printable(str(each.ref))}: {word}{how}")
        for change in changes:
            lines += [f"    {printable(row.name)}: {row.text}" for row in change_rows(change)]
    if enforce:
        lines += ["", plan_text(plan, colour=out.colour, width=out.width)]
    return "\n".join(lines)


def _json(found: list[Candidate], plan: Plan, failed: Mapping[Ref, str], *, enforce: bool) -> NewJson:
    differing = _differences(plan)
    return {
        "objects": [
            {
                "kind": each.ref.kind,
                "name": each.ref.name,
                "state": _word(each, failed, enforce=enforce),
                "message": each.message or failed.get(each.ref, ""),
                "differences": [
                    {"field": change.pointer, "old": change.old, "new": change.new}
                    for change in differing.get(each.ref, ())
                ],
            }
            for each in found
        ],
        "plan": plan.to_json(),
    }
