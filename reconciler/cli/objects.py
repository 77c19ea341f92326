"""How an object is named on the command line: `vm web`.

Both words complete in a shell: kinds from specs, names from the state folder.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import click
from click.shell_completion import CompletionItem

from reconciler.errors import NotFound, OnggiError
from specs.reference import Ref
from specs.registry import Kind, find_kind, kinds


class KindName(click.ParamType[Kind]):
    """A kind by name, plural or alias."""

    name = "kind"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Kind:  # noqa: ARG002
        """The kind; a name that is none fails with those that there are."""
        return value if isinstance(value, Kind) else known_kind(str(value))

    def shell_complete(self, ctx: click.Context, param: click.Parameter, incomplete: str) -> list[CompletionItem]:  # noqa: ARG002
        """Names and aliases that begin with what was typed."""
        words = (word for kind in kinds().values() for word in (kind.name, kind.plural, *kind.aliases))
        return [CompletionItem(word) for word in words if word.lower().startswith(incomplete.lower())]


def known_kind(word: str) -> Kind:
    """A kind by name, plural or alias. Raises NotFound, naming those that there are."""
    kind = find_kind(word)
    if kind is None:
        known = ", ".join("/".join((item.name, *item.aliases)) for item in kinds().values())
        raise NotFound(f"There is no kind {word!r}; it is one of {known}.")
    return kind


def object_named(word: str) -> Ref | None:
    """The object that a word such as vm/web names; None for any other word."""
    kind, slash, name = word.partition("/")
    found = find_kind(kind) if slash and name else None
    return Ref(found.name, name) if found is not None else None


def complete_name(ctx: click.Context, _param: click.Parameter, incomplete: str) -> list[CompletionItem]:
    """The names of the objects of the kind that was typed, as the state folder knows them."""
    from reconciler.ledger.ledger import Ledger
    from reconciler.settings.settings import default_state

    kind = ctx.params.get("kind")
    try:
        statuses = Ledger.open(ctx.params.get("state") or default_state(), readonly=True).status.all()
    except OnggiError:
        return []  # a shell that completes has nobody to tell
    names = (item.ref.name for item in statuses if isinstance(kind, Kind) and item.ref.kind == kind.name)
    return [CompletionItem(name) for name in names if name.startswith(incomplete)]


def complete_object(ctx: click.Context, _param: click.Parameter, incomplete: str) -> list[CompletionItem]:
    """Objects as KIND/NAME, as the state folder knows them, under the word for the kind that was typed."""
    from reconciler.ledger.ledger import Ledger
    from reconciler.settings.settings import default_state

    word, slash, _ = incomplete.partition("/")
    if not slash:
        return [
            CompletionItem(f"{kind.name}/") for kind in kinds().values() if kind.name.lower().startswith(word.lower())
        ]
    kind = find_kind(word)
    try:
        statuses = Ledger.open(ctx.params.get("state") or default_state(), readonly=True).status.all()
    except OnggiError:
        return []
    names = (f"{word}/{item.ref.name}" for item in statuses if kind is not None and item.ref.kind == kind.name)
    return [CompletionItem(name) for name in names if name.startswith(incomplete)]


def kind_argument(*, required: bool) -> Callable[[Callable[..., Any]], Callable[..., Any]]:
    """The argument KIND as `kind`."""
    metavar = "KIND" if required else "[KIND]"
    return click.argument("kind", type=KindName(), required=required, metavar=metavar, help="A kind, such as vm.")


name_argument = click.argument(
    "name",
    required=False,
    metavar="[NAME]",
    shell_complete=complete_name,
    help="An object's name; a volume's is pool/volume.",
)


def ref_of(kind: Kind | None, name: str | None) -> Ref | None:
    """The object that both words name; None when neither was given. Raises a usage error for a kind alone."""
    if kind is None:
        return None
    if not name:
        raise click.UsageError("name the object too, as in: vm web")
    return Ref(kind.name, name)
