"""What directories of several makers write into the entry of an account that may not come in."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from reconciler.identity.account_state import ATTRIBUTES, is_closed

NOW = datetime(2026, 11, 30, 12, tzinfo=UTC)
OF_GOOD_ACCOUNTS = {
    "nsAccountLock": "false",
    "pwdReset": "FALSE",
    "pwdEndTime": "20261130120001Z",
    "accountUnlockTime": "20261130115959Z",
    "krbPrincipalExpiration": "20270101000000Z",
    "shadowExpire": "20788",
    "userAccountControl": "512",
    "msDS-User-Account-Control-Computed": "8388608",
    "accountExpires": "9223372036854775807",
}


def closed(attribute: str, value: bytes, *, just_proven: bool = False) -> bool:
    found = {attribute: [value]}
    return is_closed(lambda wanted: found.get(wanted, ()), NOW, just_proven=just_proven)


@pytest.mark.parametrize(
    ("attribute", "value"), [*OF_GOOD_ACCOUNTS.items(), ("shadowExpire", "-1"), ("accountExpires", "0")]
)
def test_an_account_may_come_in(attribute: str, value: str) -> None:
    assert not closed(attribute, value.encode())


@pytest.mark.parametrize(
    ("attribute", "value"),
    [
        ("nsAccountLock", "true"),
        ("nsAccountLock", "TRUE"),
        ("pwdAccountLockedTime", "000001010000Z"),
        ("pwdReset", "TRUE"),
        ("pwdEndTime", "20261130120000Z"),
        ("accountUnlockTime", "20261130120001Z"),
        ("accountUnlockTime", "19700101000000Z"),
        ("krbPrincipalExpiration", "20261130115959.123Z"),
        ("shadowExpire", "20787"),
        ("shadowExpire", "0"),
        ("userAccountControl", "514"),
        ("userAccountControl", "66050"),
        ("msDS-User-Account-Control-Computed", "16"),
        ("accountExpires", "132223104000000000"),
    ],
)
@pytest.mark.parametrize("just_proven", [True, False])
def test_an_account_that_is_disabled_locked_or_expired_may_not(attribute: str, value: str, just_proven: bool) -> None:
    assert closed(attribute, value.encode(), just_proven=just_proven)


def test_a_lock_for_some_time_is_over_for_whom_the_server_lets_in() -> None:
    assert closed("pwdAccountLockedTime", b"20261130115000Z")
    assert not closed("pwdAccountLockedTime", b"20261130115000Z", just_proven=True)


@pytest.mark.parametrize("value", [b"", b"x", b"\xff", b"9" * 400, b"20261399000000Z", "\u0661".encode(), b"1e3"])
@pytest.mark.parametrize("attribute", [each for each in ATTRIBUTES if each != "pwdAccountLockedTime"])
def test_what_cannot_be_read_is_a_no(attribute: str, value: bytes) -> None:
    assert closed(attribute, value)
