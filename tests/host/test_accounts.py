"""Whom the host knows: from the system's own database, and from a real LDAP server with ten thousand users."""

from __future__ import annotations

import grp
import itertools
import os
import pwd
import select
import socket
import subprocess
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import replace
from pathlib import Path

import pytest

from reconciler.errors import SettingsError, Terminal, Transient
from reconciler.host import directory
from reconciler.host.accounts import SystemAccounts
from reconciler.host.directory import LdapAccounts
from reconciler.host.ldap_settings import LdapSettings
from tests.lab.slapd import ADMIN, BASE, PASSWORD, PEOPLE, Slapd, person, slapd


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
    me = pwd.getpwuid(os.getuid()).pw_name
    assert accounts.entry(me) == {}
    assert accounts.missing_user([me, "daemon"]) is None
    assert accounts.missing_user([me, "nobody-of-this-name", "daemon"]) == "nobody-of-this-name"
    assert accounts.missing_group(["root"]) is None
    assert accounts.missing_group(["root", "no-such-group"]) == "no-such-group"


@pytest.mark.parametrize(
    "name", ["", "nobody-of-this-name", "root\0", "ro\udc80ot", "../root", "-x", "*", "r" * 10_000]
)
def test_a_hostile_name_is_just_not_there(name: str) -> None:
    accounts = SystemAccounts()
    assert accounts.entry(name) is None
    assert (accounts.missing_user([name]), accounts.missing_group([name])) == (name, name)


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


def test_ten_thousand_users_are_listed(crowd: str) -> None:
    found = LdapAccounts(LdapSettings(crowd, PEOPLE)).users()
    assert found.names == tuple(f"user{number:05}" for number in range(10_000))
    assert found.reason == ""


def test_more_than_enough_are_cut_off_and_said_so(crowd: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(directory, "MOST_USERS", 1200)
    found = LdapAccounts(LdapSettings(crowd, PEOPLE)).users()
    assert len(found.names) == 1200
    assert "more than 1200 users" in found.reason


def test_a_servers_own_limit_is_told(few: str) -> None:
    found = LdapAccounts(LdapSettings(few, PEOPLE)).users()
    assert 0 < len(found.names) < 703
    assert "size limit" in found.reason


def test_who_binds_sees_all(few: str) -> None:
    found = LdapAccounts(LdapSettings(few, BASE, bind_dn=ADMIN, bind_password=lambda: PASSWORD)).users()
    assert len(found.names) == 703
    assert {"maria", "jörg", "a*b"} <= set(found.names)
    assert found.reason == ""


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
    accounts = LdapAccounts(LdapSettings(few, PEOPLE))
    assert (accounts.entry(name) is not None) is exists
    assert accounts.missing_user(["guest001", name]) == (None if exists else name)
    assert accounts.missing_user([name]) == (None if exists else name)


def test_a_filter_of_ones_own(few: str) -> None:
    settings = LdapSettings(few, PEOPLE, user_filter="(&(objectClass=inetOrgPerson)(cn=%(username)s)(sn=m*))")
    assert LdapAccounts(settings).users().names == ("maria",)
    assert LdapAccounts(LdapSettings(few, PEOPLE, user_filter="uid=%(username)s")).entry("maria")


def test_a_wrong_password_is_refused_and_not_told(few: str) -> None:
    settings = LdapSettings(few, PEOPLE, bind_dn=ADMIN, bind_password=lambda: "s3cret")
    with pytest.raises(Terminal, match="Invalid credentials; check the bind DN") as refused:
        LdapAccounts(settings).users()
    assert "s3cret" not in str(refused.value)
    assert "s3cret" not in repr(settings)


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


def test_a_server_without_tls_gets_no_password(few: str) -> None:
    settings = LdapSettings(few, PEOPLE, bind_dn=ADMIN, bind_password=lambda: PASSWORD, start_tls=True)
    with pytest.raises((Transient, Terminal)):
        LdapAccounts(settings).users()


@pytest.fixture(scope="module")
def encrypted(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Slapd, Path]]:
    """A server for this machine's address, and the file with who vouches for it."""
    folder = tmp_path_factory.mktemp("encrypted")
    certificate, key = folder / "server.pem", folder / "key.pem"
    subprocess.run(
        [
            "openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-days", "2",
            "-subj", "/CN=127.0.0.1", "-addext", "subjectAltName=IP:127.0.0.1", "-keyout", key, "-out", certificate,
        ],
        check=True, capture_output=True,
    )  # fmt: skip
    more = f"TLSCertificateFile {certificate}\nTLSCertificateKeyFile {key}\nTLSCACertificateFile {certificate}"
    with slapd(folder / "server", [person("maria")], more=more) as server:
        yield server, certificate


@pytest.mark.parametrize("start_tls", [True, False])
def test_an_encrypted_server_is_asked_when_it_is_trusted(encrypted: tuple[Slapd, Path], start_tls: bool) -> None:
    server, authority = encrypted
    url = server.url if start_tls else server.secure_url
    trusting = LdapSettings(
        url, PEOPLE, bind_dn=ADMIN, bind_password=lambda: PASSWORD, start_tls=start_tls, ca_file=authority
    )
    assert LdapAccounts(trusting).users().names == ("maria",)
    with pytest.raises(Transient, match="certificate"):
        LdapAccounts(replace(trusting, ca_file=None)).users()
    with pytest.raises(Terminal, match="ldap-ca-file"):
        LdapAccounts(replace(trusting, ca_file=authority.parent / "nowhere")).users()


def test_what_is_told_of_a_user_holds_no_secret(tmp_path: Path) -> None:
    with slapd(tmp_path / "ldap", [person("maria", "s3cret")]) as server:
        settings = LdapSettings(server.url, PEOPLE, bind_dn=ADMIN, bind_password=lambda: PASSWORD)
        assert LdapAccounts(settings).entry("maria") == {"uid": ("maria",), "cn": ("maria",), "sn": ("maria",)}


def test_a_server_that_is_gone_is_told() -> None:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        url = f"ldap://127.0.0.1:{free.getsockname()[1]}"  # ours, and nobody listens
        with pytest.raises(Transient, match="check that it runs"):
            LdapAccounts(LdapSettings(url, PEOPLE)).users()


def test_a_server_that_never_answers_is_left() -> None:
    with socket.create_server(("127.0.0.1", 0)) as silent:
        accounts = LdapAccounts(LdapSettings(f"ldap://127.0.0.1:{silent.getsockname()[1]}", PEOPLE, timeout_s=1))
        with pytest.raises(Transient):
            accounts.entry("maria")


def test_a_server_that_says_a_little_now_and_then_is_left() -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        url = f"ldap://127.0.0.1:{server.getsockname()[1]}"

        def trickle() -> None:
            with server.accept()[0] as connection, suppress(OSError):
                begun = b"\x30\x84\x00\xff\xff\xff"  # a message that is still to come
                for byte in itertools.chain(begun, itertools.repeat(0)):
                    connection.sendall(bytes([byte]))
                    select.select([connection], [], [], 0.2)
                    if gone.is_set():
                        return

        gone = threading.Event()
        thread = threading.Thread(target=trickle)
        thread.start()
        try:
            with pytest.raises(Transient):
                LdapAccounts(LdapSettings(url, PEOPLE, timeout_s=2)).entry("maria")
        finally:
            gone.set()
            thread.join()


def test_a_silent_server_is_asked_by_few_at_once() -> None:
    with socket.create_server(("127.0.0.1", 0)) as silent:
        url = f"ldap://127.0.0.1:{silent.getsockname()[1]}"
        accounts = LdapAccounts(LdapSettings(url, PEOPLE, timeout_s=6))

        def ask(number: int) -> str:
            with pytest.raises(Transient) as told:
                accounts.entry(f"user{number}")
            return str(told.value)

        with ThreadPoolExecutor(12) as people:
            told = list(people.map(ask, range(12)))
    assert len([each for each in told if "by many just now" in each]) == 8


def test_groups_arent_asked_of_a_directory() -> None:
    accounts = LdapAccounts(LdapSettings("ldap://localhost", PEOPLE))
    assert accounts.groups().names == ()
    assert "the system's" in accounts.groups().reason
    assert accounts.missing_group(["root"]) == "root"
    assert accounts.missing_group([]) is None
    assert accounts.missing_user([]) is None


@pytest.mark.parametrize(
    "wrong",
    [
        {"url": "http://localhost"},
        {"url": "ldap://"},
        {"url": "ldap://localhost:99999"},
        {"url": "ldap://localhost/o=x"},
        {"url": "ldap://localhost?x"},
        {"url": "ldap://maria:s3cret@localhost"},
        {"search_base": ""},
        {"user_filter": "(uid=*)"},
        {"timeout_s": 0},
        {"ca_file": Path("/x")},
        {"url": "ldaps://localhost", "start_tls": True},
        {"url": "ldap://ldap.example.org", "bind_dn": ADMIN},
    ],
    ids=str,
)
def test_settings_that_cant_be_right_are_refused(wrong: dict[str, object]) -> None:
    with pytest.raises(SettingsError) as refused:
        LdapSettings(**{"url": "ldap://localhost", "search_base": PEOPLE, **wrong})  # type: ignore[arg-type]
    assert "s3cret" not in str(refused.value)


def test_a_password_may_go_to_another_machine_encrypted() -> None:
    for url, start_tls in (("ldaps://ldap.example.org", False), ("ldap://ldap.example.org", True)):
        assert LdapSettings(url, PEOPLE, bind_dn=ADMIN, start_tls=start_tls, ca_file=Path("/x"))
