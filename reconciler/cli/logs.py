"""`onggi logs`."""

from __future__ import annotations

from collections import deque
from pathlib import Path
from typing import TYPE_CHECKING

import click

from reconciler.cli.machines import machine_argument, opened
from reconciler.cli.options import RESULT, connect, state, verb
from reconciler.cli.output import Output
from reconciler.errors import OnggiError
from reconciler.given_file import read_given
from reconciler.settings.settings import Settings
from specs.reference import Ref

if TYPE_CHECKING:
    from reconciler.ledger.records import Event

_MOST_BYTES = 1 << 20  # of a serial log's end


@verb(
    "logs",
    machine_argument,
    click.option(
        "--lines", type=click.IntRange(1, 10_000), default=50, show_default=True, help="At most so many of each."
    ),
    connect,
    state,
    *RESULT,
    logs_at="WARNING",
)
def command(machine: Ref, lines: int, settings: Settings, out: Output) -> None:
    """Show what was done to a machine, and its serial log.

    A serial log is there when the machine's definition has one (`<log file=…/>`), and is read on the hypervisor's own
    machine. `onggi console` shows the serial line itself.
    """
    from reconciler.ledger.ledger import Ledger
    from reconciler.reporting.status_text import event_json

    events = list(Ledger.open(settings.state, readonly=True).history.events(lines, machine))
    file, serial, why = _serial(machine, lines, settings)
    if why:
        out.note(f"onggi: {why}")
    out.show(
        lambda: {"events": [event_json(event) for event in events], "serialLog": file, "serial": serial},
        lambda: _text(events, file, serial, out),
    )


def _serial(machine: Ref, lines: int, settings: Settings) -> tuple[str, list[str], str]:
    """The serial log's file, its last lines, and why there are none."""
    from reconciler.locality import is_here
    from reconciler.status.value_text import printable

    try:
        with opened(settings) as hypervisor:
            file = hypervisor.serial_log(machine)
    except OnggiError as error:
        return "", [], str(error)
    if not file:
        return "", [], f"{machine} keeps no serial log; `onggi console {machine.name}` shows its serial line"
    if not is_here(settings.connect):
        return file, [], f"its serial log is {file} on the host of {settings.connect}"
    try:
        text = read_given(Path(file), _MOST_BYTES, last=True).decode(errors="replace")
    except OSError as error:
        return file, [], f"its serial log {file} can't be read ({error.strerror}); run this as a user who may"
    return file, [printable(line) for line in deque(text.replace("\r\n", "\n").splitlines(), lines)], ""


def _text(events: list[Event], file: str, serial: list[str], out: Output) -> str:
    from reconciler.reporting.status_text import events_text

    parts = [events_text(events, colour=out.colour) if events else "No events."]
    if serial:
        parts.append("\n".join([f"{file}:", *serial]))
    return "\n\n".join(parts)
