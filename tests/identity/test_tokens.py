"""A token is taken as it was shown, until it ends; anything else is nobody's, and guessing gets slow."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from reconciler.errors import Conflict, NotFound, StateError
from reconciler.identity.logins import TooManyError
from reconciler.identity.role import Role
from reconciler.identity.sessions import LoggedIn
from reconciler.identity.tokens import Tokens, digest_of, new_token
from reconciler.ledger.database import DATABASE_NAME
from reconciler.ledger.ledger import Ledger

PEER = "192.0.2.7"
BEGIN = datetime(2026, 11, 30, 12, tzinfo=UTC)


@dataclass
class Clock:
    now: datetime = field(default=BEGIN)

    def __call__(self) -> datetime:
        return self.now

    def ticks(self) -> float:
        return (self.now - BEGIN).total_seconds()

    def passes(self, seconds: float) -> None:
        self.now += timedelta(seconds=seconds)


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def ledger(tmp_path: Path, clock: Clock) -> Iterator[Ledger]:
    """Of whoever gives commands beside the agent."""
    with Ledger.open(tmp_path, readonly=True, clock=clock) as opened:
        yield opened


@pytest.fixture
def tokens(tmp_path: Path, clock: Clock) -> Iterator[Tokens]:
    """The agent's."""
    with Ledger.open(tmp_path, clock=clock) as opened:
        yield Tokens(opened.tokens, clock, clock.ticks)


def made(
    ledger: Ledger, name: str = "backup", role: str = "viewer", lasts: timedelta | None = timedelta(days=90)
) -> str:
    token = new_token()
    digest = digest_of(token)
    assert digest is not None
    ledger.tokens.make(name, role, maker="ada", lasts=lasts, digest=digest)
    return token


def who(tokens: Tokens, token: str, peer: str = PEER) -> LoggedIn | None:
    """The same; a peer that has to wait is told so in another way."""
    try:
        return tokens.who(token, peer)
    except TooManyError:
        return None


def test_a_token_is_known_from_afar_and_no_two_are_the_same() -> None:
    shown = {new_token() for _ in range(100)}
    assert len(shown) == 100 and all(re.fullmatch(r"onggi_[0-9A-Za-z]{49}", token) for token in shown)


def test_a_running_agent_takes_a_new_token_at_once_and_a_revoked_one_no_more(tokens: Tokens, ledger: Ledger) -> None:
    stranger = new_token()
    assert tokens.who(stranger, PEER) is None
    token = made(ledger, role="operator")
    found = tokens.who(token, PEER)
    assert found is not None and (found.identity.name, found.identity.maker) == ("token backup", "ada")
    assert found.role is Role.OPERATOR and found.identity.groups == frozenset()
    ledger.tokens.revoke(1)
    assert tokens.who(token, PEER) is None
    with pytest.raises(NotFound):
        ledger.tokens.revoke(1)


def test_a_token_ends_when_it_was_said_to(tokens: Tokens, ledger: Ledger, clock: Clock) -> None:
    token, lasting = made(ledger), made(ledger, "forever", lasts=None)
    clock.passes(90 * 86400 - 1)
    assert tokens.who(token, PEER) is not None
    clock.passes(1)
    assert tokens.who(token, PEER) is None
    clock.passes(86400 * 36500)
    assert tokens.who(lasting, PEER) is not None


def test_whatever_is_not_the_whole_token_is_nobodys(tokens: Tokens, ledger: Ledger) -> None:
    token = made(ledger)
    twins = {token[:end] for end in range(len(token))} | {token[start:] for start in range(1, len(token))}
    twins |= {token.swapcase(), token.lower(), token.upper(), f"{token} ", f"{token}\n", f"{token}0", f"ｏ{token[1:]}"}
    for place in range(len(token)):
        for bit in range(7):
            twins.add(token[:place] + chr(ord(token[place]) ^ 1 << bit) + token[place + 1 :])
    assert token not in twins
    assert [twin for twin in twins if who(tokens, twin, repr(twin)) is not None] == []
    assert tokens.who(token, PEER) is not None


def test_a_checksum_that_fits_makes_no_token(tokens: Tokens, ledger: Ledger) -> None:
    made(ledger)
    assert all(tokens.who(new_token(), f"198.51.100.{number}") is None for number in range(20))


def test_guessing_gets_slow_by_peer_and_keeps_no_right_one_out(tokens: Tokens, ledger: Ledger, clock: Clock) -> None:
    token = made(ledger)
    for _ in range(5):
        assert tokens.who("onggi_wrong", PEER) is None
    for _ in range(3):
        with pytest.raises(TooManyError):
            tokens.who(new_token(), PEER)
    assert tokens.who(token, PEER) is not None
    assert tokens.who("onggi_wrong", "192.0.2.8") is None, "another peer pays for nothing"
    clock.passes(61)
    assert tokens.who("onggi_wrong", PEER) is None


def test_the_list_tells_the_last_use_to_the_hour(tokens: Tokens, ledger: Ledger, clock: Clock) -> None:
    token = made(ledger)
    assert ledger.tokens.all()[0].used == ""
    tokens.who(token, PEER)
    clock.passes(1800)
    tokens.who(token, PEER)
    assert ledger.tokens.all()[0].used == "2026-11-30T12:00:00.000Z"
    clock.passes(1800)
    tokens.who(token, PEER)
    assert ledger.tokens.all()[0].used == "2026-11-30T13:00:00.000Z"


def test_a_full_disk_keeps_no_right_token_out(
    tokens: Tokens, ledger: Ledger, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def full(*_: object) -> None:
        raise StateError("the disk of the state is full")

    token = made(ledger)
    monkeypatch.setattr("reconciler.ledger.token_store.TokenStore.note_use", full)
    assert tokens.who(token, PEER) is not None and tokens.who(token, PEER) is not None
    assert len(caplog.records) == 1 and token not in caplog.text


@pytest.mark.parametrize("twin", ["backup", "Backup", "ＢＡＣＫＵＰ"])
def test_a_name_is_one_tokens_for_ever(ledger: Ledger, twin: str) -> None:
    made(ledger)
    ledger.tokens.revoke(1)
    with pytest.raises(Conflict, match="choose another name"):
        made(ledger, twin)
    assert ledger.tokens.all() == []


def test_nothing_of_a_token_is_kept_but_its_hash(tokens: Tokens, ledger: Ledger, tmp_path: Path) -> None:
    token = made(ledger)
    assert tokens.who(token, PEER) is not None
    kept = b"".join(file.read_bytes() for file in tmp_path.rglob("*") if file.is_file())
    assert b"backup" in kept
    for secret in (token, token[6:], token[6:49], token[-12:]):
        assert secret.encode() not in kept
    assert str(digest_of(token)) not in repr(ledger.tokens.all())


def test_a_state_that_was_put_in_the_place_of_another_counts_at_once(
    tokens: Tokens, ledger: Ledger, tmp_path: Path, tmp_path_factory: pytest.TempPathFactory
) -> None:
    token = made(ledger)
    assert tokens.who(token, PEER) is not None
    other = tmp_path_factory.mktemp("other")
    Ledger.open(other).close()
    (other / DATABASE_NAME).replace(tmp_path / DATABASE_NAME)
    for side in tmp_path.glob(f"{DATABASE_NAME}-*"):
        side.unlink()
    assert tokens.who(token, PEER) is None
