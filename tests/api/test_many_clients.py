"""Thirty-two clients read while the agent applies a hundred changes: no error, and no answer that was never true."""

from __future__ import annotations

import threading

import httpx

from tests.api.live import LiveApi
from tests.lab.waiting import until

CLIENTS = 32
CHANGES = 100
NETWORK = (
    "apiVersion: onggi/v1\nkind: Network\nmetadata:\n  name: {name}\nspec:\n  mode: isolated\n  active: {active}\n"
)


def documents(count: int, active: str) -> dict[str, str]:
    return {f"networks/n{n}.yaml": NETWORK.format(name=f"n{n}", active=active) for n in range(count)}


def test_readers_see_whole_states_and_no_errors(api: LiveApi) -> None:
    api.repository.commit(documents(CHANGES, "false"), "A hundred")
    until(lambda: len(api.client.get("/networks").json()) == CHANGES + 1, 120, "all networks are there")
    stop = threading.Event()
    failures: list[str] = []
    reads = [0] * CLIENTS

    def reader(number: int) -> None:
        with httpx.Client(base_url=api.url, timeout=120) as client:
            while not stop.is_set():
                for path in ("/networks", f"/networks/n{number}", "/networks?state=active"):
                    answer = client.get(path)
                    reads[number] += 1
                    if answer.status_code != 200:
                        failures.append(f"{path}: {answer.text}")
                        return
                    members = answer.json() if isinstance(answer.json(), list) else [answer.json()]
                    if "?" not in path and len(members) not in (1, CHANGES + 1):
                        failures.append(f"{path}: {len(members)} members")
                    failures.extend(
                        f"{path}: {member}" for member in members if member["state"] not in ("active", "inactive")
                    )

    readers = [threading.Thread(target=reader, args=(number,)) for number in range(CLIENTS)]
    for each in readers:
        each.start()
    try:
        until(lambda: min(reads) > 0, 120, "everybody reads")
        api.repository.commit(documents(CHANGES, "true"), "Start them")
        until(lambda: _active(api) == CHANGES + 1, 120, "all networks are active")
        for number in range(10):
            assert api.client.post(f"/networks/n{number}/deactivate").json()["state"] == "inactive"
            assert api.client.get(f"/networks/n{number}").json()["state"] == "inactive"
    finally:
        stop.set()
        for each in readers:
            each.join()
    assert failures == []
    assert min(reads) > 0


def _active(api: LiveApi) -> int:
    return sum(each["state"] == "active" for each in api.client.get("/networks").json())
