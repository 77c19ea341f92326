"""What is made at first use is made once, whoever comes first."""

from __future__ import annotations

import threading

import pytest

from reconciler.lazy import Lazy


def test_nothing_is_made_before_somebody_needs_it() -> None:
    made: list[str] = []
    part = Lazy(lambda: made.append("made") or "the part")  # type: ignore[func-returns-value]
    assert part.made is None and made == []
    assert part() == "the part" and part.made == "the part"


def test_several_who_come_at_once_get_the_same() -> None:
    begin, found = threading.Barrier(8), list[object]()
    part = Lazy(object)

    def come() -> None:
        begin.wait(60)
        found.append(part())

    threads = [threading.Thread(target=come) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    assert len(found) == 8 and len(set(map(id, found))) == 1


def test_a_failure_is_not_kept() -> None:
    answers = iter([None, "the part"])

    def make() -> str:
        if (answer := next(answers)) is None:
            raise OSError("not now")
        return answer

    part = Lazy(make)
    with pytest.raises(OSError, match="not now"):
        part()
    assert part() == "the part"
