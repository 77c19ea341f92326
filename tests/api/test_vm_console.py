"""/vms/{name}/console on the test driver: a WebSocket to a screen that the test draws itself."""

from __future__ import annotations

from collections.abc import Iterator

import libvirt
import pytest

from tests.api.consoles import end_of, opened, refusal, ticket, with_screen
from tests.api.live import LiveApi
from tests.lab.screens import GREETING, HELLO, Screen, screen

KEY = b"\x04\x01\x00\x00\x00\x00\x00a"


@pytest.fixture
def drawn(api: LiveApi, hand: libvirt.virConnect) -> Iterator[Screen]:
    with screen() as made:
        with_screen(api, hand, made)
        yield made


def test_a_screen_is_shown_and_hears_its_viewer(api: LiveApi, drawn: Screen) -> None:
    with opened(api, ticket(api)) as one:
        assert one.recv(60) == GREETING
        one.send(HELLO)
        one.send(KEY)
        drawn.wait_for(HELLO + KEY)
        drawn.viewers[0].sendall(b"x" * 5_000_000)
        got = 0
        while got < 5_000_000:
            piece = one.recv(60)
            assert set(piece) == {ord("x")}
            got += len(piece)


def test_a_ticket_is_good_once(api: LiveApi, drawn: Screen) -> None:
    url = ticket(api)
    with opened(api, url) as one:
        assert one.recv(60) == GREETING
        used = refusal(api, url)
    wrong = refusal(api, "/vms/byhand/console?ticket=x")
    assert used == wrong == refusal(api, "/vms/byhand/console") == refusal(api, "/vms/nobody/console?ticket=x")
    assert used[0] == 403 and "no such ticket" in used[1]


def test_a_console_ends_with_its_machine(api: LiveApi, drawn: Screen) -> None:
    with opened(api, ticket(api)) as one:
        assert one.recv(60) == GREETING
        drawn.close()
        assert end_of(one) == (4001, "The machine stopped, or its console was closed.")
