"""`onggi explain`."""

from __future__ import annotations

from dataclasses import replace

import click
from click.shell_completion import CompletionItem

from reconciler.cli.objects import KindName
from reconciler.cli.options import RESULT, disabled_plugins, verb
from reconciler.cli.output import Output
from reconciler.errors import NotFound
from reconciler.settings.settings import Settings
from specs.registry import kinds


def _complete(ctx: click.Context, param: click.Parameter, incomplete: str) -> list[CompletionItem]:
    """Kinds, and after a dot the fields of what stands before it."""
    from specs.explain import UnknownFieldError, explain

    before, dot, begun = incomplete.rpartition(".")
    if not dot:
        return KindName().shell_complete(ctx, param, incomplete)
    try:
        found = explain(before if "." in before else f"{before}.spec")
    except UnknownFieldError:
        return []
    return [CompletionItem(f"{before}.{child.name}") for child in found.children if child.name.startswith(begun)]


@verb(
    "explain",
    click.argument(
        "field",
        required=False,
        default="",
        metavar="[KIND[.FIELD]]",
        shell_complete=_complete,
        help="A kind or a field of it: vm, vm.disks.size; without one the kinds are listed.",
    ),
    disabled_plugins,
    *RESULT,
)
def command(field: str, out: Output, settings: Settings) -> None:  # noqa: ARG001  # verb() has looked for plugins by it
    """Tell what may stand in a document.

    A kind's fields, or one field with all that is below it; `onggi explain vm.disks.size` and `onggi explain
    vm.spec.disks.size` are the same.
    """
    from reconciler.reporting.schema_text import explanation_json, explanation_text, kinds_text
    from specs.explain import UnknownFieldError, explain

    if not field:
        found_kinds = [explain(name) for name in sorted(kinds())]
        out.show(
            lambda: [
                {"kind": each.path, "aliases": list(kinds()[each.path].aliases), "description": each.description}
                for each in found_kinds
            ],
            lambda: kinds_text([(each, kinds()[each.path].aliases) for each in found_kinds]),
        )
        return
    try:
        found = explain(field)
        if "." not in found.path:  # of a kind its spec is what people look for
            spec = explain(field, "spec")
            found = replace(found, children=tuple(spec if child.name == "spec" else child for child in found.children))
    except UnknownFieldError as error:
        raise NotFound(str(error)) from None
    out.show(lambda: explanation_json(found), lambda: explanation_text(found, width=out.width))
