"""`onggi start`."""

from __future__ import annotations

from reconciler.cli.machines import machine_argument, opened, show
from reconciler.cli.options import RESULT, connect, state, verb
from reconciler.cli.output import Output
from reconciler.cli.progress import told_when_slow
from reconciler.settings.settings import Settings
from specs.reference import Ref


@verb("start", machine_argument, connect, state, *RESULT, logs_at="WARNING")
def command(machine: Ref, settings: Settings, out: Output) -> None:
    """Start a machine.

    Of a declared machine its document decides: a running agent that serves its API is asked, and commits that the
    machine is to run. Without one it is started as it is, and what its document says to that is told; what a running
    agent would undo is refused.
    """
    from reconciler.line.by_hand import Control

    with opened(settings) as hypervisor, told_when_slow(f"starting {machine} …", quiet=out.quiet):
        done = Control(settings, hypervisor, machine).start()
    show(done, machine, out)
