"""`onggi stop`."""

from __future__ import annotations

import click

from reconciler.cli.declaring import Duration
from reconciler.cli.machines import machine_argument, opened, show
from reconciler.cli.options import RESULT, connect, state, verb
from reconciler.cli.output import Output
from reconciler.cli.progress import told_when_slow
from reconciler.settings.settings import Settings
from specs.reference import Ref

timeout = click.option(
    "--timeout",
    "timeout_s",
    type=Duration(),
    default="60s",
    show_default=True,
    metavar="TIME",
    help="How long its guest may take to shut down.",
)
now = click.option(
    "--now", is_flag=True, help="Cut its power; the guest isn't asked, and may lose what it hasn't written."
)


@verb("stop", machine_argument, timeout, now, connect, state, *RESULT, logs_at="WARNING")
def command(machine: Ref, timeout_s: float, now: bool, settings: Settings, out: Output) -> None:
    """Shut a machine down.

    Of a declared machine its document decides: a running agent that serves its API is asked, and commits that the
    machine is to be off. Without one its guest is asked to shut down, and what its document says to that is told; what
    a running agent would undo is refused.
    """
    from reconciler.line.by_hand import Control

    with opened(settings) as hypervisor, told_when_slow(f"waiting for {machine} to shut down …", quiet=out.quiet):
        done = Control(settings, hypervisor, machine).stop(timeout_s, now=now)
    show(done, machine, out)
