"""Accounts of this machine and the virtual ones that are theirs, by PAM: they are real, and removed again."""

from __future__ import annotations

from pathlib import Path

import libvirt
import pytest

from reconciler.identity.logins import Logins
from reconciler.identity.pam import PamAccounts, PamChildren
from reconciler.identity.role import Role
from tests.api.live import live_api
from tests.api.own_machines import document
from tests.api.test_login import cookie
from tests.lab.accounts import PASSWORD, a_group, a_pam_service, an_account
from tests.lab.repositories import Repository
from tests.lab.waiting import until


def test_any_account_may_log_in_and_sees_what_it_and_its_groups_have_for_as_long_as_they_do(
    hand: libvirt.virConnect, repository: Repository, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("reconciler.identity.logins._LOOK_AGAIN_S", 0.0)
    with a_group() as team, an_account(team) as lee, a_pam_service() as service:
        whose = {"own": f"{{users: [{lee.name}]}}", "shared": f"{{groups: [{team}]}}", "zebra": "{users: [root]}"}
        repository.commit({f"{name}.yaml": document(name, access) for name, access in whose.items()}, "Add machines")
        accounts = PamAccounts(PamChildren(service))
        logins = Logins(accounts, {Role.ADMIN: [f"{team}-x"], Role.USER: ["*"]})
        with live_api(repository, tmp_path / "state", logins=logins) as api:
            until(lambda: len(api.serving.world.snapshot.objects) > 3, 60, "the machines are there")
            answer = api.client.post("/login", json={"username": lee.name, "password": PASSWORD})
            assert (answer.status_code, answer.json()["role"]) == (200, "user"), answer.text
            session = cookie(answer)

            def seen() -> list[str]:
                return [machine["name"] for machine in api.client.get("/vms", headers=session).json()]

            until(lambda: seen() == ["own", "shared"], 60, "both are told of")
            assert api.client.get("/vms/zebra", headers=session).status_code == 404
            lee.leave(team)
            assert seen() == ["own"], "the group's is no more theirs"
            assert api.client.get("/vms/shared", headers=session).status_code == 404
            lee.lock()
            assert api.client.get("/vms", headers=session).status_code == 401
        accounts.close()
    for volume in hand.storagePoolLookupByName("default-pool").listAllVolumes():
        volume.delete()
