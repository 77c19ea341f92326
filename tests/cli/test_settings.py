"""Where a setting comes from: a flag wins over a variable, a variable over the file, the file over the default."""

from __future__ import annotations

import os
from dataclasses import fields
from pathlib import Path
from typing import Any

import click
import pytest
from hypothesis import given
from hypothesis import strategies as st

from reconciler.cli.declaring import PARAMETERS
from reconciler.cli.main import onggi as onggi_command
from reconciler.duration import in_words, seconds
from reconciler.errors import SettingsError
from reconciler.settings.reachable import host_and_port
from reconciler.settings.settings import Settings, default_state
from tests.cli.command import Onggi

# The source that a verb is about stands behind it, and these are about one call of it.
OF_ONE_CALL = {"repository", "worktree", "once"}


def config(onggi: Onggi, text: str, name: str = ".config/onggi/onggi.toml") -> Path:
    path = onggi.home / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)
    onggi.env.pop("ONGGI_STATE", None)  # it would win
    return path


def used_state(onggi: Onggi, tmp_path: Path, *words: object, **env: str) -> set[str]:
    """In which folders of the test's a suspension was written."""
    done = onggi("suspend", *words, **env)
    assert done.code == 0, done.err
    return {path.parent.name for path in tmp_path.rglob("onggi.db")}


def test_a_flag_wins_over_a_variable_and_the_file(onggi: Onggi, tmp_path: Path) -> None:
    config(onggi, f'state = "{tmp_path}/file"')
    assert used_state(onggi, tmp_path, "--state", tmp_path / "flag", ONGGI_STATE=f"{tmp_path}/variable") == {"flag"}


def test_a_variable_wins_over_the_file(onggi: Onggi, tmp_path: Path) -> None:
    config(onggi, f'state = "{tmp_path}/file"')
    assert used_state(onggi, tmp_path, ONGGI_STATE=f"{tmp_path}/variable") == {"variable"}


def test_the_file_wins_over_the_default(onggi: Onggi, tmp_path: Path) -> None:
    config(onggi, f'state = "{tmp_path}/file"')
    assert used_state(onggi, tmp_path) == {"file"}


def test_a_named_file_stands_in_for_the_usual_one(onggi: Onggi, tmp_path: Path) -> None:
    config(onggi, f'state = "{tmp_path}/file"')
    named = config(onggi, f'state = "{tmp_path}/named"', "other.toml")
    assert used_state(onggi, tmp_path, "--config", named) == {"named"}
    assert used_state(onggi, tmp_path, ONGGI_CONFIG=str(named)) == {"named"}


def test_the_output_can_be_set_in_all_three_ways(onggi: Onggi) -> None:
    assert onggi("version", ONGGI_OUTPUT="json").out.startswith("{")
    config(onggi, 'output = "yaml"')
    assert onggi("version").out.startswith("version:")
    assert onggi("version", ONGGI_OUTPUT="json").out.startswith("{")
    assert onggi("version", "-o", "text", ONGGI_OUTPUT="json").out.startswith("onggi ")


def test_one_file_serves_all_verbs(onggi: Onggi) -> None:
    config(onggi, 'connect = "test:///default"\nallowed-folder = ["/srv"]\ninterval = "1m"\nlisten = "127.0.0.1:0"\n')
    assert onggi("version").code == 0


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("conect = 'x'", "unknown key 'conect'; did you mean 'connect'?"),
        ("[server]\nport = 1", "unknown key 'server'; known keys are"),
        ("connect = 5", "'connect' in the settings file {path} has to be a text"),
        ("allowed-folder = '/srv'", "'allowed-folder' in the settings file {path} has to be a list of texts"),
        ("no-color = 'yes'", "'no-color' in the settings file {path} has to be true or false"),
        ("interval = true", "'interval' in the settings file {path} has to be a number or a text such as 30s"),
        ("connect = ", "{path} isn't TOML"),
    ],
)
def test_a_mistake_in_the_file_is_named(onggi: Onggi, text: str, told: str) -> None:
    path = config(onggi, text)
    done = onggi("version")
    assert (done.code, done.out) == (1, "")
    assert done.err.startswith("onggi: error: ")
    assert told.format(path=path) in done.err
    assert len(done.err.splitlines()) == 1


def test_a_named_file_has_to_be_there(onggi: Onggi, tmp_path: Path) -> None:
    done = onggi("version", "--config", tmp_path / "nowhere.toml")
    assert done.code == 1
    assert "can't be read (No such file or directory)" in done.err


def test_the_state_folder_is_the_systems_for_root_and_the_users_own_else(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "geteuid", lambda: 0)
    assert default_state() == Path("/var/lib/onggi")
    monkeypatch.setattr(os, "geteuid", lambda: 1000)
    monkeypatch.setenv("XDG_STATE_HOME", "/home/ada/state")
    assert default_state() == Path("/home/ada/state/onggi")
    monkeypatch.setenv("XDG_STATE_HOME", "relative")
    monkeypatch.setenv("HOME", "/home/ada")
    assert default_state() == Path("/home/ada/.local/state/onggi")


@given(st.integers(0, 10**6), st.sampled_from([("", 1), ("s", 1), ("m", 60), ("h", 3600)]))
def test_a_length_of_time_is_a_number_and_a_unit(number: int, unit: tuple[str, int]) -> None:
    assert seconds(f"{number}{unit[0]}") == number * unit[1]


@pytest.mark.parametrize("text", ["", "s", "-1s", "1 day", "1m30s", "nan", "1e3"])
def test_anything_else_is_no_length_of_time(text: str) -> None:
    with pytest.raises(SettingsError, match="isn't a length of time"):
        seconds(text)


@pytest.mark.parametrize(
    ("listen", "found"),
    [
        ("127.0.0.1:8010", ("127.0.0.1", 8010)),
        ("127.1.2.3:0", ("127.1.2.3", 0)),
        ("[::1]:80", ("::1", 80)),
        ("localhost:8010", ("localhost", 8010)),
    ],
)
def test_an_address_of_this_machine_can_be_listened_on(listen: str, found: tuple[str, int]) -> None:
    assert host_and_port(listen) == found


@pytest.mark.parametrize("listen", ["0.0.0.0:8010", "192.168.1.5:8010", "[::]:8010", "example.org:80", "10.0.0.1:1"])
def test_an_address_that_others_can_reach_is_refused(listen: str) -> None:
    with pytest.raises(SettingsError, match=r"takes a login and TLS; give a login .* and TLS .*or listen on 127"):
        host_and_port(listen)
    with pytest.raises(SettingsError, match="give TLS"):
        host_and_port(listen, has_login=True)
    with pytest.raises(SettingsError, match="give a login"):
        host_and_port(listen, has_tls=True)
    assert host_and_port(listen, has_login=True, has_tls=True)


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ({"auth": "pam"}, "give TLS"),
        ({"tls_cert": Path("c"), "tls_key": Path("k")}, "give a login"),
        ({"listen": "127.0.0.1:1", "tls_cert": Path("c")}, "give both tls-cert and tls-key"),
        ({"listen": "127.0.0.1:1", "tls_key": Path("k")}, "give both tls-cert and tls-key"),
        ({"listen": "127.0.0.1:1", "public_names": ("https://kvm1",)}, "without a scheme"),
        ({"listen": "127.0.0.1:1", "public_names": ("kvm1:8443",)}, "without a port"),
    ],
)
def test_others_reach_the_api_only_with_a_login_and_tls(given: dict[str, Any], said: str) -> None:
    with pytest.raises(SettingsError, match=said):
        Settings(**{"listen": "0.0.0.0:8443", **given})
    whole = {"auth": "pam", "tls_cert": Path("c"), "tls_key": Path("k"), "public_names": ("kvm1", "::1", "[::1]")}
    assert Settings(listen="0.0.0.0:8443", **whole).address == ("0.0.0.0", 8443)


@pytest.mark.parametrize("listen", ["8010", ":8010", "127.0.0.1", "127.0.0.1:", "127.0.0.1:http", "127.0.0.1:70000"])
def test_what_is_no_address_is_told(listen: str) -> None:
    with pytest.raises(SettingsError, match="give HOST:PORT"):
        host_and_port(listen)


_LDAP = {"accounts": "ldap", "ldap_url": "ldap://localhost", "ldap_search_base": "o=x"}


@pytest.mark.parametrize(
    ("wrong", "told"),
    [
        ({"connect": ""}, "isn't a libvirt URI"),
        ({"connect": "qemu:///system\nx"}, "isn't a libvirt URI"),
        ({"interval_s": 0.1}, "interval is 0.1 s; give at least 1 s"),
        ({"resync_s": float("inf")}, "resync-interval is inf s"),
        ({"allowed_folders": ("isos",)}, "isn't an absolute path"),
        ({"allowed_folders": ("/srv/../etc",)}, "isn't an absolute path"),
        ({"listen": "127.0.0.1:1", "once": True}, "leave --listen and --socket away"),
        ({"socket": Path("api.sock")}, "an absolute path"),
        ({"socket_group": "libvirt"}, "give socket too"),
        ({"viewer_groups": ("staff",)}, "bounds nobody where nobody logs in; set auth"),
        ({"auth": "pam", "viewer_groups": ("*",)}, "Only user-group takes [*] for everybody"),
        ({"federation": "on"}, "give --listen, or set federation to off"),
        ({"accounts": "ldap"}, "give ldap-url"),
        ({"accounts": "ldap", "ldap_url": "ldap://localhost"}, "give ldap-search-base"),
        ({"accounts": "ldap", "ldap_url": "localhost", "ldap_search_base": "o=x"}, "isn't the URL of an LDAP server"),
        ({**_LDAP, "ldap_bind_dn": "cn=a"}, "ldap-bind-dn and ldap-bind-password-file"),
        ({**_LDAP, "ldap_bind_password_file": Path("/x")}, "ldap-bind-dn and ldap-bind-password-file"),
        ({**_LDAP, "ldap_ca_file": Path("/x")}, "would guard nothing"),
        ({**_LDAP, "ldap_user_filter": "(uid=*)"}, "lacks %.username.s"),
        ({**_LDAP, "accounts": "system"}, "set accounts to ldap"),
        ({**_LDAP, "ldap_url": "ldaps://a ldap://b", "ldap_ca_file": Path("/x")}, "would guard nothing"),
        ({**_LDAP, "ldap_name_attribute": "uid=*)("}, "isn't an attribute"),
        ({"auth": "ldap"}, "give ldap-url"),
        ({**_LDAP, "auth": "ldap"}, "name a group of it by admin-group or user-group"),
        ({**_LDAP, "auth": "ldap", "viewer_groups": ("all",)}, "say by ldap-group-base"),
        (
            {**_LDAP, "auth": "ldap", "ldap_url": "ldap://localhost ldap://ldap.example.org"},
            "everybody's password in clear",
        ),
    ],
)
def test_a_setting_that_cannot_be_right_is_refused(wrong: dict[str, object], told: str) -> None:
    with pytest.raises(SettingsError, match=told):
        Settings(**wrong)  # type: ignore[arg-type]


def test_passwords_go_through_a_network_in_clear_only_when_that_is_said() -> None:
    given = {**_LDAP, "auth": "ldap", "ldap_url": "ldap://ldap.example.org", "ldap_group_base": "o=x"}
    for said in ({"ldap_passwords_in_clear": True}, {"ldap_start_tls": True}, {"ldap_url": "ldaps://ldap.example.org"}):
        settings = Settings(**{**given, **said}, admin_groups=("deciders",))  # type: ignore[arg-type]
        assert settings.ldap is not None and settings.logins is not None


def test_federation_that_would_tell_of_nothing_is_refused(onggi: Onggi, tmp_path: Path) -> None:
    words = ("run", tmp_path, "--connect", "test:///default", "--state", tmp_path / "state")
    for done in (onggi(*words, "--federation", "on"), onggi(*words, "--once", ONGGI_FEDERATION="on")):
        assert (done.code, done.out) == (1, "")
        assert "give --listen" in done.err


def test_what_nobody_says_is_declared_once(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in [each for each in os.environ if each.startswith("ONGGI_")]:
        monkeypatch.delenv(name)
    context = click.Context(onggi_command, info_name="onggi")
    verbs = [onggi_command.get_command(context, name) for name in onggi_command.list_commands(context)]
    names = {field.name for field in fields(Settings)} - OF_ONE_CALL
    options = {each.name: each for verb in verbs if verb for each in verb.params if each.name in names}
    untold = click.Command("everything", params=list(options.values())).make_context("everything", [])
    assert untold.params == {name: getattr(Settings(), name) for name in names}
    assert names <= set(PARAMETERS.values()), "a setting can be said by a variable and in the file too"


@pytest.mark.parametrize("text", ["30s", "90s", "5m", "36h", "7d", "0s", "0.5s"])
def test_a_length_of_time_is_written_as_it_is_read(text: str) -> None:
    assert in_words(seconds(text)) == text
