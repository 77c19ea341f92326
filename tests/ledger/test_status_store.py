"""What is stored of how everything is, is what was told last, however much of it is shared with what was before."""

from __future__ import annotations

import random
from collections.abc import Callable
from pathlib import Path

import pytest

from reconciler.ledger import conditions
from reconciler.ledger.ledger import Ledger
from reconciler.status.condition import Condition
from specs.reference import NETWORK, VIRTUAL_MACHINE, Ref

REFS = [Ref(kind, f"n{number}") for kind in (NETWORK, VIRTUAL_MACHINE) for number in range(4)]
Told = dict[Ref, tuple[Condition, ...]]


def value(message: str, revision: str = "r", *, ready: bool = True) -> tuple[Condition, ...]:
    return (Condition("Ready", ready, "Because", message, revision),)


SHARED = [
    value("at rest"), value("at rest", "another"), value("at rest", ready=False), value("to do"),
    (*value("at rest"), Condition("Drifted", True, "NotHealed", "memory")),
]  # fmt: skip


def stored(ledger: Ledger) -> dict[Ref, list[tuple[str, bool, str]]]:
    return {one.ref: [(item.type, item.status, item.message) for item in one.conditions] for one in ledger.status.all()}


def said(told: Told) -> dict[Ref, list[tuple[str, bool, str]]]:
    return {ref: [(item.type, item.status, item.message) for item in items] for ref, items in told.items()}


@pytest.mark.parametrize("seed", range(6))
def test_what_is_stored_is_what_was_told_last(tmp_path: Path, seed: int) -> None:
    dice = random.Random(seed)
    ledger = Ledger.open(tmp_path)
    for number in range(40):
        told = {ref: dice.choice(SHARED) for ref in REFS if dice.random() < 0.9}
        states = {ref: dice.choice(("running", "shutoff")) for ref in told}
        ledger.status.note(told, f"r{number % 3}", states)
        assert stored(ledger) == said(told)
        assert {one.ref: one.state for one in ledger.status.all()} == states
        if dice.random() < 0.1:  # another process goes on
            ledger.close()
            ledger = Ledger.open(tmp_path)
    ledger.close()


def test_what_shares_one_value_is_compared_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    compared: list[Condition] = []
    same: Callable[[Condition, Condition], bool] = conditions._same

    def compare(old: Condition, new: Condition) -> bool:
        compared.append(new)
        return same(old, new)

    monkeypatch.setattr(conditions, "_same", compare)
    many = [Ref(NETWORK, f"n{number}") for number in range(100)]
    with Ledger.open(tmp_path) as ledger:
        for revision in ("first", "second"):
            at_rest = value("at rest", revision)
            told = dict.fromkeys(many, at_rest)
            ledger.status.note(told, revision)
            compared.clear()
            ledger.status.note(dict(told), revision)
            ledger.status.note(told | {many[7]: value("to do", revision)}, revision)
            assert len(compared) == 1
            ledger.status.note(told, revision)
        compared.clear()
        ledger.status.note(dict.fromkeys(many, value("at rest", "third")), "third")
        assert len(compared) == 1
