"""`onggi status`."""

from __future__ import annotations

from reconciler.cli.options import RESULT, state, verb
from reconciler.cli.output import Output
from reconciler.settings.settings import Settings


@verb("status", state, *RESULT)
def command(settings: Settings, out: Output) -> int:
    """Tell how the agent and every object are.

    As last seen by the agent, or by the last `onggi apply`: only the state folder is asked. Exits with 1 when the
    repository or one of its files can't be read or followed, or when something won't come true by itself: it failed, is
    held back, or was lost.
    """
    from reconciler.ledger.ledger import Ledger
    from reconciler.ledger.lock import StateFolder
    from reconciler.reporting.matters import is_well, unread_files
    from reconciler.reporting.said_since import said_since
    from reconciler.reporting.status_text import agent_text, status_report, statuses_text
    from reconciler.status.suspension import ALL, ANYTHING

    ledger = Ledger.open(settings.state, readonly=True)
    info, suspensions = ledger.heartbeat.told(), ledger.decisions.suspensions()
    found = said_since(ledger.status.all(), suspensions, ledger.ownership.all())
    pid, everything = StateFolder.holder(settings.state), ledger.decisions.suspended() is ALL
    unread = unread_files(ledger.notices.open().values())
    why = str(suspensions.get(ANYTHING, ""))
    out.show(
        lambda: status_report(info, found, running=pid is not None, suspended=everything, why=why, unread=unread),
        lambda: "\n\n".join(
            part
            for part in (
                agent_text(info, pid, everything, why),
                statuses_text(found, colour=out.colour, unread=unread) if found or unread else "",
            )
            if part
        ),
    )
    return int(bool(info.get("source_problem") or unread) or not all(is_well(item.conditions) for item in found))
