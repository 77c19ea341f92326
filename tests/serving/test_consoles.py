"""Tickets of consoles: good once, for a moment, for who was given it and one machine's one console."""

from __future__ import annotations

import pytest

from reconciler.identity.role import Role
from reconciler.serving.client import Client
from reconciler.serving.consoles import TICKET_S, Claim, ConsoleKind, Consoles, Holder, OpenLine

HOLDER = Holder("otto", b"session")
CLAIM = Claim("uid", ConsoleKind.VNC, HOLDER, Client("otto", role=Role.OPERATOR))


class Clock:
    def __init__(self) -> None:
        self.s = 0.0

    def __call__(self) -> float:
        return self.s


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def consoles(clock: Clock) -> Consoles:
    return Consoles(clock)


def test_it_is_good_once(consoles: Consoles) -> None:
    ticket = consoles.ticket(CLAIM)
    assert len(ticket) >= 43, "256 bits"
    assert consoles.redeem(ticket, HOLDER, "uid") == CLAIM
    assert consoles.redeem(ticket, HOLDER, "uid") is None


def test_no_two_are_alike_and_none_is_kept_as_it_is(consoles: Consoles) -> None:
    tickets = {consoles.ticket(CLAIM) for _ in range(50)}
    assert len(tickets) == 50
    kept = repr(vars(consoles))
    assert not any(ticket in kept for ticket in tickets) and "session'" not in kept


def test_it_is_good_for_a_moment(consoles: Consoles, clock: Clock) -> None:
    ticket, late = consoles.ticket(CLAIM), consoles.ticket(CLAIM)
    clock.s = TICKET_S - 1
    assert consoles.redeem(ticket, HOLDER, "uid") == CLAIM
    clock.s = TICKET_S
    assert consoles.redeem(late, HOLDER, "uid") is None


@pytest.mark.parametrize(
    ("holder", "uid"),
    [
        (Holder("ada", b"session"), "uid"),
        (Holder("otto", b"another session"), "uid"),
        (Holder("otto"), "uid"),
        (HOLDER, "that of another machine of the name"),
        (HOLDER, ""),
    ],
)
def test_who_finds_one_spoils_it(consoles: Consoles, holder: Holder, uid: str) -> None:
    ticket = consoles.ticket(CLAIM)
    assert consoles.redeem(ticket, holder, uid) is None
    assert consoles.redeem(ticket, HOLDER, "uid") is None, "it may be in others' hands"


def test_who_cannot_show_theirs_has_it_looked_up_once_and_for_that_screen(consoles: Consoles, clock: Clock) -> None:
    ticket = consoles.ticket(CLAIM)
    serial, screen = ConsoleKind.SERIAL, ConsoleKind.VNC
    for holder, uid, kind in (
        (Holder("ada", b"session"), "uid", screen),
        (Holder("otto", b"another session"), "uid", screen),
        (Holder("otto"), "uid", screen),
        (HOLDER, "another", screen),
        (HOLDER, "", screen),
        (HOLDER, "uid", serial),
    ):
        assert consoles.redeem_held(holder, "", uid, kind) is None
    assert consoles.redeem_held(HOLDER, "", "uid", screen) == CLAIM
    assert consoles.redeem_held(HOLDER, "", "uid", screen) is None
    assert consoles.redeem(ticket, HOLDER, "uid") is None, "it is spent by either way"
    consoles.ticket(CLAIM)
    clock.s += TICKET_S
    assert consoles.redeem_held(HOLDER, "", "uid", screen) is None


def test_where_there_is_no_session_it_has_to_be_the_peer_that_asked(consoles: Consoles) -> None:
    api = Holder("api")
    consoles.ticket(Claim("uid", ConsoleKind.VNC, api, Client("api", peer="192.0.2.7")))
    assert consoles.redeem_held(api, "192.0.2.8", "uid", ConsoleKind.VNC) is None
    assert consoles.redeem_held(api, "192.0.2.7", "uid", ConsoleKind.VNC) is not None


def test_nobody_can_ask_for_so_many_that_others_lose_theirs(consoles: Consoles) -> None:
    other = Claim("uid", ConsoleKind.VNC, Holder("ada"), Client("ada"))
    theirs, first = consoles.ticket(other), consoles.ticket(CLAIM)
    last = [consoles.ticket(CLAIM) for _ in range(5_000)][-1]
    assert consoles.redeem(theirs, Holder("ada"), "uid") == other
    assert consoles.redeem(first, HOLDER, "uid") is None
    assert consoles.redeem(last, HOLDER, "uid") == CLAIM


def test_who_was_sent_away_takes_nothing_from_who_came(consoles: Consoles) -> None:
    first, second = (OpenLine(user, lambda _: None) for user in ("otto", "ada"))
    consoles.opened("uid", first)
    consoles.opened("uid", second)
    consoles.closed("uid", first)
    assert consoles.line("uid") is second
    consoles.closed("uid", second)
    assert consoles.line("uid") is None
