"""A plugin's address that is about a machine is guarded like one below /vms, and its lists can leave out what isn't
theirs.
"""

from __future__ import annotations

import base64
from types import SimpleNamespace
from typing import Any

import falcon.testing
import pytest

from api.app import create_app
from api.http.schema import arr
from api.services import ServedPlugins, Services
from onggi.plugin import Call, Resource, Role, action, get, obj, sees_machine, text
from reconciler.desired.state import DesiredState
from reconciler.desired.state import Resource as Declared
from reconciler.host.plugins import Plugin, Plugins
from reconciler.loop.passes import World
from reconciler.observed.snapshot import Snapshot
from reconciler.planning.plan import Plan
from reconciler.serving.sight import Sight
from reconciler.source.tree import Revision
from specs.host import Host
from specs.reference import VIRTUAL_MACHINE, Ref
from tests.lab.people import BY_NAME, logins_of_each_role


class Notes(Resource):
    address = "/plugins/notes"

    @get("Of each machine.", arr(text()), role=Role.USER, theirs="Users see those of their machines.")
    def read(self, call: Call) -> list[str]:
        return [name for name in ("hers", "zebra") if sees_machine(self, call, name)]


class Note(Resource):
    address = "/plugins/notes/{machine}"
    machine_variable = "machine"

    @get("Of one.", obj({}, closed=False), role=Role.VIEWER)
    def read(self, _call: Call, machine: str) -> dict[str, Any]:
        return {"machine": machine}

    @action("write", "Write it.", None, role=Role.OPERATOR, status=204)
    def write(self, _call: Call, machine: str) -> None: ...

    @action("tear", "Tear it up.", None, role=Role.ADMIN, owners=True, status=204)
    def tear(self, _call: Call, machine: str) -> None: ...

    @action("send", "Send it to all.", None, role=Role.ADMIN, status=204)
    def send(self, _call: Call, machine: str) -> None: ...


@pytest.fixture(scope="module")
def app() -> Any:
    refs = {"hers": "uma", "zebra": "somebody"}
    machines = {
        Ref(VIRTUAL_MACHINE, name): Declared(Ref(VIRTUAL_MACHINE, name), "", {"access": {"users": [user]}}, "a.yaml", 1)
        for name, user in refs.items()
    }
    world = World(DesiredState(Revision("main", "sha1", "0"), "id", machines), Snapshot(1, Host(), {}), Plan("r"))
    serving: Any = SimpleNamespace(world=world, sight=lambda client: Sight(client, lambda: world))
    plugin = Plugin("notes", "1", {Notes.address: Notes, Note.address: Note})
    return create_app(
        Services(
            ready=bool,
            alive=bool,
            info=dict,
            serve=lambda: serving,
            logins=logins_of_each_role(),
            plugins=ServedPlugins(Plugins((plugin,))),
        )
    )


def asked(app: Any, who: str, method: str, path: str) -> Any:
    name, password = who, BY_NAME[who]
    proof = base64.b64encode(f"{name}:{password}".encode()).decode()
    return falcon.testing.TestClient(app).simulate_request(method, path, headers={"Authorization": f"Basic {proof}"})


@pytest.mark.parametrize(
    ("who", "path", "statuses"),
    [
        ("uma", "hers", (200, 204, 204, 403)),
        ("uma", "zebra", (404, 404, 404, 404)),
        ("uma", "absent", (404, 404, 404, 404)),
        ("olaf", "hers", (404, 404, 404, 404)),
        ("vera", "hers", (200, 403, 403, 403)),
        ("otto", "hers", (200, 204, 403, 403)),
        ("ada", "absent", (200, 204, 204, 204)),
    ],
)
def test_an_address_that_says_which_machine_it_is_about_is_guarded(
    app: Any, who: str, path: str, statuses: tuple[int, ...]
) -> None:
    asked_for = [("GET", ""), ("POST", "/write"), ("POST", "/tear"), ("POST", "/send")]
    got = tuple(asked(app, who, method, f"/plugins/notes/{path}{below}").status_code for method, below in asked_for)
    assert got == statuses


def test_a_list_leaves_out_what_is_not_theirs(app: Any) -> None:
    assert asked(app, "uma", "GET", "/plugins/notes").json == ["hers"]
    assert asked(app, "olaf", "GET", "/plugins/notes").json == []
    assert asked(app, "vera", "GET", "/plugins/notes").json == ["hers", "zebra"]
