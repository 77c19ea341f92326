"""A ticket is good for what its holder may do when they use it, and not for what they might when they got it."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import libvirt
import pytest

from tests.api.consoles import opened, refusal, ticket, with_screen
from tests.api.live import LiveApi, live_api
from tests.api.parts import is_at_rest
from tests.lab.people import ADMIN, VIEWER, logins_of_each_role
from tests.lab.repositories import Repository
from tests.lab.screens import GREETING, Screen, screen
from tests.lab.waiting import until

BASIC = {"Authorization": "Basic dmVyYTpsb29rcw=="}  # vera's


@pytest.fixture
def drawn(hand: libvirt.virConnect) -> Iterator[Screen]:
    with screen() as made:
        yield made


@pytest.fixture
def api(hand: libvirt.virConnect, repository: Repository, tmp_path: Path) -> Iterator[LiveApi]:
    repository.commit({}, "Begin")
    with live_api(repository, tmp_path / "state", logins=logins_of_each_role()) as running:
        running.client.auth = ADMIN
        yield running


def test_who_owns_a_machine_no_more_and_may_still_look_types_nothing_by_an_older_ticket(
    api: LiveApi, hand: libvirt.virConnect, drawn: Screen
) -> None:
    with_screen(api, hand, drawn)
    assert api.client.put("/vms/byhand", json={"title": "Adopted"}).status_code == 200
    before = api.text("vms/byhand.yaml")
    api.repository.commit({"vms/byhand.yaml": f"{before.rstrip()}\n  access: {{users: [vera]}}\n"})
    until(lambda: not console(api)["read_only"], 60, "it is hers")
    with opened(api, ticket(api, auth=VIEWER), headers=BASIC) as shown:
        assert shown.recv(60) == GREETING
    old = ticket(api, auth=VIEWER)
    api.repository.commit({"vms/byhand.yaml": before})
    sequence = api.agent.queue.source_changed()
    assert api.agent.passes.wait(lambda world: world.sequence >= sequence and is_at_rest(world), 60)
    assert refusal(api, old, headers=BASIC)[0] == 403
    assert console(api)["read_only"]


def console(api: LiveApi) -> dict[str, object]:
    found: dict[str, object] = api.client.post("/vms/byhand/connect", auth=VIEWER).json()["console"]
    return found
