"""One transaction over several stores: all of it, or nothing, in the file and in memory."""

from __future__ import annotations

from pathlib import Path

import pytest

from reconciler import faults
from reconciler.errors import StateError
from reconciler.ledger.ledger import Ledger
from reconciler.planning.ownership import Owned
from specs.reference import Ref
from tests.applying.world import define, network

A, B, LAN, WAN = Ref.volume("lab", "a"), Ref.volume("lab", "b"), network("lan"), network("wan")


def shown(ledger: Ledger) -> tuple[object, ...]:
    """What each store that takes part in a change says."""
    return (
        dict(ledger.ownership.all()),
        ledger.intents.unfinished(),
        ledger.intents.uncommitted(),
        ledger.history.working(),
        ledger.history.in_doubt(),
    )


@pytest.mark.parametrize("boundary", ["before a write of the state", "before a commit of the state"])
def test_a_change_that_is_not_committed_shows_in_no_store(tmp_path: Path, boundary: str) -> None:
    def hook(name: str) -> None:
        if name == boundary:
            raise StateError("the disk is full")

    with Ledger.open(tmp_path) as ledger:
        ledger.change(own=[Owned(LAN, "u"), Owned(A, "")], begin=[A])
        ledger.intents.give_up([A])
        before = shown(ledger)
        faults.install(hook)
        try:
            with pytest.raises(StateError):
                ledger.change(
                    own=[Owned(WAN, "w")], disown=[LAN], begin=[B], finish=[A], whole=[A], steps=[define(WAN)]
                )
        finally:
            faults.install(None)
        assert shown(ledger) == before
    with Ledger.open(tmp_path) as again:
        assert shown(again) == before


def test_a_change_that_is_committed_shows_in_every_store(tmp_path: Path) -> None:
    with Ledger.open(tmp_path) as ledger:
        ledger.change(own=[Owned(LAN, "u")], begin=[A])
        ledger.change(own=[Owned(WAN, "w")], disown=[LAN], begin=[B], finish=[A], steps=[define(WAN)])
        assert set(ledger.ownership.all()) == {WAN}
        assert (ledger.intents.unfinished(), ledger.history.working()) == ((), {WAN})
    with Ledger.open(tmp_path) as again:
        assert set(again.ownership.all()) == {WAN}
        assert again.intents.unfinished() == (B,)
        assert [item.step.ref for item in again.history.in_doubt()] == [WAN]


def test_an_entry_that_was_given_away_stays_as_it_was(tmp_path: Path) -> None:
    with Ledger.open(tmp_path) as ledger:
        ledger.change(own=[Owned(LAN, "u")])
        given = ledger.ownership.all()
        ledger.change(disown=[LAN])
        assert (set(given), set(ledger.ownership.all())) == ({LAN}, set())
