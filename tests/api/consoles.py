"""A machine of the test driver whose screen a test draws itself, and WebSockets to consoles."""

from __future__ import annotations

import ssl
from collections.abc import Mapping
from typing import Any
from urllib.parse import urlsplit

import httpx
import libvirt
import pytest
from websockets.exceptions import ConnectionClosed, InvalidStatus
from websockets.sync.client import ClientConnection, connect

from tests.api.live import LiveApi
from tests.api.parts import define
from tests.lab.screens import Screen


def with_screen(api: LiveApi, hand: libvirt.virConnect, drawn: Screen, name: str = "byhand", kind: str = "vnc") -> None:
    """A machine that runs, and whose screen that is."""
    screen = f"<graphics type='{kind}' port='{drawn.port}' autoport='no' listen='127.0.0.1'/>"
    define(hand, name, screen, start=True)
    api.serving.operations.look_again(None)


def ticket(api: LiveApi, name: str = "byhand", *, auth: httpx.Auth | None = None, **wanted: Any) -> str:
    """The address of a console, good once."""
    answer = api.client.post(f"/vms/{name}/connect", json=wanted, auth=auth)
    assert answer.status_code == 200, answer.text
    return str(answer.json()["console"]["url"])


def opened(
    api: LiveApi, url: str, *, headers: Mapping[str, str] | None = None, context: ssl.SSLContext | None = None
) -> ClientConnection:
    """A WebSocket of that path."""
    base = urlsplit(api.url)
    scheme = "wss" if base.scheme == "https" else "ws"
    return connect(
        f"{scheme}://{base.netloc}{url}",
        additional_headers=dict(headers or {}),
        ssl=context,
        max_size=None,
        compression=None,
        proxy=None,
        open_timeout=60,
        close_timeout=60,
        ping_interval=None,
    )


def refusal(api: LiveApi, url: str, *, headers: Mapping[str, str] | None = None) -> tuple[int, str]:
    """The status and the body that a WebSocket is refused with."""
    try:
        with opened(api, url, headers=headers):
            raise AssertionError("it was granted")
    except InvalidStatus as error:
        return error.response.status_code, bytes(error.response.body or b"").decode()


def end_of(console: ClientConnection) -> tuple[int, str]:
    """The code and the reason that one is closed with, and nothing comes before."""
    with pytest.raises(ConnectionClosed) as ended:
        console.recv(60)
    assert ended.value.rcvd is not None
    return ended.value.rcvd.code, ended.value.rcvd.reason
