"""Logging in by a real LDAP server, which speaks TLS and lets nobody but a service's account read."""

from __future__ import annotations

import base64
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import ldap
import pytest

from reconciler.errors import Transient
from reconciler.host.directory import LdapAccounts
from reconciler.host.ldap_settings import LdapSettings
from reconciler.identity.identity import Identity
from reconciler.identity.ldap_login import LdapLogins
from tests.lab.certificates import Authority
from tests.lab.ports import free_port
from tests.lab.slapd import ADMIN, BASE, GROUPS, PASSWORD, PEOPLE, Slapd, dn_of, group, person, slapd, unit
from tests.network.misbehaving import misbehaving, silent

SERVICE = f"cn=service,{BASE}"
# Nobody who logs in may read anything: whatever is found out is found out by the service's account.
ONLY_THE_SERVICE = f"""\
access to attrs=userPassword by anonymous auth by * none
access to * by dn.exact="{SERVICE}" read by anonymous auth by * none
"""
LOCKED = "pwdAccountLockedTime: "


TURNED = "mi\u202ea"


def encoded(text: str) -> str:
    return base64.b64encode(text.encode()).decode()


def cn(name: str) -> str:
    return f"cn={name},{GROUPS}"


def entries() -> Iterator[str]:
    yield (
        f"dn: {SERVICE}\nobjectClass: organizationalRole\nobjectClass: simpleSecurityObject\n"
        f"cn: service\nuserPassword: {PASSWORD}"
    )
    yield unit("Elsewhere", PEOPLE)
    yield person("kim", "of kim")
    yield person("jörg", "of jörg ß")
    yield person("lee", "of lee")
    yield person("o'brien*(x)", "of o'brien")
    yield person("mallory", "of mallory", "uid: boss", "uid: kim2")
    yield person("twin", "of twin")
    yield person("twin", "of twin", below=f"ou=Elsewhere,{PEOPLE}")
    yield person("root", "of root")
    yield person("nopassword")
    yield (
        person("TURNED", "of mia")
        .replace("uid: TURNED", f"uid:: {encoded(TURNED)}")
        .replace(f"dn: uid=TURNED,{PEOPLE}", f"dn:: {encoded(dn_of(TURNED))}")
    )
    shadow = "objectClass: shadowAccount"
    yield person("gone", "of gone", shadow, "shadowExpire: 100")
    yield person("later", "of later", shadow, "shadowExpire: 90000")
    yield person("locked", "of locked", LOCKED + "000001010000Z")
    yield group("team", dn_of("kim"))
    yield group("staff", cn("team"), cn("all"))
    yield group("all", cn("staff"), kind="groupOfUniqueNames", attribute="uniqueMember")
    yield group("posix", "lee", kind="posixGroup", attribute="memberUid")
    yield group("everybody", *(dn_of(f"user{number}") for number in range(3000)))
    for number in range(3000):
        yield person(f"user{number}", "of user" if number in (0, 2999) else "")
    for number in range(600):
        yield group(f"many{number:03}", dn_of("user0"))
    for number in range(12):
        yield group(f"deep{number:02}", cn(f"deep{number - 1:02}") if number else dn_of("user2999"))
    # A group of the same name, where others than those who look after groups may make one.
    yield f"dn: cn=team,ou=Elsewhere,{PEOPLE}\nobjectClass: groupOfNames\ncn: team\nmember: {dn_of('mallory')}"
    yield group("mallorys", dn_of("mallory")).replace("\ncn: mallorys", "\ncn: admins\ncn: mallorys")


@pytest.fixture(scope="module")
def authority(tmp_path_factory: pytest.TempPathFactory) -> Authority:
    return Authority(tmp_path_factory.mktemp("authority"))


def with_tls(certificate: Path, key: Path) -> str:
    return f"TLSCertificateFile {certificate}\nTLSCertificateKeyFile {key}\n"


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory, authority: Authority) -> Iterator[Slapd]:
    more = (
        with_tls(*authority.issued("server")) + "moduleload ppolicy\nsizelimit size.soft=500 size.hard=500 "
        "size.prtotal=unlimited\n" + ONLY_THE_SERVICE
    )
    with slapd(tmp_path_factory.mktemp("ldap"), entries(), more=more, overlays="overlay ppolicy") as running:
        yield running


@pytest.fixture(scope="module")
def settings(server: Slapd, authority: Authority) -> LdapSettings:
    return LdapSettings(
        server.secure_url, PEOPLE, bind_dn=SERVICE, bind_password=lambda: PASSWORD, ca_file=authority.certificate,
        group_base=GROUPS, has_logins=True, timeout_s=60,
    )  # fmt: skip


@pytest.fixture(scope="module")
def logins(settings: LdapSettings) -> LdapLogins:
    return LdapLogins(settings)


def test_the_right_password_proves_who_that_is_and_their_groups_through_groups(logins: LdapLogins) -> None:
    kim = Identity("kim", frozenset({"team", "staff", "all"}))
    assert logins.proven("kim", "of kim") == kim
    assert logins.current("kim") == kim
    assert logins.proven("jörg", "of jörg ß") == Identity("jörg")
    assert logins.proven("lee", "of lee") == Identity("lee", frozenset({"posix"}))


def test_encryption_may_begin_within_the_connection(server: Slapd, settings: LdapSettings) -> None:
    logins = LdapLogins(replace(settings, url=server.url, start_tls=True))
    assert logins.proven("kim", "of kim") is not None
    assert logins.proven("kim", "of lee") is None


@pytest.mark.parametrize("password", ["wrong", "", "of kim\0", "\0", "OF KIM", "\udc80", " ", "of lee"])
def test_any_other_password_proves_nothing(logins: LdapLogins, password: str) -> None:
    assert logins.proven("kim", password) is None


@pytest.mark.parametrize(
    "name",
    [
        "nobody", "", "*", "k*", "kim*", "*)(uid=root", "kim)(objectClass=*", "kim))(|(uid=*", "\\2a", "ki\\6d",
        "kim\\", "kim\0", "\0", "kim ", " kim", "k im", "kim\n", "kim,ou=People", dn_of("kim"), "ki\u00adm",
        "\u200bkim", "ki\udc80", "k" * 10_000, "service", "cn=service", "twin", "nopassword", TURNED, "mia", "gone",
        "locked", "root",
    ],
)  # fmt: skip
def test_a_name_is_nobodys_whatever_it_would_mean_in_a_filter(logins: LdapLogins, name: str) -> None:
    for password in ("of kim", PASSWORD, f"of {name}"):
        assert logins.proven(name, password) is None
    assert logins.current(name) is None or name == "nopassword"


def test_signs_that_mean_something_in_filters_may_stand_in_a_name(logins: LdapLogins) -> None:
    found = logins.proven("o'brien*(x)", "of o'brien")
    assert found is not None and found.name == "o'brien*(x)"


def test_somebody_is_called_as_the_directory_calls_them_however_they_write_it(logins: LdapLogins) -> None:
    assert logins.proven("KIM", "of kim") == logins.proven("kim", "of kim")
    assert logins.current("KIM") is None


def test_a_second_name_that_people_give_themselves_isnt_theirs(logins: LdapLogins) -> None:
    """Also not of a group that is theirs, nor is a group that lies elsewhere."""
    assert logins.proven("boss", "of mallory") == Identity("mallory", frozenset({"mallorys"}))
    assert logins.current("boss") is None


def test_a_group_may_be_named_by_its_dn(settings: LdapSettings) -> None:
    there, elsewhere = f"CN=Team, {GROUPS.upper()}", f"cn=team,ou=Elsewhere,{PEOPLE}"
    logins = LdapLogins(settings, ["operators", there, elsewhere, "a=b=,,"])
    kim, mallory = logins.proven("kim", "of kim"), logins.proven("mallory", "of mallory")
    assert kim is not None and there in kim.groups and elsewhere not in kim.groups
    assert mallory is not None and mallory.groups.isdisjoint({there, elsewhere})


def test_a_group_of_thousands_and_someone_in_hundreds_are_read_page_by_page(
    logins: LdapLogins, settings: LdapSettings
) -> None:
    found = logins.proven("user0", "of user")
    assert found is not None
    assert found.groups == {"everybody", *(f"many{number:03}" for number in range(600))}
    listed = LdapAccounts(settings)
    assert {f"user{number}" for number in range(3000)} < set(listed.users().names)
    assert {"everybody", "team", "many599"} < set(listed.groups().names)
    assert listed.missing_group(["team", "everybody"]) is None
    assert [listed.missing_group([name]) for name in ("TEAM", "t*", "admins", "")] == ["TEAM", "t*", "admins", ""]
    assert [listed.missing_user([name]) for name in ("kim", "KIM", "boss")] == [None, "KIM", "boss"]


def test_groups_in_groups_count_up_to_a_depth(logins: LdapLogins) -> None:
    found = logins.proven("user2999", "of user")
    assert found is not None
    assert found.groups == {"everybody", *(f"deep{number:02}" for number in range(10))}


def test_what_an_entry_says_of_its_groups_itself_is_believed_only_when_that_is_said(
    tmp_path: Path, settings: LdapSettings
) -> None:
    """Here by an overlay that works it out; and a group that names nobody any more, but is still said to."""
    people = [
        person("kim", "of kim", f"memberOf: {cn('ghosts')}", f"memberOf: cn=x,{PEOPLE}", f"memberOf: {cn('nowhere')}"),
        person("other"), group("ghosts", dn_of("other"), f"memberOf: {cn('above')}"),
        group("above", dn_of("other")), f"dn: cn=x,{PEOPLE}\nobjectClass: groupOfNames\ncn: x\nmember: {BASE}",
    ]  # fmt: skip
    people[2] = people[2].replace("member: memberOf: ", "memberOf: ")
    with slapd(tmp_path / "s", people, "moduleload memberof\n", "overlay memberof") as server:
        said = LdapSettings(server.url, PEOPLE, group_base=GROUPS, member_of=True)
        assert LdapLogins(said).proven("kim", "of kim") == Identity("kim", frozenset({"ghosts", "above"}))
        assert LdapLogins(replace(said, member_of=False)).proven("kim", "of kim") == Identity("kim")


def test_an_account_expires_on_its_day(settings: LdapSettings) -> None:
    assert LdapLogins(settings).proven("later", "of later") is not None
    day = datetime(1970, 1, 1, tzinfo=UTC) + timedelta(days=90_000)
    in_time = LdapLogins(settings, now=lambda: day - timedelta(seconds=1))
    too_late = LdapLogins(settings, now=lambda: day)
    assert in_time.current("later") is not None
    assert too_late.current("later") is None


@contextmanager
def as_admin(server: Slapd) -> Iterator[ldap.ldapobject.LDAPObject]:
    connection = ldap.initialize(server.url)
    connection.simple_bind_s(ADMIN, PASSWORD)
    try:
        yield connection
    finally:
        connection.unbind_s()


def test_an_account_is_gone_when_it_is_removed_and_another_of_its_name_is_another(
    server: Slapd, settings: LdapSettings
) -> None:
    logins = LdapLogins(settings)
    entry = [
        ("objectClass", [b"inetOrgPerson"]), ("uid", [b"pat"]), ("cn", [b"pat"]), ("sn", [b"pat"]),
        ("userPassword", [b"of pat"]),
    ]  # fmt: skip
    with as_admin(server) as admin:
        admin.add_s(dn_of("pat"), entry)
        assert logins.proven("pat", "of pat") == logins.current("pat") == Identity("pat")
        admin.delete_s(dn_of("pat"))
        assert logins.current("pat") is None
        admin.add_s(dn_of("pat"), entry)
        assert logins.current("pat") is None
        assert logins.proven("pat", "of pat") == logins.current("pat") == Identity("pat")
        admin.delete_s(dn_of("pat"))


def test_a_locked_account_is_out_until_its_password_is_proven_again(tmp_path: Path) -> None:
    policy = f"cn=policy,{BASE}"
    there = (
        f"dn: {policy}\nobjectClass: organizationalRole\nobjectClass: pwdPolicy\ncn: policy\n"
        "pwdAttribute: userPassword\npwdLockout: TRUE\npwdMaxFailure: 2"
    )
    with slapd(
        tmp_path / "s", [there, person("kim", "of kim")], "moduleload ppolicy\n",
        f'overlay ppolicy\nppolicy_default "{policy}"',
    ) as server:  # fmt: skip
        logins = LdapLogins(LdapSettings(server.url, PEOPLE, bind_dn=ADMIN, bind_password=lambda: PASSWORD))
        assert logins.proven("kim", "of kim") == logins.current("kim") == Identity("kim")
        assert [logins.proven("kim", "wrong") for _ in range(2)] == [None, None]
        assert logins.current("kim") is None
        assert logins.proven("kim", "of kim") is None
        with as_admin(server) as admin:
            admin.modify_s(dn_of("kim"), [(ldap.MOD_DELETE, "pwdAccountLockedTime", None)])
        assert logins.proven("kim", "of kim") == logins.current("kim") == Identity("kim")


@pytest.mark.parametrize("start_tls", [True, False])
@pytest.mark.parametrize(
    ("subject", "expired", "is_trusted"),
    [("IP:127.0.0.1", False, False), ("IP:127.0.0.1", True, True), ("DNS:ldap.example.org", False, True)],
    ids=["of nobody who is trusted", "expired", "of another host"],
)
def test_a_server_with_a_wrong_certificate_gets_no_password(
    tmp_path: Path, authority: Authority, settings: LdapSettings, subject: str, expired: bool, is_trusted: bool,
    start_tls: bool, caplog: pytest.LogCaptureFixture,
) -> None:  # fmt: skip
    issuer = authority if is_trusted else Authority(tmp_path / "another")
    more = with_tls(*issuer.issued(f"{tmp_path.name}", subject, expired=expired))
    with slapd(tmp_path / "s", [person("kim", "of kim")], more) as server:
        url = server.url if start_tls else server.secure_url
        wrong = replace(settings, url=url, start_tls=start_tls, bind_dn="")
        with pytest.raises(Transient, match="nobody can log in"):
            LdapLogins(wrong).proven("kim", "of kim")
        assert "certificate verify failed" in caplog.text.replace(
            "CERTIFICATE_VERIFY_FAILED", "certificate verify failed"
        )


def test_a_server_that_refuses_to_encrypt_gets_no_password(tmp_path: Path, settings: LdapSettings) -> None:
    with slapd(tmp_path / "s", [person("kim", "of kim")]) as server:
        logins = LdapLogins(replace(settings, url=server.url, start_tls=True, bind_dn=""))
        with pytest.raises(Transient, match="nobody can log in"):
            logins.proven("kim", "of kim")


def test_a_server_that_fails_is_asked_after_those_that_answer(settings: LdapSettings) -> None:
    with misbehaving(lambda connection: connection.close()) as failing:
        urls = f"ldaps://127.0.0.1:{free_port()} ldaps://127.0.0.1:{failing.port} {settings.url}"
        logins = LdapLogins(replace(settings, url=urls))
        for _ in range(3):
            assert logins.proven("kim", "of kim") is not None
            assert logins.proven("kim", "wrong") is None
        assert failing.came == 1


def test_a_server_that_hangs_leaves_time_for_the_next(settings: LdapSettings) -> None:
    with misbehaving(silent) as hanging:
        logins = LdapLogins(replace(settings, url=f"ldaps://127.0.0.1:{hanging.port} {settings.url}", timeout_s=6))
        assert logins.proven("kim", "of kim") is not None
        assert hanging.came == 1


def test_nobody_logs_in_while_no_server_answers_or_it_refuses_the_service(settings: LdapSettings) -> None:
    with ExitStack() as stack:
        hanging = stack.enter_context(misbehaving(silent))
        down = f"ldaps://127.0.0.1:{free_port()} ldap://127.0.0.1:{hanging.port}".replace("ldap:", "ldaps:")
        for wrong in (
            replace(settings, url=down, timeout_s=1),
            replace(settings, bind_password=lambda: "wrong"),
            replace(settings, search_base=f"ou=Nowhere,{BASE}"),
            replace(settings, ca_file=Path("/nowhere")),
        ):
            logins = LdapLogins(wrong)
            with pytest.raises(Transient) as proving:
                logins.proven("kim", "of kim")
            with pytest.raises(Transient) as looking:
                logins.current("kim")
            assert "127.0.0.1" not in f"{proving.value} {looking.value}"
        assert hanging.came == 1


def test_an_empty_password_and_a_nul_reach_no_server(settings: LdapSettings) -> None:
    with misbehaving(silent) as hanging:
        logins = LdapLogins(replace(settings, url=f"ldaps://127.0.0.1:{hanging.port}", timeout_s=1))
        for name, password in (("kim", ""), ("kim", "\0"), ("kim", "a\0b"), ("", "x"), ("a\0", "x"), ("kim ", "x")):
            assert logins.proven(name, password) is None
        assert hanging.came == 0
