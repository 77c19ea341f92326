"""Whatever sentence tells people to run a command, the command exists and takes those words."""

from __future__ import annotations

import ast
import re
import shlex
from collections.abc import Iterator
from pathlib import Path

import click
import pytest

from reconciler.cli.main import onggi
from reconciler.cli.objects import KindName
from reconciler.status.status import resume_command
from reconciler.status.suspension import ALL
from specs.reference import Ref
from specs.registry import find_kind
from tests.planning.values import resource, vm

ROOT = Path(__file__).parent.parent
FILLED_IN = "\N{BULLET}"  # what an f-string fills in
# A command in a sentence stands in backquotes, behind a colon at its end, or is what shows or tells something.
_TOLD = (
    re.compile(r"`onggi ((?:[^`\\]|\n)+)`"),
    re.compile(r": onggi ([^.;`\n]+)"),
    re.compile(r"\bonggi (\w+) (?:shows|tells)\b"),
)
_BLOCK = re.compile(r"^```\w*\n(.*?)^```", re.MULTILINE | re.DOTALL)
_LINE = re.compile(r"^ *(?:\$ )?(?:sudo )?onggi ((?:[^\s#>|]|(?<! ) (?! ))+)", re.MULTILINE)  # up to a column
_INDENTED = re.compile(r"^ {4}.*$", re.MULTILINE)


def strings(file: Path) -> Iterator[str]:
    """Every text of a module, joined ones whole; what is filled in is a bullet."""
    tree = ast.parse(file.read_text())
    joined = [node for node in ast.walk(tree) if isinstance(node, ast.JoinedStr)]
    inside = {id(part) for node in joined for part in ast.walk(node)}
    for node in joined:
        yield "".join(str(part.value) if isinstance(part, ast.Constant) else FILLED_IN for part in node.values)
    for each in ast.walk(tree):
        if isinstance(each, ast.Constant) and isinstance(each.value, str) and id(each) not in inside:
            yield each.value


def told() -> Iterator[tuple[str, str]]:
    """File and command, of everything that people may read."""
    code = (file for folder in ("reconciler", "api", "specs") for file in sorted((ROOT / folder).rglob("*.py")))
    for file in code:
        for text in strings(file):
            for words in (found for pattern in _TOLD for found in pattern.findall(text)):
                yield str(file.relative_to(ROOT)), words
    for file in (ROOT / "README.md", *sorted((ROOT / "docs").glob("*.md"))):
        text = file.read_text()
        shown = "\n".join((*_BLOCK.findall(text), *_INDENTED.findall(text)))
        for words in (*_TOLD[0].findall(_BLOCK.sub("", text)), *_LINE.findall(shown)):
            yield str(file.relative_to(ROOT)), words


def mistake(command: str) -> str:
    """Why `onggi COMMAND` can't be run, going by its verb, its options, and what it takes beside them."""
    given = shlex.split(re.sub(r"…|\[|\]", "", command.partition("|")[0]))
    verb_name = given[0].rstrip(FILLED_IN) if given else ""
    if not verb_name or verb_name.startswith("-"):
        return ""
    verb = onggi.get_command(click.Context(onggi), verb_name)
    if verb is None:
        return f"there is no verb {verb_name!r}"
    options = {name: item for item in verb.params if isinstance(item, click.Option) for name in item.opts}
    arguments = [item for item in verb.params if isinstance(item, click.Argument) and item.nargs == 1]
    endless = any(isinstance(item, click.Argument) and item.nargs < 0 for item in verb.params)
    words = iter(given[1:])
    for word in words:
        name = word.partition("=")[0]
        if not word.startswith("-"):
            if not arguments and not endless:
                return f"{verb_name} doesn't take {word!r} too"
            taken = arguments.pop(0) if arguments else None
            is_name = not word.isupper() and FILLED_IN not in word
            if taken is not None and isinstance(taken.type, KindName) and is_name and find_kind(word) is None:
                return f"there is no kind {word!r}"
        elif name not in {*options, "-h", "--help"}:
            return f"{verb_name} has no option {name}"
        elif name in options and not options[name].is_flag and "=" not in word:
            next(words, None)
    return ""


def test_every_command_that_is_told_can_be_run() -> None:
    found = {(file, " ".join(words.split())) for file, words in told()}
    assert {"reconciler/planning/guards.py", "reconciler/reporting/status_text.py", "README.md", "docs/git.md"} <= {
        file for file, _ in found
    }
    assert [(file, words, wrong) for file, words in sorted(found) if (wrong := mistake(words))] == []


@pytest.mark.parametrize(
    "words", ["nonsense", "resume VirtualMachine/web", "resume vm web more", "plan . --no-such", "status --frob=1"]
)
def test_a_command_that_is_none_is_noticed(words: str) -> None:
    assert mistake(words) != ""


DISK = Ref.volume("default", "web-root.qcow2")


@pytest.mark.parametrize(
    ("suspended", "words"),
    [
        (frozenset({vm("web")}), "onggi resume VirtualMachine web"),
        (frozenset({vm("web"), DISK}), "onggi resume StorageVolume default/web-root.qcow2"),
        (ALL, "onggi resume"),
    ],
    ids=["its machine's", "its own", "that of everything"],
)
def test_the_end_of_a_suspension_is_told_as_a_command_that_ends_it(suspended: frozenset[Ref], words: str) -> None:
    disk = resource(DISK)
    object.__setattr__(disk, "parent", vm("web"))
    command = resume_command(DISK, disk, suspended)
    assert command == words
    assert mistake(command.removeprefix("onggi ")) == ""
