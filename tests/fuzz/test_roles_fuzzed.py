"""Made-up requests by everybody, in a small dose and the same each time; `make fuzz-roles` gives 100,000 of each."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from dataclasses import replace

import pytest

from api.http.access import Rule
from reconciler.serving import changes
from reconciler.serving.sight import Sight
from tests.fuzz.roles.kept import kept, wronged
from tests.fuzz.roles.requests import Requests
from tests.fuzz.roles.run import Came, Somebody
from tests.fuzz.roles.world import PEOPLE, Marked, marked

COUNT = 500


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Marked]:
    """Asked by those first who change nothing in it."""
    with marked(tmp_path_factory.mktemp("people")) as made:
        yield made


def asked(world: Marked, who: str, seed: str, count: int = COUNT) -> Came:
    came = Came()
    asyncio.run(Somebody(who, world).ask(seed, count, came))
    return came


@pytest.mark.parametrize("who", PEOPLE)
def test_whatever_somebody_asks_they_see_and_change_what_is_theirs_and_nothing_breaks(world: Marked, who: str) -> None:
    came = asked(world, who, "suite")
    assert came.mistakes == []
    assert came.asked == COUNT
    assert came.statuses[200] > COUNT // 20, "they are let in somewhere"
    assert came.statuses.total() - came.statuses[200] > COUNT // 4, "and not everywhere"


def test_every_address_is_among_those_that_are_asked() -> None:
    made = Requests({"name": ["x"]}, {}, None)
    assert len(made.addresses) > 100
    assert {("PUT", "/vms/{name}"), ("POST", "/vms/{name}/start"), ("GET", "/events")} <= made.addresses


@pytest.mark.parametrize("who", ["other", "user"])
def test_it_would_be_found_if_somebody_saw_what_is_anothers(
    world: Marked, who: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(Sight, "sees", lambda _self, _ref: True)
    assert any("is told" in each for each in asked(world, who, "sees", 300).mistakes)


def test_it_would_be_found_if_a_question_told_that_there_is_something(
    world: Marked, monkeypatch: pytest.MonkeyPatch
) -> None:
    whole = Rule.check

    def check(self: Rule, sight: Sight, params: dict[str, str]) -> None:
        if self.machine in params and params[self.machine] in world.anothers:
            sight = replace(sight, client=replace(sight.client, role=PEOPLE["viewer"][1]))  # type: ignore[index]
        whole(self, sight, params)

    monkeypatch.setattr(Rule, "check", check)
    assert any("differs from one about nothing" in each for each in asked(world, "other", "tells", 300).mistakes)


def test_it_would_be_found_if_somebody_changed_more_than_they_may(
    world: Marked, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(Rule, "check", lambda *_: None)
    monkeypatch.setattr(changes, "check_within", lambda *_: None)
    for who in ("viewer", "operator"):
        assert any("changed" in each or "committed" in each for each in asked(world, who, "may", 300).mistakes), who


def test_what_was_made_or_removed_is_told_as_it_is(world: Marked) -> None:
    before = kept(world)
    now = replace(before, documents={**before.documents, ("Network", "x"): {}}, host=dict(before.host))
    now.host.pop(("network", "default"))
    assert list(wronged("operator", [], before, now)) == [
        "changed the document Network/x", "changed the network default on the host"
    ]  # fmt: skip
    assert list(wronged("admin", [], before, now)) == []
