"""The documentation is true: generated pages are up to date, documents in it validate, commands in it exist."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import click
import pytest

from reconciler.cli.main import onggi
from specs.document import parse
from specs.validate import validate

ROOT = Path(__file__).parents[1]
PAGES = sorted([*ROOT.glob("*.md"), *ROOT.glob("docs/**/*.md")])


def blocks(page: Path, language: str) -> list[str]:
    return re.findall(rf"^```{language}\n(.*?)^```$", page.read_text(), re.MULTILINE | re.DOTALL)


def test_the_generated_pages_are_up_to_date() -> None:
    done = subprocess.run([sys.executable, ROOT / "docs/generate.py", "--check"], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr


@pytest.mark.parametrize("page", PAGES, ids=lambda path: str(path.relative_to(ROOT)))
def test_every_document_in_the_docs_validates(page: Path) -> None:
    for block in blocks(page, "yaml"):
        parsed = parse(page.name, block.encode())
        problems = [*parsed.problems, *(problem for document in parsed.documents for problem in validate(document))]
        assert problems == []


@pytest.mark.parametrize("page", PAGES, ids=lambda path: str(path.relative_to(ROOT)))
def test_every_command_and_option_in_the_docs_exists(page: Path) -> None:
    context = click.Context(onggi, info_name="onggi")
    for words in re.findall(
        r"^(?: {4}|ExecStart=\S*/)(?:\$ )?onggi (.+?)(?: {2,}#.*)?$", page.read_text(), re.MULTILINE
    ):
        verb, *rest = words.split()
        command = onggi.get_command(context, verb)
        assert command is not None, f"{page.name} names `onggi {verb}`"
        options = {name for parameter in command.params for name in (*parameter.opts, *parameter.secondary_opts)}
        for word in rest:
            assert not word.startswith("--") or word.partition("=")[0] in options, f"{page.name}: {words}"


@pytest.mark.parametrize("page", PAGES, ids=lambda path: str(path.relative_to(ROOT)))
def test_every_link_leads_somewhere(page: Path) -> None:
    for target in re.findall(r"\]\(([^)#:]+)\)", page.read_text()):
        assert (page.parent / target).exists(), f"{page.name} links to {target}"
