"""`onggi console`: a machine's serial line in the terminal, until Ctrl+] is pressed."""

from __future__ import annotations

import os
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

import click

from reconciler.cli.machines import machine_argument
from reconciler.cli.options import connect, verb
from reconciler.errors import OnggiError
from reconciler.settings.settings import Settings
from specs.reference import Ref

if TYPE_CHECKING:
    from reconciler.hypervisor.virtualmachine.console import SerialLine

ESCAPE = b"\x1d"  # Ctrl+], as with virsh and telnet
_CHUNK = 1024


@verb(
    "console",
    machine_argument,
    connect,
    click.option("--force", is_flag=True, help="Take the line from whoever has it."),
    logs_at="WARNING",
)
def command(machine: Ref, settings: Settings, force: bool) -> None:
    """Show a running machine's serial line, and type into it.

    Ctrl+] ends it; the machine goes on. Its guest has to use the serial line: `console=ttyS0` on Linux's command line.
    Outside a terminal what comes on stdin is sent, and it ends with the machine.
    """
    from reconciler.hypervisor.virtualmachine.console import SerialLine

    with SerialLine(settings.connect, machine, force=force) as line:
        click.echo(f"Connected to {machine}; Ctrl+] ends this, and the machine goes on.", err=True)
        ended = threading.Event()
        with _raw_terminal():
            reader = threading.Thread(target=_print, args=(line, ended), name="onggi-console", daemon=True)
            reader.start()
            _send(line, ended)
    click.echo("", err=True)


def _print(line: SerialLine, ended: threading.Event) -> None:
    """Everything that the machine writes, as it is."""
    try:
        while data := line.read():
            os.write(sys.stdout.fileno(), data)
    except OSError:  # whoever read it has gone
        pass
    finally:
        ended.set()


def _send(line: SerialLine, ended: threading.Event) -> None:
    """Everything that is typed, until the escape key, or the end of the line."""
    import select

    source = sys.stdin.fileno()
    while not ended.is_set():
        ready, _, _ = select.select([source], [], [], 0.2)
        if not ready:
            continue
        data = os.read(source, _CHUNK)
        if not data:  # no terminal: the rest is only shown
            ended.wait()
            return
        before, escape, _ = data.partition(ESCAPE)
        try:
            line.write(before)
        except OnggiError:
            if not ended.wait(1.0):
                raise
            return
        if escape and sys.stdin.isatty():
            return


@contextmanager
def _raw_terminal() -> Iterator[None]:
    """Each key as it is pressed, Ctrl+C too, for the machine and not for us."""
    if not sys.stdin.isatty():
        yield
        return
    import termios
    import tty

    before = termios.tcgetattr(sys.stdin)
    tty.setraw(sys.stdin)
    try:
        yield
    finally:
        termios.tcsetattr(sys.stdin, termios.TCSADRAIN, before)
