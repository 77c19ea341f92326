"""/peers, /users and /groups in Kimchi's words: lists of texts."""

from __future__ import annotations

from tests.api.kimchi.words import Kimchi


def test_without_federation_there_are_no_peers(kimchi: Kimchi) -> None:
    assert kimchi.read("/peers") == []
    assert kimchi.read("/config/capabilities")["federation"] == "off"
    assert kimchi.read("/plugins") == []


def test_users_and_groups_are_names(kimchi: Kimchi) -> None:
    users, groups = kimchi.read("/users"), kimchi.read("/groups")
    assert "root" in users and all(isinstance(each, str) for each in [*users, *groups])
    assert groups == sorted(groups)
    assert kimchi.read("/users", _user_id="root") == ["root"]
    assert kimchi.refusal("GET", "/users?_user_id=nosuchuser") == "404 KCHAUTH0004E"
