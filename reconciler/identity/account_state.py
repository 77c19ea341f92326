"""Whether a directory's account may come in, by what directories of several makers write into its entry. Pure.

The server itself has the last word when a password is proven. This is for who has proven it some time ago, and for what
servers let pass: a value that can't be read is taken for a no.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import Final

_DISABLED: Final = 0x2  # Active Directory's ADS_USER_FLAG_ENUM
_LOCKED_OUT: Final = 0x10
_NEVER: Final = frozenset({0, 0x7FFF_FFFF_FFFF_FFFF})
_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
_EPOCH_OF_WINDOWS: Final = datetime(1601, 1, 1, tzinfo=UTC)
_TIME: Final = re.compile(r"(\d{4})(\d\d)(\d\d)(\d\d)(\d\d)?(\d\d)?(?:[.,]\d+)?Z", re.ASCII)
_FOR_GOOD: Final = ("000001010000Z", "19700101000000Z")


def _moment(text: str) -> datetime:
    """As LDAP writes one. Raises ValueError."""
    found = _TIME.fullmatch(text)
    if found is None:
        raise ValueError(text)
    year, month, day, *of_day = (int(part or 0) for part in found.groups())
    return datetime(year, month, day, *of_day, tzinfo=UTC)  # type: ignore[misc,arg-type]


def _is_over(text: str, now: datetime) -> bool:
    return now >= _moment(text)


def _is_day_over(text: str, now: datetime) -> bool:
    """shadow(5): a day since 1970, none with -1."""
    return text != "-1" and now >= _EPOCH + timedelta(days=int(text))


def _is_over_in_windows(text: str, now: datetime) -> bool:
    """Steps of 100 ns since 1601."""
    return int(text) not in _NEVER and now >= _EPOCH_OF_WINDOWS + timedelta(microseconds=int(text) // 10)


def _is_still_locked(text: str, now: datetime) -> bool:
    """389's accountUnlockTime: until then, or for good."""
    return text in _FOR_GOOD or not _is_over(text, now)


_ALWAYS: Final[Mapping[str, Callable[[str, datetime], bool]]] = {
    "nsAccountLock": lambda text, _: text.lower() != "false",
    "pwdAccountLockedTime": lambda text, _: text in _FOR_GOOD,
    "pwdReset": lambda text, _: text.lower() != "false",  # a new password comes first
    "pwdEndTime": _is_over,
    "accountUnlockTime": _is_still_locked,
    "krbPrincipalExpiration": _is_over,
    "shadowExpire": _is_day_over,
    "userAccountControl": lambda text, _: bool(int(text) & _DISABLED),
    "msDS-User-Account-Control-Computed": lambda text, _: bool(int(text) & _LOCKED_OUT),
    "accountExpires": _is_over_in_windows,
}
ATTRIBUTES: Final = tuple(_ALWAYS)


def is_closed(values: Callable[[str], Sequence[bytes]], now: datetime, *, just_proven: bool = False) -> bool:
    """Whether it is disabled, locked or expired. `values` gives those of an attribute; `just_proven`: the server has
    let it in, which says that a lock for some time is over.
    """
    if not just_proven and values("pwdAccountLockedTime"):
        return True
    for attribute, says_no in _ALWAYS.items():
        for value in values(attribute):
            try:
                if says_no(value.decode("ascii").strip(), now):
                    return True
            except (ValueError, OverflowError):  # also what isn't text
                return True
    return False
