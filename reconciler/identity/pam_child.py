"""What answers in the child: this machine's accounts, by PAM and by the name service. Any module of theirs may hang."""

from __future__ import annotations

import grp
import os
import pwd
from collections.abc import Callable
from typing import Any, Final

import pamela

from reconciler.confined.frames import Frame

# Of pam_authenticate(3) and pam_acct_mgmt(3): it can't be found out now. Whatever else isn't success is a refusal.
_UNAVAILABLE: Final = frozenset({1, 2, 3, 4, 5, 9, 26})
_LONGEST: Final = 256  # characters of a name, as login(1) takes it


def answers(task: dict[str, Any]) -> Callable[[Frame], Frame]:
    """What answers questions about the service `task["service"]`."""
    service = str(task["service"])

    def answer(question: Frame) -> Frame:
        name = str(question.header["name"])
        if not 0 < len(name) <= _LONGEST or "\0" in name:
            return Frame({"known": False})
        if question.parts:
            return _proven(service, name, question.parts[0])
        return _allowed(service, name)

    return answer


def _proven(service: str, name: str, password: bytes) -> Frame:
    """Whether the password is that user's. One that is empty is nobody's, whatever a module would say."""
    if not password or b"\0" in password:
        return Frame({"known": False})
    try:
        pamela.authenticate(name.encode(), password.decode(), service=service)
    except pamela.PAMError as error:
        return Frame({"known": None if error.errno in _UNAVAILABLE else False})
    except UnicodeError:
        return Frame({"known": False})
    return _account(name)


def _allowed(service: str, name: str) -> Frame:
    """Whether an account that was let in may still come in: not expired, locked or removed."""
    try:
        pamela.check_account(name, service=service)
    except pamela.PAMError as error:
        return Frame({"known": None if error.errno in _UNAVAILABLE else False})
    return _account(name)


def _account(name: str) -> Frame:
    """The name as the account has it, and its groups."""
    try:
        found = pwd.getpwnam(name)
    except (KeyError, ValueError):
        return Frame({"known": False})
    groups = []
    for number in os.getgrouplist(found.pw_name, found.pw_gid):
        try:
            groups.append(grp.getgrgid(number).gr_name)
        except KeyError:
            continue
    return Frame({"known": True, "name": found.pw_name, "groups": groups})
