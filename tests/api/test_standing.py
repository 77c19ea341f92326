"""What goes on without further requests, a stream of events or a console, ends with what its reader came by."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import replace
from pathlib import Path

import httpx
import libvirt
import pytest

from reconciler.identity.role import Role
from reconciler.ledger.ledger import Ledger
from tests.api.consoles import end_of, opened, with_screen
from tests.api.live import LiveApi, live_api
from tests.api.test_events import following
from tests.api.test_proxied import KIM, NOBODY, SAYS, logins
from tests.api.test_seen_events import session_of
from tests.api.test_tokens import shown, token_of
from tests.lab import people
from tests.lab.people import ADMIN, logins_of_each_role
from tests.lab.repositories import Repository
from tests.lab.screens import GREETING, screen
from tests.lab.standing_before import standing_before
from tests.lab.waiting import until

WaitForEnd = Callable[[], None]
Lasting = Callable[[LiveApi, dict[str, str]], AbstractContextManager[WaitForEnd]]


@pytest.fixture
def api(
    hand: libvirt.virConnect, repository: Repository, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Iterator[LiveApi]:
    """With a machine that has a screen; accounts are looked at again each time."""
    monkeypatch.setattr("reconciler.identity.logins._LOOK_AGAIN_S", 0.0)
    monkeypatch.setattr("api.http.standing.AGAIN_S", 0.0)
    repository.commit({}, "Begin")
    with screen() as drawn, live_api(repository, tmp_path / "state", logins=logins_of_each_role()) as running:
        running.client.auth = ADMIN
        with_screen(running, hand, drawn)
        yield running


@contextmanager
def stream(api: LiveApi, proof: dict[str, str]) -> Iterator[WaitForEnd]:
    with following(api, headers=proof) as follower:

        def ends() -> None:
            assert follower.ended.wait(60)

        yield ends


@contextmanager
def console(api: LiveApi, proof: dict[str, str]) -> Iterator[WaitForEnd]:
    answer = httpx.post(f"{api.url}/vms/byhand/connect", json={}, headers=proof)
    assert answer.status_code == 200, answer.text
    with opened(api, answer.json()["console"]["url"], headers=proof) as one:
        assert one.recv(60) == GREETING

        def ends() -> None:
            assert end_of(one)[0] == 4003

        yield ends


@pytest.mark.parametrize("lasting", [stream, console])
def test_it_ends_with_the_session(api: LiveApi, lasting: Lasting) -> None:
    session = session_of(api, "otto", "works")
    with lasting(api, session) as ends:
        assert httpx.post(f"{api.url}/logout", headers=session).status_code == 200
        ends()


@pytest.mark.parametrize("lasting", [stream, console])
def test_it_ends_with_the_role(api: LiveApi, lasting: Lasting, monkeypatch: pytest.MonkeyPatch) -> None:
    with lasting(api, session_of(api, "otto", "works")) as ends:
        monkeypatch.setitem(people._PASSWORDS, "otto", ("works", {"lookers"}))
        ends()


@pytest.mark.parametrize("lasting", [stream, console])
def test_it_ends_with_the_token(api: LiveApi, lasting: Lasting) -> None:
    state = api.agent.settings.state
    with lasting(api, shown(token_of(state, Role.OPERATOR))) as ends:
        with Ledger.open(state, readonly=True) as ledger:
            ledger.tokens.revoke(1)
        ends()


def test_what_a_proxy_vouched_for_lasts_no_longer_than_a_session(
    hand: libvirt.virConnect, repository: Repository, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    repository.commit({}, "Begin")
    with (
        live_api(repository, tmp_path / "state", logins=logins(), proxies=("user:nobody",), user_headers=SAYS) as api,
        standing_before(api.url.rpartition(":")[2], NOBODY.pw_uid, NOBODY.pw_gid) as url,
        following(replace(api, url=url), headers=KIM) as follower,
    ):
        assert not follower.ended.is_set()
        monkeypatch.setattr("api.http.standing.LONGEST_S", 0.0)
        assert follower.ended.wait(60)


def test_it_goes_on_as_long_as_what_it_came_by_holds(api: LiveApi) -> None:
    mine = shown(token_of(api.agent.settings.state, Role.VIEWER))
    with following(api, headers=mine) as follower:
        for number in range(3):
            body = {"name": f"n{number}", "connection": "isolated", "subnet": f"192.168.{100 + number}.0/24"}
            assert api.client.post("/networks", json=body).status_code == 201
            until(lambda: len(follower.events) > number, 60, "it goes on")  # noqa: B023  # asked in this round
        assert not follower.ended.is_set()
