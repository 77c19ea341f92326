"""Nobody is called what can't be told apart from another's name, or what a commit can't say."""

from __future__ import annotations

import unicodedata

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from reconciler.errors import Forbidden, Transient
from reconciler.identity.identity import Identity
from reconciler.identity.logins import Logins
from reconciler.identity.names import OddNameError, looks, name_problem
from reconciler.identity.twins import Twins

ODD = {
    "": "empty",
    "k" * 129: "at most",
    "kim\nOnggi-Source: cli": "aren't seen",
    "kim\r": "aren't seen",
    "kim\0": "aren't seen",
    "kim\u200b": "aren't seen",
    "ki\u200dm": "aren't seen",
    "kim\u202e": "aren't seen",
    "kim\u2066": "aren't seen",
    "kim\u00ad": "aren't seen",
    "kim\ufe0f": "aren't seen",
    "kim\U000e0041": "aren't seen",
    "kim\ue000": "aren't seen",
    "kim\u0378": "aren't seen",
    "kim\ud800": "aren't seen",
    "kim\u00a0lee": "aren't seen",
    "kim\u2800": "aren't seen",
    "ki\u006d\u0301": "NFC",
    "\u0301kim": "accent",
    "kim <root@example.org": "commit's address",
    "kim.": "begin or end",
    " kim": "begin or end",
    "'kim'": "begin or end",
    "token deploy": "those are this server's",
    "TOKEN deploy": "those are this server's",
    "ｔoken deploy": "those are this server's",
    "uid 0": "those are this server's",
}
GOOD = [
    "kim",
    "Kim Lee",
    "kim@example.org",
    r"EXAMPLE\kim",
    "김영희",
    "Zoë",
    "host$",
    "_apt",
    "auth0|5f7c8ec7c33c6c004bbafe82",
    "k.lee",
]


@pytest.mark.parametrize(("name", "why"), ODD.items(), ids=ascii)
def test_nobody_is_called_so_whatever_proves_it(name: str, why: str) -> None:
    with pytest.raises(OddNameError, match=why) as refused:
        Identity(name)
    assert isinstance(refused.value, Forbidden) and (len(name) < 2 or name not in str(refused.value))


@pytest.mark.parametrize("name", GOOD)
def test_the_names_that_directories_and_providers_give_are_good(name: str) -> None:
    assert Identity(name).name == name


def test_only_a_token_is_called_like_one_and_it_has_a_maker() -> None:
    assert Identity("token deploy", maker="root").maker == "root"
    with pytest.raises(ValueError, match="only a token"):
        Identity("deploy", maker="root")
    for name, maker in (("token token deploy", "root"), ("token ", "root"), ("token deploy", "ro\not")):
        with pytest.raises(OddNameError):
            Identity(name, maker=maker)


@settings(max_examples=500, deadline=None)
@given(st.text(max_size=20))
def test_a_good_name_is_one_line_of_what_is_seen_and_in_its_only_form(name: str) -> None:
    if not name_problem(name):
        assert name.isprintable() and name == name.strip() and len(name.splitlines()) == 1
        assert unicodedata.normalize("NFC", name) == name == name.encode().decode()


class Asked:
    """Accounts that know everybody."""

    def __init__(self) -> None:
        self.names: list[str] = []

    def proven(self, name: str, _password: str) -> Identity | None:
        self.names.append(name)
        return Identity(name)

    def current(self, _name: str) -> Identity | None:
        raise Transient("away")

    def close(self) -> None: ...


def test_an_odd_name_is_a_wrong_one_before_anybody_is_asked_for_it() -> None:
    accounts = Asked()
    logins = Logins(accounts, {})
    for name in [*ODD][1:6]:
        assert logins.by_password(name, "x", "192.0.2.1") is None
    assert accounts.names == []


def test_users_whose_names_look_the_same_are_told_once(caplog: pytest.LogCaptureFixture) -> None:
    twins = Twins()
    assert [twins.note(name) for name in ("kim", "lee", "kim", "KIM", "KIM", "ｋim")] == ["", "", "", "kim", "", "kim"]
    assert [record.args for record in caplog.records] == [("kim", "KIM"), ("kim", "ｋim")]
    assert looks("Straße") == looks("STRASSE") != looks("strase")
