"""One machine in all its situations: the documents, objects and worlds that its tables are written with."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from reconciler.desired.state import Resource
from reconciler.observed.snapshot import Observed
from reconciler.planning.last_seen import LastSeen
from reconciler.planning.ownership import Owned
from specs.reference import NETWORK, STORAGE_POOL, STORAGE_VOLUME
from specs.scope import Scope
from tests.planning.values import REPOSITORY
from tests.planning.worlds import WEB, World, applied, found, wanted

PLAIN = wanted()
OTHERS = Scope("ffffffff-0000-0000-0000-000000000000")
ON_A_BRANCH = Scope(REPOSITORY, "staging", "")
FOREIGN = replace(PLAIN, uid="of-another-tool")  # as it is on the host; its document says nothing of its UUID
SECRET = {"type": "vnc", "passwordFrom": {"file": "/secret"}}

POOL = found(wanted("default", STORAGE_POOL, type="dir", path="/default"))
LAN = found(wanted("lan", NETWORK, mode="isolated", subnet="10.1.2.0/24"))
DATA = wanted("default/data", STORAGE_VOLUME, pool="default", capacity="1GiB", format="qcow2")
CARD = wanted(interfaces=[{"network": "lan"}])
ADDRESSED = wanted(interfaces=[{"network": "lan", "addresses": ["10.1.2.3/24"]}])
MADE_BY_HAND = wanted(interfaces=[{"network": "lan", "mac": "52:54:00:00:00:01"}])
WITH_DATA = wanted(disks=[{"name": "data", "volume": "default/data"}])


def off(document: Resource = PLAIN, **more: Any) -> Observed:
    """On the host, and off because somebody wanted it so."""
    return found(document, reason="destroyed", **more)


def on(document: Resource = PLAIN, **more: Any) -> Observed:
    return found(document, "running", "booted", **more)


def world(
    wish: Resource, *there: Observed, last: Resource | None = None, ledger: tuple[Owned, ...] = (), **more: Any
) -> World:
    """`last` is the document that was applied last, if any was."""
    known = (applied(last), *ledger) if last is not None else ledger
    return World((wish,), there, known, **more)


def grows(restarts: str = "Never", **more: Any) -> Resource:
    return wanted(memory=1024, restartPolicy=restarts, **more)


DOMAIN = off().xml
GONE = {WEB: LastSeen(PLAIN.uid, DOMAIN)}
AUTOSTARTED = {WEB: LastSeen(PLAIN.uid, DOMAIN, autostart=True)}


def undefined(document: Resource = PLAIN, **more: Any) -> Observed:
    """It runs, and somebody has undefined it."""
    return on(document, persistent=False, **more)
