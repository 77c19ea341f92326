"""Options under headings in a verb's help, for a verb that has too many to be read as one list."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final

import click

from reconciler.cli.declaring import Decorator

_UNDER: Final = "__onggi_headings__"  # of a function that becomes a verb: parameter → heading


def under(heading: str, *options: Decorator) -> Decorator:
    """These options as one, which the help shows below this heading."""

    def decorate(function: Callable[..., Any]) -> Callable[..., Any]:
        before = len(_declared(function))
        for option in reversed(options):
            function = option(function)
        for parameter in _declared(function)[before:]:
            vars(function).setdefault(_UNDER, {})[parameter.name] = heading
        return function

    return decorate


def _declared(function: Callable[..., Any]) -> list[click.Parameter]:
    parameters: list[click.Parameter] = getattr(function, "__click_params__", [])
    return parameters


class HeadedCommand(click.Command):
    """A verb whose help shows each option below its heading, and those of none below "Options"."""

    def format_options(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """As click's, several times."""
        headings: dict[str, str] = getattr(self.callback, _UNDER, {})
        sections: dict[str, list[tuple[str, str]]] = {}
        for parameter in self.get_params(ctx):
            record = parameter.get_help_record(ctx)
            if record is not None and not isinstance(parameter, click.Argument):
                sections.setdefault(headings.get(parameter.name or "", "Options"), []).append(record)
        for heading, records in sections.items():
            with formatter.section(heading):
                formatter.write_dl(records)
