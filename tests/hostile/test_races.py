"""Clients at the same moment: one wins, the others are told, no change is lost, and nobody waits for strangers."""

from __future__ import annotations

import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

import httpx
import pytest

from reconciler.serving.client import Client
from tests.api.conftest import api, hand, templates
from tests.api.live import LiveApi
from tests.api.machines import make

__all__ = ["api", "hand", "templates"]

MANY = 32
POOL = "/storagepools/default-pool"


def at_once(ask: Callable[[int], httpx.Response], many: int = MANY) -> list[httpx.Response]:
    ready = threading.Barrier(many)

    def asked(number: int) -> httpx.Response:
        ready.wait()
        return ask(number)

    with ThreadPoolExecutor(many) as workers:
        return list(workers.map(asked, range(many)))


@pytest.mark.parametrize(
    ("path", "body"),
    [
        ("/networks", {"name": "same", "connection": "isolated"}),
        ("/storagepools", {"name": "same", "type": "dir", "path": "/same"}),
        ("/templates", {"name": "same", "cdrom": "http://127.0.0.1/x.iso", "storagepool": POOL}),
        (f"{POOL}/storagevolumes", {"name": "same.qcow2", "capacity": 1 << 20}),
        ("/vms", {"name": "same", "template": "/templates/small"}),
        ("/vms/test/ifaces", {"type": "network", "network": "default", "mac": "52:54:00:12:34:56"}),
    ],
)  # fmt: skip
def test_of_many_who_want_the_same_name_one_gets_it(templates: LiveApi, path: str, body: dict[str, object]) -> None:
    client = templates.client
    assert client.post("/vms/test/poweroff").status_code == 200
    answers = at_once(lambda _number: client.post(path, json=body))
    good = [answer for answer in answers if answer.status_code in (201, 202)]
    ended = [templates.task(answer)["status"] for answer in good if answer.status_code == 202]
    assert (len(good), set(ended) - {"finished"}) == (1, set())
    assert {answer.status_code for answer in answers if answer not in good} == {400}


def test_of_many_who_saw_the_same_machine_one_changes_it(templates: LiveApi) -> None:
    make(templates)
    seen = templates.client.get("/vms/web").headers["ETag"]

    def change(number: int) -> httpx.Response:
        return templates.client.put("/vms/web", json={"memory": 1024 + number}, headers={"If-Match": seen})

    answers = at_once(change, 8)
    good = [number for number, answer in enumerate(answers) if answer.status_code == 200]
    assert len(good) == 1
    assert {answer.status_code for answer in answers} == {200, 412}
    assert templates.client.get("/vms/web").json()["memory"] == 1024 + good[0]


def test_writes_that_wait_keep_nobody_from_reading(api: LiveApi) -> None:
    stuck = threading.Event()
    begun = threading.Semaphore(0)

    def wait(_documents: object) -> list[object]:
        begun.release()
        assert stuck.wait(120)
        return []

    holder = threading.Thread(target=lambda: api.serving.changes.make(wait, "", Client("test"), []))  # type: ignore[arg-type]
    holder.start()
    try:
        assert begun.acquire(timeout=60)
        with ThreadPoolExecutor(2 * MANY) as workers:
            writes = [
                workers.submit(api.client.post, "/networks", json={"name": f"n{number}", "connection": "isolated"})
                for number in range(2 * MANY)
            ]
            try:
                with httpx.Client(base_url=api.url, timeout=60) as reader:
                    assert reader.get(f"{POOL}/storagevolumes").status_code == 200
                    assert reader.get("/users").status_code == 200
            finally:
                stuck.set()
            assert {write.result().status_code for write in writes} == {201}
    finally:
        stuck.set()
        holder.join()
