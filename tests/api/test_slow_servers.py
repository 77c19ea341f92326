"""Servers that are asked for a client, and never answer, keep nobody else waiting."""

from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import httpx
import pytest

from tests.api.live import LiveApi, api
from tests.lab.waiting import until
from tests.network.misbehaving import misbehaving, silent

__all__ = ["api"]

VOLUMES = "/storagepools/default-pool/storagevolumes"


def test_many_who_ask_a_silent_server_leave_the_threads_of_writes_to_others(api: LiveApi) -> None:
    ended: list[tuple[int, Any]] = []

    def ask(url: str) -> None:
        answer = httpx.post(f"{api.url}{VOLUMES}", json={"url": url}, timeout=120)
        ended.append((answer.status_code, answer.json()["reason"]))

    with ThreadPoolExecutor(40) as people, misbehaving(silent) as server:
        for number in range(40):
            people.submit(ask, f"http://127.0.0.1:{server.port}/{number}.iso")
        until(lambda: len(ended) == 32, 60, "those who are too many are sent away")
        assert {status for status, _ in ended} == {503}
        assert api.client.put("/vms/test", json={"users": ["root"]}).status_code == 200
        assert server.came == 8
        assert len(ended) == 32  # the others still wait
    assert sorted(status for status, _ in ended) == [400] * 8 + [503] * 32
    until(lambda: not [each for each in threading.enumerate() if each.name == "onggi-download"], 60, "none is left")
    assert api.log() == ["Change machine test"]


@pytest.mark.parametrize(
    "host",
    ["169.254.169.254", "[::1]", "10.0.0.1", "[::ffff:169.254.169.254]", "[64:ff9b::a9fe:a9fe]", "[::127.0.0.1]"],
)
def test_what_may_not_be_fetched_is_refused_before_anything_is_committed(api: LiveApi, host: str) -> None:
    url = f"http://{host}/latest/image.iso"
    volume = api.client.post(VOLUMES, json={"url": url})
    drive = api.client.post("/vms/test/storages", json={"type": "cdrom", "path": url})
    for answer, code in ((volume, "KCHVOL0022E"), (drive, "KCHVMSTOR0003E")):
        assert answer.status_code == 400, answer.text
        assert answer.json()["reason"].startswith(f"{code}: ")
        assert "allowed-network" in answer.json()["reason"]
    assert api.log() == []
