"""A name that is promised to one request is nobody else's, to take or to give back."""

from __future__ import annotations

from reconciler.serving.names import Names
from specs.reference import VIRTUAL_MACHINE, Ref

WEB, DB = Ref(VIRTUAL_MACHINE, "web"), Ref(VIRTUAL_MACHINE, "db")


def test_a_promised_name_is_not_promised_twice() -> None:
    names = Names()
    assert names.take(WEB) is not None
    assert names.take(WEB) is None
    second = names.first([WEB, DB])
    assert second is not None and second.ref == DB


def test_whoever_gives_back_what_was_given_back_takes_nothing_from_the_next() -> None:
    names = Names()
    first = names.take(WEB)
    assert first is not None
    names.release(first)
    second = names.take(WEB)
    assert second is not None and second != first
    names.release(first)
    assert names.take(WEB) is None
    names.release(second)
    assert names.take(WEB) is not None
