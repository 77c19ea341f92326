"""Sessions end when they should, and no token opens another's."""

from __future__ import annotations

from dataclasses import dataclass

import pytest

from reconciler.identity.identity import Identity
from reconciler.identity.role import Role, role_of
from reconciler.identity.sessions import IDLE_S, LONGEST_S, LoggedIn, Sessions

KIM = LoggedIn(Identity("kim", frozenset({"sudo"})), Role.ADMIN)
LEE = LoggedIn(Identity("lee"), Role.ADMIN)


@dataclass
class Clock:
    now: float = 0.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


def test_a_session_is_found_by_its_token_alone(clock: Clock) -> None:
    sessions = Sessions(clock)
    token = sessions.open(KIM)
    found = sessions.find(token)
    assert found is not None and found.who == KIM
    assert sessions.find(token[:-1]) is None and sessions.find("") is None and sessions.find(f"{token}=") is None
    assert token not in repr(vars(sessions))


def test_each_login_has_a_token_of_its_own(clock: Clock) -> None:
    sessions = Sessions(clock)
    assert len({sessions.open(KIM) for _ in range(20)}) == 20


def test_a_session_ends_when_nobody_uses_it_and_after_half_a_day_anyway(clock: Clock) -> None:
    sessions = Sessions(clock)
    idle, busy = sessions.open(KIM), sessions.open(LEE)
    while clock.now + IDLE_S / 2 < LONGEST_S:
        clock.now += IDLE_S / 2
        assert sessions.find(busy) is not None
    assert sessions.find(idle) is None
    clock.now = LONGEST_S + 1
    assert sessions.find(busy) is None
    sessions.open(KIM)
    assert len(sessions) == 1


def test_logging_out_ends_that_session_alone(clock: Clock) -> None:
    sessions = Sessions(clock)
    one, other = sessions.open(KIM), sessions.open(KIM)
    sessions.close(one)
    assert sessions.find(one) is None and sessions.find(other) is not None


def test_another_role_ends_all_of_a_users_sessions(clock: Clock) -> None:
    sessions = Sessions(clock)
    one, other, lees = sessions.open(KIM), sessions.open(KIM), sessions.open(LEE)
    session = sessions.find(one)
    assert session is not None
    assert sessions.seen(session, KIM)
    assert not sessions.seen(session, LoggedIn(KIM.identity, Role.VIEWER))
    assert sessions.find(one) is None and sessions.find(other) is None and sessions.find(lees) is not None


def test_of_too_many_sessions_of_a_user_the_one_longest_unused_ends_and_nobody_elses(clock: Clock) -> None:
    sessions = Sessions(clock)
    lees = sessions.open(LEE)
    tokens = []
    for _ in range(33):
        clock.now += 1
        tokens.append(sessions.open(KIM))
    assert sessions.find(tokens[0]) is None and sessions.find(tokens[1]) is not None
    assert sessions.find(lees) is not None


@pytest.mark.parametrize(
    ("groups", "role"),
    [
        ({"looking"}, Role.VIEWER),
        ({"looking", "working"}, Role.OPERATOR),
        ({"working", "wheel"}, Role.ADMIN),
        (set(), None),
        ({"Wheel"}, None),
    ],
)
def test_the_highest_role_of_ones_groups_counts(groups: set[str], role: Role | None) -> None:
    given = {Role.VIEWER: ["looking"], Role.OPERATOR: ["working"], Role.ADMIN: ["sudo", "wheel"]}
    assert role_of(Identity("kim", frozenset(groups)), given) == role
    assert role_of(Identity("root"), given) == Role.ADMIN
    everybody = {**given, Role.USER: ["*"]}
    assert role_of(Identity("kim", frozenset(groups)), everybody) == (role or Role.USER)
    assert role_of(Identity("kim", frozenset(groups)), {**given, Role.USER: ["people"]}) == role
