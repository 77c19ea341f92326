"""Open vSwitch's bridges on this machine, as its own program lists them."""

from __future__ import annotations

from typing import Final

from reconciler.errors import Terminal, Unsupported
from reconciler.host.commands import Program, printable_lines, run

OVS_VSCTL: Final = Program("ovs-vsctl", "openvswitch-switch", "list Open vSwitch's bridges")

_LOOK_S: Final = 10.0
_ASK_S: Final = 5  # Open vSwitch's own limit: without it the program waits for a switch that doesn't run


def ovs_bridges() -> tuple[str, ...]:
    """By name; none on a machine without Open vSwitch. Raises TooSlow, and Terminal when it doesn't answer."""
    try:
        done = run(OVS_VSCTL, [f"--timeout={_ASK_S}", "list-br"], timeout_s=_LOOK_S)
    except Unsupported:
        return ()
    if done.code != 0:
        raise Terminal(f"Open vSwitch's bridges can't be listed: {done.reason}; see whether its service runs.")
    return tuple(sorted(line for line in printable_lines(done.output) if line))
