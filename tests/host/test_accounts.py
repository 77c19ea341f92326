"""Whom the host knows: from the system's own database, and from a real LDAP server with ten thousand users."""

from __future__ import annotations

import grp
import os
import pwd
import socket
from collections.abc import Iterator
from pathlib import Path

import pytest

from reconciler.errors import SettingsError, Terminal, Transient
from reconciler.host import directory
from reconciler.host.accounts import SystemAccounts
from reconciler.host.directory import LdapAccounts, LdapSettings
from tests.lab.slapd import ADMIN, BASE, PASSWORD, PEOPLE, is_installed, person, slapd

needs_slapd = pytest.mark.skipif(not is_installed(), reason="needs slapd")


def test_people_who_may_log_in_are_users() -> None:
    found = SystemAccounts().users()
    assert "root" in found.names
    assert "daemon" not in found.names
    assert "sync" not in found.names
    assert list(found.names) == sorted(found.names)
    assert found.reason == ""


def test_groups_are_those_of_the_system() -> None:
    assert list(SystemAccounts().groups().names) == sorted({each.gr_name for each in grp.getgrall()})


def test_a_user_exists_or_not() -> None:
    accounts = SystemAccounts()
    assert accounts.exists(pwd.getpwuid(os.getuid()).pw_name)
    assert accounts.exists("daemon")


@pytest.mark.parametrize(
    "name", ["", "nobody-of-this-name", "root\0", "ro\udc80ot", "../root", "-x", "*", "r" * 10_000]
)
def test_a_hostile_name_is_just_not_there(name: str) -> None:
    assert not SystemAccounts().exists(name)


@pytest.fixture(scope="module")
def crowd(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    people = (person(f"user{number:05}") for number in range(10_000))
    with slapd(tmp_path_factory.mktemp("crowd"), people, more="sizelimit unlimited") as server:
        yield server.url


@pytest.fixture(scope="module")
def few(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    names = [*(f"guest{number:03}" for number in range(700)), "maria", "jörg", "a*b"]
    with slapd(tmp_path_factory.mktemp("few"), map(person, names), more="sizelimit 600") as server:
        yield server.url


@needs_slapd
def test_ten_thousand_users_are_listed(crowd: str) -> None:
    found = LdapAccounts(LdapSettings(crowd, PEOPLE)).users()
    assert found.names == tuple(f"user{number:05}" for number in range(10_000))
    assert found.reason == ""


@needs_slapd
def test_more_than_enough_are_cut_off_and_said_so(crowd: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(directory, "MOST_USERS", 1200)
    found = LdapAccounts(LdapSettings(crowd, PEOPLE)).users()
    assert len(found.names) == 1200
    assert "more than 1200 users" in found.reason


@needs_slapd
def test_a_servers_own_limit_is_told(few: str) -> None:
    found = LdapAccounts(LdapSettings(few, PEOPLE)).users()
    assert 0 < len(found.names) < 703
    assert "size limit" in found.reason


@needs_slapd
def test_who_binds_sees_all(few: str) -> None:
    found = LdapAccounts(LdapSettings(few, BASE, bind_dn=ADMIN, bind_password=PASSWORD)).users()
    assert len(found.names) == 703
    assert {"maria", "jörg", "a*b"} <= set(found.names)
    assert found.reason == ""


@needs_slapd
@pytest.mark.parametrize(
    ("name", "exists"),
    [
        ("maria", True),
        ("jörg", True),
        ("a*b", True),
        ("nobody", False),
        ("*", False),
        ("mar*", False),
        ("maria)(uid=*", False),
        ("", False),
        ("\0", False),
        ("\udc80", False),
    ],
)
def test_one_user_is_asked_for_by_exactly_this_name(few: str, name: str, exists: bool) -> None:
    assert LdapAccounts(LdapSettings(few, PEOPLE)).exists(name) is exists


@needs_slapd
def test_a_filter_of_ones_own(few: str) -> None:
    settings = LdapSettings(few, PEOPLE, user_filter="(&(objectClass=inetOrgPerson)(cn=%(username)s)(sn=m*))")
    assert LdapAccounts(settings).users().names == ("maria",)
    assert LdapAccounts(LdapSettings(few, PEOPLE, user_filter="uid=%(username)s")).exists("maria")


@needs_slapd
def test_a_wrong_password_is_refused_and_not_told(few: str) -> None:
    settings = LdapSettings(few, PEOPLE, bind_dn=ADMIN, bind_password="s3cret")
    with pytest.raises(Terminal, match="invalidCredentials; check the bind DN") as refused:
        LdapAccounts(settings).users()
    assert "s3cret" not in str(refused.value)
    assert "s3cret" not in repr(settings)


@needs_slapd
@pytest.mark.parametrize(
    ("base", "user_filter", "says"),
    [
        ("ou=Nowhere,dc=example,dc=org", "(uid=%(username)s)", "check the search base"),
        (PEOPLE, "(uid=%(username)s", "is malformed"),
    ],
)
def test_a_wrong_setting_is_named(few: str, base: str, user_filter: str, says: str) -> None:
    with pytest.raises(Terminal, match=says):
        LdapAccounts(LdapSettings(few, base, user_filter=user_filter)).users()


@needs_slapd
def test_a_server_without_tls_gets_no_password(few: str) -> None:
    settings = LdapSettings(few, PEOPLE, bind_dn=ADMIN, bind_password=PASSWORD, start_tls=True)
    with pytest.raises((Transient, Terminal)):
        LdapAccounts(settings).users()


def test_a_server_that_is_gone_is_told() -> None:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        url = f"ldap://127.0.0.1:{free.getsockname()[1]}"
    with pytest.raises(Transient, match="check that it runs"):
        LdapAccounts(LdapSettings(url, PEOPLE)).users()


def test_a_server_that_never_answers_is_left() -> None:
    with socket.create_server(("127.0.0.1", 0)) as silent:
        accounts = LdapAccounts(LdapSettings(f"ldap://127.0.0.1:{silent.getsockname()[1]}", PEOPLE, timeout_s=1))
        with pytest.raises(Transient):
            accounts.exists("maria")


def test_groups_arent_asked_of_a_directory() -> None:
    found = LdapAccounts(LdapSettings("ldap://localhost", PEOPLE)).groups()
    assert found.names == ()
    assert "PAM" in found.reason


@pytest.mark.parametrize(
    "wrong",
    [
        {"url": "http://localhost"},
        {"url": "ldap://"},
        {"url": "ldap://localhost:99999"},
        {"url": "ldap://localhost/o=x"},
        {"user_filter": "(uid=*)"},
        {"timeout_s": 0},
    ],
)
def test_settings_that_cant_be_right_are_refused(wrong: dict[str, object]) -> None:
    with pytest.raises(SettingsError):
        LdapSettings(**{"url": "ldap://localhost", "search_base": PEOPLE, "ca_file": Path("/x"), **wrong})  # type: ignore[arg-type]
