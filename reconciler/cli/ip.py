"""`onggi ip`."""

from __future__ import annotations

from reconciler.cli.machines import machine_argument, opened
from reconciler.cli.options import RESULT, connect, verb
from reconciler.cli.output import Output
from reconciler.cli.progress import told_when_slow
from reconciler.settings.settings import Settings
from specs.reference import Ref


@verb("ip", machine_argument, connect, *RESULT, logs_at="WARNING")
def command(machine: Ref, settings: Settings, out: Output) -> int:
    """Show a running machine's addresses.

    As its network's leases tell, else its guest agent, else what the host has heard on the wire (ARP). Exits with 1
    when none is known.
    """
    from reconciler.reporting.table import table_text

    with opened(settings) as hypervisor, told_when_slow(f"asking {settings.connect} …", quiet=out.quiet):
        state = hypervisor.machine_state(machine)
        found = hypervisor.guest_addresses(machine)
    if not found:
        why = (
            f"{machine} is {state}, and has an address only while it runs"
            if state in ("shutoff", "crashed")
            else f"no address of {machine} is known: no network gave it a lease, and no guest agent tells of one"
        )
        out.note(f"onggi: {why}")
    out.show(
        lambda: [
            {
                "address": each.address,
                "prefix": each.prefix,
                "network": each.network,
                "mac": each.mac,
                "source": each.source,
            }
            for each in found
        ],
        lambda: (
            table_text(
                ("address", "network", "mac", "from"),
                [(f"{each.address}/{each.prefix}", each.network, each.mac, each.source) for each in found],
                None,
            )
            if found
            else ""
        ),
    )
    return 0 if found else 1
