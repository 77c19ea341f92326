"""`onggi restart`."""

from __future__ import annotations

from reconciler.cli.machines import machine_argument, opened, show
from reconciler.cli.options import RESULT, connect, state, verb
from reconciler.cli.output import Output
from reconciler.cli.progress import told_when_slow
from reconciler.cli.stop import now, timeout
from reconciler.settings.settings import Settings
from specs.reference import Ref


@verb("restart", machine_argument, timeout, now, connect, state, *RESULT, logs_at="WARNING")
def command(machine: Ref, timeout_s: float, now: bool, settings: Settings, out: Output) -> None:
    """Shut a machine down and start it again.

    What waits for a restart comes true by it, which a reboot from inside the guest doesn't do. Its document isn't
    changed: it runs before and after.
    """
    from reconciler.line.by_hand import Control

    with opened(settings) as hypervisor, told_when_slow(f"waiting for {machine} to shut down …", quiet=out.quiet):
        done = Control(settings, hypervisor, machine).restart(timeout_s, now=now)
    show(done, machine, out)
