"""Listing updates takes its time: one listing serves everybody, and keeps nobody who asks for anything else waiting."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import httpx
import libvirt
import pytest

from reconciler.errors import Terminal, Transient
from reconciler.host.packages import AptPackages, Upgrade
from reconciler.serving.single_flight import SingleFlight
from tests.api.host import harmless_host
from tests.api.live import LiveApi, live_api
from tests.host.package_trees import AptTree, apt_tree
from tests.lab.repositories import Repository
from tests.lab.waiting import until

MANY = 40  # more than there are threads for reading


class Listing(AptPackages):
    """APT on a slow disk: a listing ends when it is let go."""

    def __init__(self, tree: AptTree) -> None:
        super().__init__(settings=tree.settings, root=tree.root)
        self.begun = 0
        self.go_on = threading.Event()

    def upgradable(self) -> tuple[Upgrade, ...]:
        self.begun += 1
        assert self.go_on.wait(60)
        return super().upgradable()


@pytest.fixture
def listing(tmp_path: Path) -> Listing:
    tree = apt_tree(tmp_path / "machine")
    tree.install(tree.publish("kimchi", "1.0"))
    tree.publish("kimchi", "1.1")
    apt = Listing(tree)
    apt._refresh(print, lambda: False)
    return apt


@pytest.fixture
def api(hand: libvirt.virConnect, repository: Repository, tmp_path: Path, listing: Listing) -> Iterator[LiveApi]:
    repository.commit({}, "Begin")
    host = harmless_host(tmp_path / "machine", packages=lambda: listing)
    with live_api(repository, tmp_path / "state", host=host) as running:
        yield running


def test_one_listing_serves_all_who_ask_meanwhile(api: LiveApi, listing: Listing) -> None:
    expected = {"package_name": "kimchi", "arch": "all", "version": "1.1", "repository": "localhost", "actions": []}
    with ThreadPoolExecutor(MANY) as people:
        paths = ["/host/packagesupdate", "/host/packagesupdate/kimchi"] * (MANY // 2)
        asked = [people.submit(httpx.get, f"{api.url}{path}", timeout=60) for path in paths]
        until(lambda: listing.begun == 1, 60, "the listing has begun")
        for path in ("/host/partitions", "/users", "/config/capabilities", "/host"):
            assert api.client.get(path).status_code == 200
        assert not any(each.done() for each in asked)
        listing.go_on.set()
        answers = [each.result().json() for each in asked]
    assert answers == [[expected], expected] * (MANY // 2)
    assert listing.begun == 1


def test_what_was_updated_is_listed_no_more(api: LiveApi, listing: Listing) -> None:
    listing.go_on.set()
    assert [each["package_name"] for each in api.client.get("/host/packagesupdate").json()] == ["kimchi"]
    assert api.task(api.client.post("/host/swupdate"))["status"] == "finished"
    assert api.client.get("/host/packagesupdate").json() == []
    assert api.client.get("/host/packagesupdate/kimchi").status_code == 404


def test_what_is_looked_for_while_it_changes_is_looked_for_again() -> None:
    go_on = threading.Event()
    answers: Iterator[str] = iter(["before", "after"])

    def ask() -> str:
        answer = next(answers)
        assert go_on.wait(60)
        return answer

    shared = SingleFlight(ask, "Asking", keep_s=3600)

    async def changed_meanwhile() -> list[str]:
        early = asyncio.ensure_future(shared(60))
        await asyncio.sleep(0)
        shared.forget()
        late = asyncio.ensure_future(shared(60))
        await asyncio.sleep(0)
        go_on.set()
        return [await early, await late, await shared(60)]

    assert asyncio.run(changed_meanwhile()) == ["before", "after", "after"]


def test_who_has_waited_long_is_told_to_come_again_and_finds_it_then() -> None:
    go_on = threading.Event()
    shared = SingleFlight(lambda: go_on.wait(60), "Listing the rice", keep_s=3600)

    async def wait(within_s: float) -> bool:
        return await shared(within_s)

    with pytest.raises(Transient, match="Listing the rice takes long; try again"):
        asyncio.run(wait(0.05))
    go_on.set()
    assert asyncio.run(wait(60)) is True


def test_an_answer_that_failed_is_told_to_all_and_asked_for_again() -> None:
    go_on = threading.Event()
    answers: Iterator[int] = iter([1, 2])

    def ask() -> int:
        assert go_on.wait(60)
        if (answer := next(answers)) == 1:
            raise Terminal("There is no rice; buy some.")
        return answer

    shared = SingleFlight(ask, "Asking", keep_s=3600)

    async def both() -> list[object]:
        waiting = [asyncio.ensure_future(shared(60)) for _ in range(2)]
        await asyncio.sleep(0)
        go_on.set()
        return list(await asyncio.gather(*waiting, return_exceptions=True))

    assert [str(each) for each in asyncio.run(both())] == ["There is no rice; buy some."] * 2
    assert asyncio.run(both()) == [2, 2]


def test_one_who_leaves_takes_nothing_from_the_others() -> None:
    go_on = threading.Event()
    shared = SingleFlight(lambda: go_on.wait(60), "Asking")

    async def one_leaves() -> bool:
        leaving, staying = (asyncio.ensure_future(shared(60)) for _ in range(2))
        await asyncio.sleep(0)
        leaving.cancel()
        with pytest.raises(asyncio.CancelledError):
            await leaving
        go_on.set()
        return await staying

    assert asyncio.run(one_leaves()) is True
