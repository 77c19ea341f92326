"""/websockify: who opens a screen by its machine's name, as clients of Kimchi do, needs what everybody needs."""

from __future__ import annotations

import base64
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import urlsplit

import httpx
import libvirt
import pytest
from websockets.exceptions import InvalidStatus
from websockets.sync.client import connect

from tests.api.consoles import opened, refusal, ticket, with_screen
from tests.api.live import LiveApi, live_api
from tests.lab.people import ADMIN, OPERATOR, OTHER, USER, VIEWER, logins_of_each_role
from tests.lab.repositories import Repository
from tests.lab.screens import GREETING, HELLO, Screen, screen
from tests.lab.waiting import until

KEY = b"\x04\x01\x00\x00\x00\x00\x00a"


@pytest.fixture
def drawn(hand: libvirt.virConnect) -> Iterator[Screen]:
    with screen() as made:
        yield made


@pytest.fixture
def peopled(hand: libvirt.virConnect, repository: Repository, tmp_path: Path, drawn: Screen) -> Iterator[LiveApi]:
    repository.commit({}, "Begin")
    with live_api(repository, tmp_path / "state", logins=logins_of_each_role(), most_consoles=4) as running:
        running.client.auth = ADMIN
        with_screen(running, hand, drawn)
        yield running


def at(name: str = "byhand", *, padded: bool = True) -> str:
    token = base64.urlsafe_b64encode(name.encode()).decode()
    return f"/websockify?token={token if padded else token.rstrip('=')}"


def proof(who: httpx.BasicAuth) -> dict[str, str]:
    return {"Authorization": who._auth_header}


def cookie(api: LiveApi, who: str, password: str) -> dict[str, str]:
    with httpx.Client(base_url=api.url, timeout=60) as client:
        answer = client.post("/login", json={"username": who, "password": password})
    assert answer.status_code == 200, answer.text
    (name, value), *_ = answer.cookies.items()
    return {"Cookie": f"{name}={value}"}


def test_a_client_of_kimchi_gets_the_screen_once_for_each_connect(
    api: LiveApi, hand: libvirt.virConnect, drawn: Screen
) -> None:
    for name in ("byhand", "größe~~~", "a.b"):
        with_screen(api, hand, drawn, name)
        for padded in (True, False):
            ticket(api, name)
            with opened(api, at(name, padded=padded)) as one:
                assert one.recv(60) == GREETING
                one.send(HELLO + KEY)
                drawn.wait_for(HELLO + KEY)
            status, told = refusal(api, at(name, padded=padded))
            assert status == 403 and "no such ticket" in told
    spent = ticket(api)
    with opened(api, f"/plugins/kimchi{at()}") as one:
        assert one.recv(60) == GREETING
    assert refusal(api, spent)[0] == 403, "there is one ticket, by whichever address it is used"


def test_the_port_is_the_one_that_the_configuration_tells(
    api: LiveApi, hand: libvirt.virConnect, drawn: Screen
) -> None:
    with_screen(api, hand, drawn)
    ticket(api)
    port = api.client.get("/config").json()["display_proxy_port"]
    address = f"ws://{urlsplit(api.url).hostname}:{port}{at()}"
    with connect(address, subprotocols=["binary", "base64"], proxy=None, compression=None) as one:  # type: ignore[list-item]
        assert one.subprotocol == "binary" and one.recv(60) == GREETING
    ticket(api)
    with pytest.raises(InvalidStatus) as refused, connect(address, subprotocols=["base64"], proxy=None):  # type: ignore[list-item]
        pass
    assert refused.value.response.status_code == 400 and b"`binary`" in (refused.value.response.body or b"")
    with opened(api, at()) as one:  # who is refused for that has spent nothing
        assert one.recv(60) == GREETING


@pytest.mark.parametrize("token", ["", "?", "byhand!", "a", "/w==", "A" * 5000])
def test_what_is_no_name_in_base64_is_refused_in_words(api: LiveApi, token: str) -> None:
    status, told = refusal(api, f"/websockify?token={token}")
    assert status == 400 and "base64" in told


def test_another_sites_page_gets_none(api: LiveApi, hand: libvirt.virConnect, drawn: Screen) -> None:
    with_screen(api, hand, drawn)
    ticket(api)
    for headers in ({"Origin": "http://elsewhere.example"}, {"Origin": "null"}, {"Sec-Fetch-Site": "cross-site"}):
        status, told = refusal(api, at(), headers=headers)
        assert status == 403 and "Another site's page" in told
    with opened(api, at(), headers={"Origin": api.url}) as own:
        assert own.recv(60) == GREETING


def test_a_name_alone_opens_nothing(peopled: LiveApi) -> None:
    assert refusal(peopled, at(), headers=proof(ADMIN))[0] == 403
    assert refusal(peopled, at("nobody"), headers=proof(ADMIN))[0] == 403


def test_it_is_for_who_asked_by_connect_in_the_same_session(peopled: LiveApi) -> None:
    session, another = cookie(peopled, "otto", "works"), cookie(peopled, "otto", "works")
    asked = httpx.post(f"{peopled.url}/vms/byhand/connect", headers=session | {"X-Requested-With": "XMLHttpRequest"})
    assert asked.status_code == 200, asked.text
    assert refusal(peopled, at(), headers=another)[0] == 403
    assert refusal(peopled, at(), headers=proof(OPERATOR))[0] == 403
    assert refusal(peopled, at(), headers=proof(ADMIN))[0] == 403
    assert refusal(peopled, at())[0] == 401
    with opened(peopled, at(), headers=session | {"Origin": peopled.url}) as one:
        assert one.recv(60) == GREETING
    assert refusal(peopled, at(), headers=session)[0] == 403


def test_who_only_looks_types_nothing_here_either(peopled: LiveApi, drawn: Screen) -> None:
    ticket(peopled, auth=VIEWER)
    with opened(peopled, at(), headers=proof(VIEWER)) as one:
        assert one.recv(60) == GREETING
        one.send(HELLO + KEY + b"\x03\x00\x00\x00\x00\x00\x00\x10\x00\x10")
        drawn.wait_for(HELLO + b"\x03\x00\x00\x00\x00\x00\x00\x10\x00\x10")


def test_for_another_user_the_machine_is_not_there_and_its_owner_works_in_it(peopled: LiveApi, drawn: Screen) -> None:
    unseen, absent = (refusal(peopled, at(name), headers=proof(OTHER)) for name in ("byhand", "nobody"))
    assert unseen[0] == absent[0] == 404
    assert unseen[1].replace("byhand", "nobody") == absent[1]
    assert peopled.client.put("/vms/byhand", json={"title": "Adopted"}).status_code == 200
    before = peopled.text("vms/byhand.yaml").rstrip()
    peopled.repository.commit({"vms/byhand.yaml": f"{before}\n  access: {{users: [uma]}}\n"})
    until(lambda: peopled.client.get("/vms/byhand", auth=USER).status_code == 200, 60, "it is hers")
    ticket(peopled, auth=USER)
    with opened(peopled, at(), headers=proof(USER)) as one:
        assert one.recv(60) == GREETING
        one.send(HELLO + KEY)
        drawn.wait_for(HELLO + KEY)
    assert refusal(peopled, at(), headers=proof(OTHER))[0] == 404


def test_both_addresses_share_the_places_of_consoles(peopled: LiveApi) -> None:
    held = []
    for opens in (at(), "", at()):  # of four
        url = ticket(peopled, auth=OPERATOR)
        held.append(opened(peopled, opens or url, headers=proof(OPERATOR)).__enter__())
    ticket(peopled, auth=OPERATOR)
    status, told = refusal(peopled, at(), headers=proof(OPERATOR))
    assert status == 503 and "--most-consoles" in told
    for one in held:
        one.close()
