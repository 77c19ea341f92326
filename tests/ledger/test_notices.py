"""What is told, is told once: when it begins, when it ends, and not again by another process."""

from __future__ import annotations

from pathlib import Path

from reconciler.ledger.ledger import Ledger
from tests.planning.values import vm

WEB, DB = (vm("web"), "OwnedByOther"), (vm("db"), "Flapping")


def test_a_matter_is_told_when_it_begins_and_when_it_ends_and_by_no_later_process_again(tmp_path: Path) -> None:
    with Ledger.open(tmp_path) as ledger:
        news = ledger.notices.tell({WEB: "theirs"}, "r")
        assert [(notice.ref, notice.message) for notice in news.begun] == [(vm("web"), "theirs")]
        assert ledger.notices.tell({WEB: "theirs"}, "r").begun == ()
    with Ledger.open(tmp_path) as ledger:
        assert ledger.notices.tell({WEB: "theirs"}, "r").begun == ()
        assert [notice.since for notice in ledger.notices.tell({}, "r").ended] == [news.begun[0].since]
        told = [(event.type, event.result, event.message) for event in ledger.history.events()]
    assert told == [("Warning", "OwnedByOther", "theirs"), ("Normal", "resolved", "OwnedByOther is over: theirs")]


def test_another_sentence_is_news_unless_it_is_one_that_counts(tmp_path: Path) -> None:
    with Ledger.open(tmp_path) as ledger:
        ledger.notices.tell({WEB: "approve 1", DB: "5 times"}, "r", lasting={"Flapping"})
        news = ledger.notices.tell({WEB: "approve 2", DB: "6 times"}, "r", lasting={"Flapping"})
        assert [notice.message for notice in news.begun] == ["approve 2"]
        assert news.ended == ()


def test_of_what_nobody_has_looked_at_nothing_begins_and_nothing_ends(tmp_path: Path) -> None:
    with Ledger.open(tmp_path) as ledger:
        ledger.notices.tell({WEB: "theirs"}, "r")
        news = ledger.notices.tell({DB: "5 times"}, "r", unjudged=lambda _ref, _reason: True)
        assert (news.begun, news.ended) == ((), ())
        assert ledger.notices.open().keys() == {WEB}


def test_a_sentence_without_end_is_cut(tmp_path: Path) -> None:
    with Ledger.open(tmp_path) as ledger:
        for _ in range(2):
            begun = ledger.notices.tell({WEB: "x" * 100_000}, "r").begun
        assert begun == ()
        assert len(ledger.history.events()[0].message) == 1000
