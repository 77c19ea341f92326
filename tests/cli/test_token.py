"""`onggi token`: a token is shown once, listed by what it is, and revoked by its ID."""

from __future__ import annotations

import re

import pytest

from tests.cli.command import Onggi


def test_a_token_is_made_listed_and_revoked(onggi: Onggi) -> None:
    made = onggi("token", "create", "backup", "--role", "viewer", "--expires", "30d")
    assert made.code == 0 and re.fullmatch(r"onggi_[0-9A-Za-z]{49}\n", made.out)
    assert "token 1, backup (viewer), and ends 2" in made.err and made.out.strip() not in made.err
    assert onggi("token", "create", "lasting", "--role", "admin", "--expires", "never", SUDO_USER="ada").code == 0
    listed = onggi("token", "list", "-o", "json")
    assert [(each["id"], each["name"], each["role"]) for each in listed.json] == [
        (1, "backup", "viewer"), (2, "lasting", "admin"),
    ]  # fmt: skip
    assert listed.json[1]["maker"] == "ada" and listed.json[1]["expires"] is None and listed.json[0]["used"] is None
    assert made.out.strip() not in listed.out
    assert onggi("token", "revoke", "1").code == 0
    assert "backup" not in onggi("token", "list").out
    again = onggi("token", "create", "Backup", "--role", "viewer")
    assert again.code == 1 and "choose another name" in again.err


@pytest.mark.parametrize(
    ("words", "why"),
    [
        (["create", "x"], "--role"),
        (["create", "--role", "viewer"], "name the token"),
        (["create", "a\u202eb", "--role", "viewer"], "aren't seen"),
        (["create", "token x", "--role", "viewer"], "can't begin"),
        (["create", "x", "--role", "viewer", "--expires", "0"], "never"),
        (["create", "x", "--role", "viewer", "--expires", "99999d"], "never"),
        (["create", "x", "--role", "god"], "god"),
        (["revoke", "backup"], "ID"),
        (["revoke", "7"], "no token 7"),
        (["list", "x"], "no name"),
    ],
)
def test_what_makes_no_sense_is_refused_with_the_remedy(onggi: Onggi, words: list[str], why: str) -> None:
    done = onggi("token", *words)
    assert done.code == 1 and why in done.err and done.out == ""
