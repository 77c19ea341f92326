"""A snapshot holds a machine's definition of its time: nobody gets back by it what only an administrator gives."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import libvirt
import pytest

from tests.api.live import LiveApi, live_api
from tests.api.own_machines import document
from tests.api.parts import is_at_rest
from tests.lab.people import ADMIN, OPERATOR, USER, logins_of_each_role
from tests.lab.repositories import Repository

LENT = "{name: lent, size: 1MiB, pool: default-pool}, "
BEFORE = document("hers", "{users: [uma]}").replace("disks: [", f"disks: [{LENT}")
APART = "apiVersion: onggi/v1\nkind: Network\nmetadata: {name: apart}\nspec: {mode: isolated}\n"


def without_disk(api: LiveApi) -> None:
    assert api.client.delete("/vms/hers/storages/vda").status_code == 204


def without_network(api: LiveApi) -> None:
    api.repository.commit({"hers.yaml": BEFORE.replace("network: default", "network: apart")})
    sequence = api.agent.queue.source_changed()
    assert api.agent.passes.wait(lambda world: world.sequence >= sequence and is_at_rest(world), 60)


@pytest.mark.parametrize("take_away", [without_disk, without_network])
def test_what_an_administrator_took_away_is_put_back_by_administrators_alone(
    hand: libvirt.virConnect, repository: Repository, tmp_path: Path, take_away: Callable[[LiveApi], None]
) -> None:
    repository.commit({"hers.yaml": BEFORE, "apart.yaml": APART}, "Begin")
    with live_api(repository, tmp_path / "state", logins=logins_of_each_role()) as api:
        api.client.auth = ADMIN
        assert api.agent.passes.wait(is_at_rest, 60)
        assert api.task(api.client.post("/vms/hers/snapshots", json={"name": "then"}))["status"] == "finished"
        assert api.client.post("/vms/hers/snapshots/then/revert", auth=USER).status_code == 303
        assert api.agent.passes.wait(is_at_rest, 60)
        take_away(api)
        before = hand.lookupByName("hers").XMLDesc(libvirt.VIR_DOMAIN_XML_INACTIVE)
        for somebody in (USER, OPERATOR):
            refused = api.client.post("/vms/hers/snapshots/then/revert", auth=somebody)
            assert refused.status_code == 403, refused.text
        assert hand.lookupByName("hers").XMLDesc(libvirt.VIR_DOMAIN_XML_INACTIVE) == before
        gone = api.client.delete("/vms/hers/snapshots/then", auth=USER)
        assert gone.status_code == (403 if take_away is without_disk else 204), gone.text
        if take_away is without_disk:
            assert api.client.post("/vms/hers/snapshots/then/revert").status_code == 303
