"""Writes the kinds' JSON Schemas and types from their declared fields, and docs/reference/, docs/grammar/,
docs/words/, docs/effects.md, docs/cli.md, docs/settings.md and docs/addresses.md from the schemas, binds, commands,
endpoints, libvirt's grammar and other tools' words: `make docs`.

Tests check that it was run.
"""

from __future__ import annotations

import runpy
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import click
import grammar_pages
import word_pages

from api.docs.table import api_table
from api.http.discovery import resource_classes
from reconciler.cli.declaring import FILE_KEYS, variable
from reconciler.cli.main import onggi
from specs.effect import Effect
from specs.effects import field_effects
from specs.explain import Explanation, explain
from specs.reference import VIRTUAL_MACHINE
from specs.registry import Kind, kinds
from specs.typed import typed_module
from specs.whole import schema_text

HERE = Path(__file__).resolve().parent


def _beside_the_tests(path: str) -> dict[str, Any]:
    """What a file of the tests defines. Their package isn't imported: it makes its own what an agent would have."""
    return runpy.run_path(str(HERE.parent / "tests" / path))


EFFECTS = {Effect.LIVE: "live", Effect.NEXT_BOOT: "next boot", Effect.RECREATE: "recreate", Effect.FORBIDDEN: "never"}

EFFECTS_INTRODUCTION = """\
# What a change costs

Every change is written into the definition on the host and, where libvirt can, into what runs, in one step. A machine
is never undefined and made anew to be changed: its UUID, MAC addresses, PCI addresses, NVRAM, TPM, snapshots and
whatever XML onggi doesn't know stay.

- **live**: at once, also in a running machine.
- **next boot**, and **next start** of a pool or network: it waits until the machine has been off, and `onggi plan` and
  `onggi status` name it, old → new. A reboot from inside the guest isn't enough. What waits holds up nothing else, and
  is gone from the list when the edit is taken back.
- **recreate**: only as a new object.
- **refused**: the object stays as it is, and the plan says so.

A disk leaves its machine only once that is approved: see [deleting.md](deleting.md).

What libvirt or QEMU refuses in a running machine although it is live as a rule, such as one more device when no slot
is free, waits for the next boot too, with the reason beside it. Memory is the guest's to give back: it is told, and
until it has followed the plan names that.

A machine's table names the tests in which QEMU's monitor, or the guest, saw the change in a running machine, without a
reboot.
"""

SETTINGS_INTRODUCTION = """\
# Settings

Every option that isn't about one call of a verb has three names: a flag, a variable and a key of the settings file. A
flag wins over a variable, a variable over the file, the file over the default. [install.md](install.md#settings) tells
where the file lies and how several values are written; `onggi version -v` shows which of them are said, and where.

"""


def pages() -> dict[Path, str]:
    """Every generated page by its path."""
    found = {HERE / "reference" / f"{kind.name.lower()}.md": reference(kind) for kind in kinds().values()}
    links = "\n".join(f"- [{kind.name}]({kind.name.lower()}.md)" for kind in kinds().values())
    found[HERE / "reference" / "README.md"] = f"# Reference\n\n{links}\n"
    found[HERE / "cli.md"] = command_line()
    found[HERE / "settings.md"] = settings()
    found[HERE / "effects.md"] = effects()
    found[HERE / "addresses.md"] = api_table(resource_classes())
    return found | grammar_pages.pages(HERE / "grammar") | word_pages.pages(HERE / "words")


def sources() -> dict[Path, str]:
    """What is made of each kind's declared fields, by its path. The pages are made from what these files say."""
    schemas = {kind.folder / "schema.json": schema_text(kind) for kind in kinds().values()}
    return schemas | {kind.folder / "spec.py": typed_module(kind) for kind in kinds().values()}


def reference(kind: Kind) -> str:
    """One kind: what it is, every field, a commented example."""
    rows = [
        "| field | type | default | change | meaning |",
        "|---|---|---|---|---|",
        *(_row(field, kind) for field in _below(explain(kind.name, "spec"))),
    ]
    about = explain(kind.name).description
    names = ", ".join(f"`{name}`" for name in (kind.plural, *kind.aliases))
    return (
        f"# {kind.name}\n\n{about}\n\nOn the command line also {names}.\n\n"
        + "\n".join(rows)
        + f"\n\nA field in bold has to be there.\n\n## Example\n\n```yaml\n{kind.example.rstrip()}\n```\n"
    )


def _below(field: Explanation) -> Iterator[Explanation]:
    for child in field.children:
        whole = explain(child.path)
        yield child
        yield from _below(whole)


def _row(field: Explanation, kind: Kind) -> str:
    name = field.path.removeprefix(f"{kind.name}.spec.")
    shown = f"**`{name}`**" if field.required else f"`{name}`"
    kind_of_value = ", ".join(f"`{choice}`" for choice in field.choices) or field.type
    default = (
        ""
        if field.default is None
        else f"`{str(field.default).lower() if isinstance(field.default, bool) else field.default}`"
    )
    effect = EFFECTS[field.effect] if field.effect is not None else ""
    text = " ".join(field.description.split()).replace("|", "\\|")
    return f"| {shown} | {kind_of_value} | {default} | {effect} | {text} |"


def effects() -> str:
    """What changing each field costs, for each kind."""
    parts = [EFFECTS_INTRODUCTION]
    for kind in kinds().values():
        rows = [f"| `{told.field}` | {told.when} |" for told in field_effects(kind)]
        head = ["| field | a change comes true |", "|---|---|"]
        if kind.name == VIRTUAL_MACHINE:
            head = ["| field | a change comes true | shown live by |", "|---|---|---|"]
            rows = [f"{row} {shown} |" for row, shown in zip(rows, _shown_by(kind), strict=True)]
        if rows:
            parts.append("\n".join([f"## {kind.name}\n", *head, *rows]) + "\n")
    return "\n".join(parts)


def _shown_by(kind: Kind) -> Iterator[str]:
    """The files of tests that show each field in a running machine."""
    live_fields = _beside_the_tests("lab/live_fields.py")
    shown, is_shown = live_fields["shown_live"](), live_fields["is_shown"]
    for told in field_effects(kind):
        name = told.field.replace(".", "/")
        tests = [shown[field] for field in shown if is_shown(kind.declarations.SPEC, name, {field})]
        files = dict.fromkeys(test.partition("::")[0] for each in tests for test in each)
        yield ", ".join(f"`{file}`" for file in files)


def settings() -> str:
    """Every setting of any verb, and what holds when nobody says anything."""
    context = click.Context(onggi, info_name="onggi")
    verbs = [command for name in onggi.list_commands(context) if (command := onggi.get_command(context, name))]
    options = {name: option for verb in verbs for option in verb.params for name in option.opts}
    rows = ["| flag | variable | key in the file | meaning | default |", "|---|---|---|---|---|"]
    for key in sorted(FILE_KEYS):
        flag = f"--{key}" if f"--{key}" in options else key
        option = options[flag]
        told, _, default = str(getattr(option, "help", "")).rstrip("]").partition("[default: ")
        if isinstance(option, click.Option):
            default = option.get_help_extra(context).get("default", default)
        text = " ".join(told.split()).replace("|", "\\|")
        rows.append(f"| {f'`{flag}`' if flag != key else 'REPO'} | `{variable(key)}` | `{key}` | {text} | {default} |")
    return SETTINGS_INTRODUCTION + "\n".join(rows) + "\n"


def command_line() -> str:
    """Every verb with its help as `--help` prints it."""
    context = click.Context(onggi, info_name="onggi", terminal_width=100)
    parts = ["# The command line\n", f"```\n{onggi.get_help(context)}\n```\n"]
    for name in onggi.list_commands(context):
        command = onggi.get_command(context, name)
        if command is None:
            raise LookupError(name)
        below = click.Context(command, info_name=name, parent=context, terminal_width=100)
        parts.append(f"## onggi {name}\n\n```\n{command.get_help(below)}\n```\n")
    return "\n".join(parts)


def main() -> None:
    """Write what changed; with --check only tell, and exit 1 when anything did."""
    if "--check" in sys.argv:
        outdated = [path for path, text in (sources() | pages()).items() if _is_outdated(path, text)]
        sys.exit(f"run `make docs`: {', '.join(map(_shown, outdated))} would change" if outdated else 0)
    for made in (sources, pages):
        for path, text in made().items():
            if _is_outdated(path, text):
                path.parent.mkdir(exist_ok=True)
                path.write_text(text)


def _is_outdated(path: Path, text: str) -> bool:
    return not path.exists() or path.read_text() != text


def _shown(path: Path) -> str:
    return str(path.relative_to(HERE.parent))


if __name__ == "__main__":
    main()
