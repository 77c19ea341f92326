"""Users and groups through HTTP, of the system and of a directory that fails."""

from __future__ import annotations

import grp
import pwd
from pathlib import Path

import libvirt
import pytest

from reconciler.host.directory import LdapAccounts
from reconciler.host.ldap_settings import LdapSettings
from tests.api.host import harmless_host
from tests.api.live import LiveApi, live_api
from tests.lab.repositories import Repository


def test_the_systems_users_and_groups_are_listed(api: LiveApi) -> None:
    users = api.client.get("/users").json()
    assert "root" in users
    assert users == sorted(users)
    assert set(users) <= {each.pw_name for each in pwd.getpwall()}
    assert api.client.get("/groups").json() == sorted({each.gr_name for each in grp.getgrall()})


def test_a_user_is_looked_for(api: LiveApi) -> None:
    assert api.client.get("/users?_user_id=root").json() == ["root"]
    assert api.client.get("/users?_user_id=nobody").json() == ["nobody"]  # who can't log in, and is there


@pytest.mark.parametrize("name", ["rice", "", "root%00", "ro*t", "%FF", "a%0Ab"])
def test_a_user_who_isnt_there_is_not_found(api: LiveApi, name: str) -> None:
    answer = api.client.get(f"/users?_user_id={name}")
    assert answer.status_code == 404
    assert answer.json()["reason"].startswith("KCHAUTH0004E: ")


def test_other_parameters_are_refused(api: LiveApi) -> None:
    assert api.client.get("/users?name=root").status_code == 400
    assert api.client.get(f"/users?_user_id={'x' * 300}").status_code == 400


def test_a_directory_that_is_away_is_told_of(hand: libvirt.virConnect, repository: Repository, tmp_path: Path) -> None:
    accounts = LdapAccounts(LdapSettings("ldap://127.0.0.1:1", "dc=example,dc=org", timeout_s=2))
    repository.commit({}, "Begin")
    with live_api(repository, tmp_path / "state", host=harmless_host(tmp_path / "m", accounts=accounts)) as api:
        assert api.client.get("/users").status_code == 503
        assert api.client.get("/users?_user_id=x").status_code == 503
        assert api.client.get("/groups").json() == []
