"""A verb's result on stdout: text for people, JSON or YAML for scripts. Notes for people go to stderr.

What the text looks like is written in `reconciler/reporting`; here is only where it goes and whether it has colours.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import click

_WIDTH_WITHOUT_TERMINAL = 120


@dataclass(frozen=True, slots=True)
class Output:
    """`format` is text, json or yaml; `colour` holds for text on stdout. `verbose`: more is wanted, `quiet`: less."""

    format: str = "text"
    colour: bool = False
    quiet: bool = False
    verbose: bool = False

    @property
    def width(self) -> int:
        """Columns of the terminal."""
        import shutil

        return shutil.get_terminal_size((_WIDTH_WITHOUT_TERMINAL, 24)).columns

    def show(self, data: Callable[[], Any], text: Callable[[], str]) -> None:
        """Print the result in the chosen format; only that one is made."""
        if self.format == "json":
            import json

            click.echo(json.dumps(data(), indent=2, ensure_ascii=False, default=str))
        elif self.format == "yaml":
            import yaml

            dumper = getattr(yaml, "CSafeDumper", yaml.SafeDumper)
            plain = _plain(data())
            click.echo(yaml.dump(plain, Dumper=dumper, sort_keys=False, allow_unicode=True, width=120), nl=False)
        elif shown := text():
            click.echo(shown, color=self.colour)

    def note(self, sentence: str) -> None:
        """Tell a person something beside the result."""
        if not self.quiet:
            click.echo(sentence, err=True)


def wants_colour(no_colour: bool) -> bool:
    """Colours only on a terminal that can show them, and only for who didn't say no (no-color.org)."""
    if no_colour or os.environ.get("NO_COLOR") or os.environ.get("TERM") == "dumb":
        return False
    return sys.stdout.isatty()


def _plain(value: Any) -> Any:
    """Only what YAML knows: enums and paths become texts, tuples lists."""
    if isinstance(value, dict):
        return {str(key): _plain(item) for key, item in value.items()}
    if isinstance(value, list | tuple | set | frozenset):
        return [_plain(item) for item in value]
    if value is None or type(value) in (str, int, float, bool):
        return value
    return str(value)
