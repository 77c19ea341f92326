"""Stored statuses as a table, and as documents for scripts. Pure: the ledger's records are handed in."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

import click

from reconciler.ledger.notice_store import Notice
from reconciler.ledger.records import Event, ObjectStatus
from reconciler.reporting.table import table_text
from reconciler.status.source_state import REWRITTEN, UNREADABLE
from reconciler.status.status import READY, RECONCILING, status_word
from reconciler.status.value_text import printable
from specs.plain import NewJson

_WELL = frozenset({"Ready", "Running", "Active", "Available", "Stopped", "Paused", "Inactive", "Created", "Configured"})
_UNDER_WAY = frozenset({"Provisioning", "Updating", "Pruning", "Suspended", "Stopping", "DependencyNotReady"})


def word_of(status: ObjectStatus) -> str:
    """One word on an object: what is wrong with it, else what it does."""
    return status_word(status.conditions, status.ref.kind, status.state)


def message_of(status: ObjectStatus) -> str:
    """What there is to know beyond that word: why it isn't ready, or what waits; nothing when all is well."""
    told = [item for item in status.conditions if (item.type == READY) is not item.status and item.type != RECONCILING]
    return printable("; ".join(dict.fromkeys(item.message for item in told if item.message)))


def statuses_text(statuses: Iterable[ObjectStatus], *, colour: bool, unread: Iterable[Notice] = ()) -> str:
    """A row for each object, and for each file that is `unread`."""
    rows = [(item.ref.kind, item.ref.name, word_of(item), message_of(item)) for item in statuses]
    rows += [(*notice.ref, notice.reason, printable(notice.message)) for notice in unread]
    return table_text(("kind", "name", "status", "message"), rows, _paint if colour else None)


def events_text(events: Iterable[Event], *, colour: bool) -> str:
    """A row for each event, oldest first."""
    rows = []
    for event in events:
        times = f" (×{event.count})" if event.count > 1 else ""
        rows.append((event.time, event.type, event.result, str(event.ref), f"{printable(event.message)}{times}"))
    return table_text(("time", "type", "result", "object", "message"), rows, _paint if colour else None)


def status_document(status: ObjectStatus) -> NewJson:
    """The stored status in the shape of a document. It holds no spec: that is in the repository."""
    outcome = status.last_outcome
    told: NewJson = {
        "summary": word_of(status),
        "state": status.state,
        "observedRevision": status.revision,
        "conditions": [
            {
                "type": item.type,
                "status": "True" if item.status else "False",
                "reason": item.reason,
                "message": item.message,
                "lastTransitionTime": item.last_transition_time,
                "observedRevision": item.observed_revision,
            }
            for item in status.conditions
        ],
    }
    if outcome is not None:
        told["lastOutcome"] = {
            "time": outcome.time,
            "action": outcome.action,
            "result": outcome.result,
            "message": outcome.message,
            "revision": outcome.revision,
            "durationSeconds": outcome.duration_s,
        }
    if status.path:
        told["path"] = status.path
    metadata = {"name": status.ref.name} | ({"uid": status.uid} if status.uid else {})
    return {"apiVersion": "onggi/v1", "kind": status.ref.kind, "metadata": metadata, "status": told}


def status_report(
    info: Mapping[str, str],
    statuses: Iterable[ObjectStatus],
    *,
    running: bool,
    suspended: bool,
    why: str = "",
    unread: Iterable[Notice] = (),
) -> NewJson:
    """The shape of `onggi status -o json`. `info` is what the agent told, `suspended` that everything is."""
    return {
        "agent": {
            **info,
            "running": running,
            "connected": running and info.get("connected") == "true",
            "suspended": suspended,
            **({"suspension": why} if suspended and why else {}),
            "conditions": agent_conditions(info),
        },
        "objects": [status_document(item) for item in statuses],
        "files": [
            {"path": notice.ref.name, "reason": notice.reason, "message": notice.message, "since": notice.since}
            for notice in unread
        ],
    }


def event_json(event: Event) -> NewJson:
    """The shape of one event of `onggi events -o json`."""
    return {
        "time": event.time,
        "kind": event.ref.kind,
        "name": event.ref.name,
        "type": event.type,
        "result": event.result,
        "message": event.message,
        "revision": event.revision,
        "who": event.who,
        "count": event.count,
        "peer": event.peer,
        "requestId": event.request,
    }


def agent_conditions(info: Mapping[str, str]) -> list[dict[str, str]]:
    """What holds for the agent as a whole, in the shape of conditions."""
    told = []
    problem = info.get("source_problem")
    if problem and info.get("source_verified") != "false":  # that is a condition of its own
        reason, since = info.get("source_reason") or UNREADABLE, info.get("source_since", "")
        holds = ("HistoryRewritten", "True") if reason == REWRITTEN else ("SourceReadable", "False")
        shown = {"type": holds[0], "status": holds[1], "reason": reason, "message": problem}
        told.append(shown | ({"lastTransitionTime": since} if since else {}))
    if verified := info.get("source_verified"):
        message = info.get("source_problem", "") if verified == "false" else "the head is signed as it has to be"
        reason = "Signed" if verified == "true" else "NotTrusted"
        told.append({"type": "SourceVerified", "status": verified.capitalize(), "reason": reason, "message": message})
    if unanswered := info.get("host_unanswered"):
        told.append({"type": "HostAnswers", "status": "False", "reason": "NoAnswer", "message": unanswered})
    if closed := info.get("outside_window"):
        told.append({"type": "OutsideWindow", "status": "True", "reason": "SyncWindow", "message": closed})
    return told


def agent_text(info: Mapping[str, str], pid: int | None, suspended: bool, why: str = "") -> str:
    """A few lines on the agent itself. `pid` is None when none runs."""
    if not info and pid is None:
        return "No agent runs, and none has run with this state; start one with: onggi run REPO"
    lines = [f"Agent:      {'running' + (f' (process {pid})' if pid else '') if pid is not None else 'not running'}"]
    if suspended:
        lines.append(f"Suspended:  everything is left alone{f' ({why})' if why else ''} until: onggi resume")
    if revision := info.get("revision"):
        lines.append(f"Revision:   {revision}")
    if connect := info.get("connect"):
        connected = pid is not None and info.get("connected") == "true"
        lines.append(f"Host:       {connect} ({'connected' if connected else 'not connected'})")
        if pid is not None and (unanswered := info.get("host_unanswered")):
            lines.append(f"Waiting:    {unanswered}")
    if last_pass := info.get("last_pass"):
        lines.append(f"Last pass:  {last_pass}")
    if closed := info.get("outside_window"):
        lines.append(f"Changes:    {closed}")
    if info.get("source_verified") == "false":
        left = "the last good revision stays" if info.get("revision") else "no revision is"
        lines.append(f"Verified:   no; {left} in force")
    if problem := info.get("source_problem"):
        since = f" (since {info['source_since']})" if info.get("source_since") else ""
        lines.append(f"Problem:    {problem}{since}")
    return "\n".join(printable(line) for line in lines)


def _paint(column: str, cell: str) -> str:
    if column == "status":
        return click.style(cell, fg="green" if cell in _WELL else "yellow" if cell in _UNDER_WAY else "red")
    if column == "type" and cell == "Warning":
        return click.style(cell, fg="yellow")
    return cell
