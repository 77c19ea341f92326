"""`actions` in representations: whoever gives a resource, alone or in a list, names what can be done with it."""

from __future__ import annotations

from typing import Any

from api.http.action_names import ActionNames
from api.http.endpoint import OURS, Call, Resource, action, get
from api.http.schema import arr, obj, text
from reconciler.identity.role import Role

LAMP = obj({"name": text()}, required=("name",), title="Lamp")


class Lamp(Resource):
    address = "/lamps/{name}"

    @get("A lamp.", LAMP, role=Role.VIEWER)
    def read(self, _call: Call, name: str) -> dict[str, Any]:
        return {"name": name}

    @action("switch", "Switch it.", LAMP, role=Role.ADMIN)
    def switch(self, _call: Call, name: str) -> dict[str, Any]:
        return {"name": name}

    @action("break", "Break it.", None, role=Role.ADMIN)
    def smash(self, _call: Call, name: str) -> None:
        pass


class Shelf(Resource):
    """None of Kimchi's."""

    address = "/shelf"
    since = OURS

    @get("The shelf.", obj({}, title="Shelf"), role=Role.VIEWER)
    def read(self, _call: Call) -> dict[str, Any]:
        return {}


TOLD = ActionNames([Lamp, Shelf])
WHOLE = {"name": "desk", "actions": ["break", "switch"]}


def test_a_resource_is_known_by_its_title_wherever_it_is_given() -> None:
    given = {"name": "desk"}
    assert TOLD.value(LAMP, given) == WHOLE
    assert TOLD.value(arr(LAMP), [given]) == [WHOLE]
    assert TOLD.value({"anyOf": [LAMP, obj({})]}, given) == WHOLE
    assert given == {"name": "desk"}, "what a view keeps isn't changed"


def test_nothing_is_no_resource_and_other_answers_stay_as_they_are() -> None:
    assert TOLD.value({"anyOf": [LAMP, obj({})]}, {}) == {}
    assert TOLD.value(arr(LAMP), []) == []
    assert TOLD.value(obj({}, title="Shelf"), {"name": "x"}) == {"name": "x"}
    assert TOLD.value(None, {"name": "x"}) == {"name": "x"}


def test_the_documentation_says_which_there_are() -> None:
    told = TOLD.schema(LAMP)
    assert told["properties"]["actions"]["items"]["enum"] == ["break", "switch"]
    assert told["required"] == ["name", "actions"]
    assert "actions" not in LAMP["properties"]
    assert "actions" not in TOLD.schema(obj({}, title="Shelf"))["properties"]
