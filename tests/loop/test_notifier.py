"""What begins is told once, and that it is over only when that is known."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from reconciler.desired.state import DesiredState
from reconciler.ledger.ledger import Ledger
from reconciler.loop.notifier import Notifier
from reconciler.loop.passes import World
from reconciler.observed.snapshot import Snapshot
from reconciler.planning.plan import Plan
from reconciler.reporting.matters import FILE
from reconciler.source.folder import Folder
from reconciler.status.one_pass import Pass
from specs.host import Host
from specs.problem import Problem
from specs.reference import Ref
from tests.planning.values import REVISION

BROKEN = Ref(FILE, "broken.yaml"), "InvalidDocument"
STATE = DesiredState(REVISION, "r", {}, (Problem("broken.yaml", 1, 1, "isn't YAML", "correct it"),))


def world(desired: DesiredState, *, connected: bool) -> World:
    return World.of(Pass(desired, Snapshot(1, Host(), {}, connected=connected), Plan("r")), ())


@pytest.fixture
def ledger(tmp_path: Path) -> Iterator[Ledger]:
    opened = Ledger.open(tmp_path, readonly=False)
    yield opened
    opened.close()


def test_a_broken_file_isnt_told_to_be_whole_because_the_host_is_away(ledger: Ledger, tmp_path: Path) -> None:
    notifier = Notifier(ledger, Folder(tmp_path, sub_path=""))
    notifier.tell(STATE, world(STATE, connected=True), None)
    assert BROKEN in ledger.notices.open()
    for away in (world(STATE, connected=False), None):
        notifier.tell(STATE, away, None)
        assert BROKEN in ledger.notices.open()
    mended = replace(STATE, problems=())
    notifier.tell(mended, world(mended, connected=False), None)
    assert BROKEN not in ledger.notices.open(), "what is read needs no host"
