"""`onggi completion`."""

from __future__ import annotations

import click

from reconciler.cli.options import verb
from reconciler.errors import Unsupported


@verb(
    "completion",
    click.argument("shell", type=click.Choice(["bash", "zsh", "fish"]), help="The shell that the script is for."),
)
def command(shell: str) -> None:
    """Print the script for a shell's completion.

    It completes verbs, options, kinds and names. bash: source <(onggi completion bash) · zsh: the same, after
    compinit · fish: onggi completion fish | source
    """
    from click.shell_completion import get_completion_class

    made = get_completion_class(shell)
    if made is None:
        raise Unsupported(f"There is no completion for {shell}; use bash, zsh or fish.")
    click.echo(made(click.Command("onggi"), {}, "onggi", "_ONGGI_COMPLETE").source())
