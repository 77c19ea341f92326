"""How verbs about one machine name it, and how they get at it: `web`, or `vm/web`."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import click
from click.shell_completion import CompletionItem

from reconciler.cli.objects import object_named
from reconciler.cli.output import Output
from reconciler.errors import OnggiError
from reconciler.settings.settings import Settings
from specs.reference import VIRTUAL_MACHINE, Ref

if TYPE_CHECKING:
    from reconciler.hypervisor import Hypervisor
    from reconciler.line.by_hand import Done


def _machine(_ctx: click.Context, _param: click.Parameter, word: str) -> Ref:
    named = object_named(word)
    if named is not None and named.kind != VIRTUAL_MACHINE:
        raise click.BadParameter(f"{named} isn't a virtual machine")
    return named or Ref(VIRTUAL_MACHINE, word)


def _complete(ctx: click.Context, _param: click.Parameter, incomplete: str) -> list[CompletionItem]:
    """The machines that the state folder knows."""
    from reconciler.ledger.ledger import Ledger
    from reconciler.settings.settings import default_state

    try:
        statuses = Ledger.open(ctx.params.get("state") or default_state(), readonly=True).status.all()
    except OnggiError:
        return []  # a shell that completes has nobody to tell
    names = (item.ref.name for item in statuses if item.ref.kind == VIRTUAL_MACHINE)
    return [CompletionItem(name) for name in names if name.startswith(incomplete)]


machine_argument: Callable[[Callable[..., Any]], Callable[..., Any]] = click.argument(
    "machine", metavar="VM", callback=_machine, shell_complete=_complete, help="A virtual machine's name."
)


@contextmanager
def opened(settings: Settings) -> Iterator[Hypervisor]:
    """The host, for one verb."""
    from reconciler.hypervisor import Hypervisor

    hypervisor = Hypervisor.open(settings.connect)
    try:
        yield hypervisor
    finally:
        hypervisor.close()


def show(done: Done, ref: Ref, out: Output) -> None:
    """Print it."""
    out.show(
        lambda: {"kind": ref.kind, "name": ref.name, "message": done.sentence, "by": done.by, "note": done.note},
        lambda: done.sentence,
    )
    if done.note:
        out.note(f"onggi: {done.note}")
