"""A console ends with the right to it: with the session, the role, the machine, and who has given it to somebody.

Accounts and passwords are this machine's, by PAM.
"""

from __future__ import annotations

import logging
from collections.abc import Iterator
from contextlib import contextmanager

import libvirt
import pytest
from websockets.sync.client import ClientConnection

from tests.api.consoles import end_of, opened, refusal, with_screen
from tests.api.live import LiveApi
from tests.api.test_login import Now, accounts, admins, api, changed, cookie, kim, log_in, logins, now
from tests.lab.accounts import Account, an_account
from tests.lab.screens import GREETING, Screen, screen

__all__ = ["accounts", "admins", "api", "kim", "logins", "now"]

Session = dict[str, str]


@pytest.fixture
def drawn(api: LiveApi, hand: libvirt.virConnect) -> Iterator[Screen]:
    with screen() as made:
        with_screen(api, hand, made)
        yield made


def ticket_in(api: LiveApi, session: Session, name: str = "byhand") -> str:
    answer = api.client.post(f"/vms/{name}/connect", headers=session)
    assert answer.status_code == 200, answer.text
    return str(answer.json()["console"]["url"])


@contextmanager
def shown_in(api: LiveApi, session: Session) -> Iterator[ClientConnection]:
    with opened(api, ticket_in(api, session), headers=session) as console:
        assert console.recv(60) == GREETING
        yield console


def test_a_ticket_is_its_sessions_alone_and_in_nobodys_log(
    api: LiveApi, kim: Account, drawn: Screen, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    session, another = cookie(log_in(api, kim.name)), cookie(log_in(api, kim.name))
    url = ticket_in(api, session)
    assert refusal(api, url)[0] == 401, "without a session it isn't even looked at"
    assert refusal(api, url, headers=another)[0] == 403
    assert refusal(api, url, headers=session)[0] == 403, "it was in others' hands"
    good = ticket_in(api, session)
    with opened(api, good, headers=session) as console:
        assert console.recv(60) == GREETING
    told = "\n".join(record.getMessage() for record in caplog.records if record.name.startswith(("onggi", "uvicorn")))
    secrets = [url.partition("ticket=")[2], good.partition("ticket=")[2], session["Cookie"]]
    assert not [secret for secret in secrets if secret in told]


def test_logging_out_ends_tickets_and_consoles(api: LiveApi, kim: Account, drawn: Screen) -> None:
    session = cookie(log_in(api, kim.name))
    url = ticket_in(api, session)
    with shown_in(api, session) as console:
        assert api.client.post("/logout", json={}, headers=session).status_code == 200
        code, reason = end_of(console)
    assert code == 4003 and "any more" in reason
    assert refusal(api, url, headers=session)[0] == 401


def test_another_role_ends_tickets_and_consoles(api: LiveApi, admins: str, now: Now, drawn: Screen) -> None:
    with an_account(admins) as account:
        session = cookie(log_in(api, account.name))
        url = ticket_in(api, session)
        with shown_in(api, session) as console, changed(lambda: account.leave(admins), lambda: account.join(admins)):
            now.s += 61
            assert end_of(console)[0] == 4003
            assert refusal(api, url, headers=session)[0] == 401


def test_an_open_console_does_not_keep_a_session_unless_somebody_works_in_it(
    api: LiveApi, kim: Account, now: Now, drawn: Screen
) -> None:
    session = cookie(log_in(api, kim.name))
    with shown_in(api, session) as console:
        now.s += 29 * 60
        console.send(b"RFB 003.008\n")
        drawn.wait_for(b"RFB 003.008\n")
        now.s += 29 * 60
        assert api.client.get("/vms", headers=session).status_code == 200
        now.s += 31 * 60
        assert end_of(console)[0] == 4003


def test_another_machine_of_the_name_is_another(
    api: LiveApi, kim: Account, hand: libvirt.virConnect, drawn: Screen
) -> None:
    session = cookie(log_in(api, kim.name))
    url = ticket_in(api, session)
    with shown_in(api, session) as console:
        machine = hand.lookupByName("byhand")
        machine.destroy()
        machine.undefine()
        with_screen(api, hand, drawn)
        assert end_of(console) == (4001, "The machine was removed.")
    assert refusal(api, url, headers=session)[0] == 403


def test_a_console_of_a_machine_that_stops_says_so(
    api: LiveApi, kim: Account, hand: libvirt.virConnect, drawn: Screen
) -> None:
    session = cookie(log_in(api, kim.name))
    with shown_in(api, session) as console:
        hand.lookupByName("byhand").destroy()
        api.serving.operations.look_again(None)
        assert end_of(console) == (4001, "The machine stopped.")
        refused = api.client.post("/vms/byhand/connect", json={"kind": "vnc"}, headers=session)
        assert (refused.status_code, refused.json()["reason"].partition(":")[0]) == (400, "KCHVM0083E")
        assert api.client.post("/vms/byhand/connect", headers=session).json()["console"] is None
