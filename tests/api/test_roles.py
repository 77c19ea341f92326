"""Who may use what: every address × every method × everybody, as declared; and what declares nothing isn't served.

There is no agent behind most of these: whether somebody may is answered before that.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import falcon.asgi
import falcon.testing
import httpx
import libvirt
import pytest

from api.app import create_app
from api.http.access import Access, Rule, machine_in, owner_may
from api.http.discovery import resource_classes
from api.http.endpoint import (
    ANYBODY,
    Call,
    Endpoint,
    NoRoleError,
    Resource,
    action,
    delete,
    endpoints,
    get,
    post,
    put,
    raw,
)
from api.http.responder import add_resource
from api.http.schema import obj
from api.server import Server
from api.services import ServedPlugins, Services
from reconciler.errors import Forbidden
from reconciler.host.plugins import Plugin, Plugins
from reconciler.identity.role import Role
from reconciler.serving.client import Client
from reconciler.writing.changes import Documents, Put
from specs.reference import VIRTUAL_MACHINE, Ref
from tests.api.live import LiveApi, live_api
from tests.api.machines import BASE, TEMPLATE, make
from tests.lab.people import ADMIN, BY_ROLE, OPERATOR, VIEWER, logins_of_each_role
from tests.lab.repositories import Repository, git
from tests.lab.waiting import until

PAGE = Path(__file__).parents[2] / "docs/addresses.md"
EVERYBODY = (None, *Role)
JSON = {"Content-Type": "application/json"}
SECRET = "s3cret"
WEB = Ref(VIRTUAL_MACHINE, "web")


def declared() -> list[tuple[str, Endpoint]]:
    return [
        (f"{resource.address}/{endpoint.name}" if endpoint.name else resource.address, endpoint)
        for resource in resource_classes()
        for endpoint in endpoints(resource).values()
    ]


def concrete(template: str) -> str:
    return re.sub(r"{\w+(?::\w+)?}", "x", template)


class Plain:
    """One of falcon's own."""

    role = Role.OPERATOR

    def __init__(self, _services: Services) -> None:
        pass

    async def on_get(self, _request: falcon.asgi.Request, response: falcon.asgi.Response) -> None:
        response.media = 1


class Declared(Resource):
    address = "/plugins/some/declared"

    @get("Read.", obj({}), role=Role.VIEWER)
    def read(self, _call: Call) -> dict[str, Any]:
        return {}

    @action("switch", "Switch.", None, role=Role.ADMIN)
    def switch(self, _call: Call) -> None:
        pass


PLUGIN = Plugin("some", "1", {"/plugins/some/plain": Plain, Declared.address: Declared})


def services(*plugins: Plugin) -> Services:
    return Services(
        ready=lambda: True,
        alive=lambda: True,
        info=dict,
        logins=logins_of_each_role(),
        plugins=ServedPlugins(Plugins(plugins)),
    )


@pytest.fixture(scope="module")
def client() -> Iterator[httpx.Client]:
    server = Server(create_app(services(PLUGIN)), "127.0.0.1:0")
    server.start()
    with httpx.Client(base_url=server.url, timeout=60) as client:
        yield client
    server.stop()


def status(client: httpx.Client, role: Role | None, method: str, path: str, **more: Any) -> int:
    auth = BY_ROLE[role] if role is not None else None
    return client.request(method, path, auth=auth, content=b"{", **({"headers": JSON} | more)).status_code


def expected(endpoint: Endpoint, role: Role | None, machine: str = "") -> set[int] | None:
    """None: whatever the endpoint answers, and neither 401 nor 403. 503: nobody knows whose a machine is."""
    if (least := endpoint.role) is ANYBODY:
        return None
    if role is None:
        return {401}
    if machine and (role < Role.VIEWER or (role < least and owner_may(endpoint))):
        return {503}
    return {403} if role < least else None


def test_every_method_of_every_address_is_open_to_whom_it_declares(client: httpx.Client) -> None:
    table = [*declared(), *((path, each) for path, each in _of_the_plugin())]
    assert len(table) > 100
    for template, endpoint in table:
        for role in EVERYBODY:
            got = status(client, role, endpoint.method, concrete(template))
            wanted = expected(endpoint, role, machine_in(template))
            fits = got in wanted if wanted is not None else got not in (401, 403)
            assert fits, f"{role or 'nobody'}: {endpoint.method} {template} is {got}, declared for {endpoint.least}"


def _of_the_plugin() -> Iterator[tuple[str, Endpoint]]:
    yield "/plugins/some/plain", Endpoint("GET", "", None, Role.OPERATOR)
    yield "/plugins/some/declared", Endpoint("GET", "", None, Role.VIEWER)
    yield "/plugins/some/declared/switch", Endpoint("POST", "", None, Role.ADMIN)


def test_a_method_that_an_address_does_not_have_lets_nobody_in_either(client: httpx.Client) -> None:
    by_address: dict[str, dict[str, Role | None]] = {}
    for template, endpoint in declared():
        by_address.setdefault(template, {})[endpoint.method] = endpoint.role
    for template, roles in by_address.items():
        least = min(roles.values(), key=lambda role: role or 0)
        for method in {"HEAD", "GET", "POST", "PUT", "DELETE", "PATCH"} - roles.keys():
            assert status(client, None, method, concrete(template)) == (405 if least is ANYBODY else 401), template
        assert status(client, Role.ADMIN, "PATCH", concrete(template)) == 405, template


def test_the_older_names_of_addresses_ask_for_the_same(client: httpx.Client) -> None:
    for role in EVERYBODY:
        for method, path in (("GET", "/users"), ("POST", "/vms"), ("POST", "/vms/x/start"), ("GET", "/vms")):
            assert status(client, role, method, f"/plugins/kimchi{path}") == status(client, role, method, path)
            assert status(client, role, method, f"{path}/") == status(client, role, method, path)


def test_the_stream_of_events_asks_too(client: httpx.Client) -> None:
    for more in ({"headers": {"Accept": "text/event-stream"}}, {"params": {"follow": "true"}}):
        assert status(client, None, "GET", "/events", **more) == 401
        assert status(client, Role.VIEWER, "GET", "/events", **more) == 503


def test_what_is_public_is_no_more_than_this() -> None:
    assert {path for path, endpoint in declared() if endpoint.role is ANYBODY} == {
        "/", "/assets/{file}", "/config", "/config/capabilities", "/console/{name}", "/docs", "/docs/style.css",
        "/healthz", "/hooks/{provider}", "/login", "/login/oidc", "/login/oidc/callback", "/logout", "/openapi.json",
        "/plugins", "/readyz",
    }  # fmt: skip


def test_what_users_may_ask_beside_their_machines_is_no_more_than_this() -> None:
    assert {path for path, endpoint in declared() if endpoint.role is Role.USER} == {
        "/events", "/images/{file}", "/revisions", "/status", "/status/{kind}/{name:path}", "/tasks", "/tasks/{number}",
        "/vms", "/websockify",
    }  # fmt: skip


def test_nothing_about_one_machine_is_public_or_open_to_every_user() -> None:
    about = [(path, each) for path, each in declared() if machine_in(path)]
    assert len(about) > 30
    for path, endpoint in about:
        assert endpoint.role is not ANYBODY and endpoint.role >= Role.VIEWER, path


def test_a_viewer_only_reads_and_all_that_makes_or_removes_an_object_is_an_administrators() -> None:
    for path, endpoint in declared():
        if endpoint.role is ANYBODY:
            continue
        looks = endpoint.method == "GET" or endpoint.name == "connect"  # by which viewers only look
        assert endpoint.role > Role.VIEWER or looks, path
        if endpoint.role is Role.OPERATOR:
            assert path.startswith("/vms/{name}"), path


def test_the_page_of_addresses_and_the_openapi_document_say_it(client: httpx.Client) -> None:
    page, paths = PAGE.read_text(), client.get("/openapi.json").json()["paths"]
    for template, endpoint in declared():
        path = re.sub(r"{(\w+):\w+}", r"{\1}", template)
        owner = machine_in(template) and owner_may(endpoint)
        assert f"| `{path}` | {endpoint.method} | {endpoint.least}{', its owner' if owner else ''} |" in page
        assert roles_in(paths[path][endpoint.method.lower()]) == ({endpoint.least} - {"anybody"})
    assert roles_in(paths["/plugins/some/plain"]["get"]) == {"operator"}


def roles_in(operation: dict[str, Any]) -> set[str]:
    return {role for scheme in operation["security"] for roles in scheme.values() for role in roles}


@pytest.mark.parametrize(
    "mark",
    [
        get("It.", obj({})),
        post("It.", None, obj({})),
        put("It.", obj({}), obj({})),
        delete("It."),
        action("go", "It.", None),
        raw("GET", "It.", None),
        get("It.", obj({}), role="admin"),  # type: ignore[arg-type]  # as a plugin that nobody checks might
    ],
)
def test_an_endpoint_without_a_role_can_not_be_declared(mark: Callable[[Any], Any]) -> None:
    def read(self: Any, _call: Call) -> None: ...

    with pytest.raises(NoRoleError, match=r"test_roles\..*read doesn't declare who may use it; give it a `role`"):
        mark(read)


def test_what_users_may_ask_has_to_say_what_it_shows_them() -> None:
    def read(self: Any, _call: Call) -> None: ...

    with pytest.raises(NoRoleError, match=r"read is for users and doesn't say what it shows them; .* as `theirs`"):
        get("It.", obj({}), role=Role.USER)(read)
    assert get("It.", obj({}), role=Role.USER, theirs="What is theirs.")(read) is read


class SilentForUsers:
    """One of falcon's own."""

    role = Role.USER

    def __init__(self, _services: Services) -> None: ...

    async def on_get(self, _request: falcon.asgi.Request, _response: falcon.asgi.Response) -> None: ...


def test_a_plugins_own_kind_of_resource_has_to_say_it_too() -> None:
    app = create_app(services(Plugin("silent", "1", {"/plugins/silent": SilentForUsers})))
    asked = falcon.testing.TestClient(app, headers={"Authorization": "Basic " + "YWRhOmRlY2lkZXM="})
    assert "doesn't say what it shows them" in asked.simulate_get("/plugins/silent").json["error"]


class Silent(Resource):
    address = "/plugins/silent"

    async def on_get(self, _request: falcon.asgi.Request, response: falcon.asgi.Response) -> None:
        response.media = SECRET


class SilentSocket(Resource):
    address = "/plugins/silent"

    async def on_websocket(self, _request: falcon.asgi.Request, _socket: falcon.asgi.WebSocket) -> None: ...


class SilentLater(Resource):
    address = "/plugins/silent"

    def __init__(self, services: Services) -> None:
        super().__init__(services)
        self.on_get = Silent.on_get


class SaysAnother(Resource):
    address = "/plugins/silent"

    @raw("GET", "Reads, it says.", None, role=Role.VIEWER)
    async def on_delete(self, _request: falcon.asgi.Request, _response: falcon.asgi.Response) -> None: ...


class SilentPlain:
    def __init__(self, _services: Services) -> None: ...

    async def on_get(self, _request: falcon.asgi.Request, _response: falcon.asgi.Response) -> None: ...


@pytest.mark.parametrize("resource", [Silent, SilentSocket, SilentLater, SaysAnother])
def test_a_responder_that_declares_nothing_is_not_served(resource: type[Resource]) -> None:
    with pytest.raises(NoRoleError, match=rf"{resource.__name__}\.on_\w+ doesn't declare"):
        add_resource(falcon.asgi.App(), resource(services()))


@pytest.mark.parametrize("resource", [Silent, SilentSocket, SilentLater, SaysAnother, SilentPlain])
def test_a_plugin_that_declares_nothing_is_not_served_and_says_why(resource: type) -> None:
    app = create_app(services(Plugin("silent", "1", {"/plugins/silent": resource})))
    asked = falcon.testing.TestClient(app, headers={"Authorization": "Basic " + "YWRhOmRlY2lkZXM="})
    told = asked.simulate_get("/plugins/silent").json
    assert (told["name"], told["active"]) == ("silent", False)
    assert resource.__name__ in told["error"] and "doesn't declare who may use it" in told["error"]


def test_what_no_table_knows_is_an_administrators() -> None:
    assert Access().rule("/somewhere", "GET") == Rule(Role.ADMIN)


# What a change leaves


@pytest.fixture
def api(hand: libvirt.virConnect, repository: Repository, tmp_path: Path) -> Iterator[LiveApi]:
    """With a machine `web` that has a console with a password; who asks by `client` is an administrator."""
    repository.commit({"templates/small.yaml": TEMPLATE, "templates/base.yaml": BASE}, "Add templates")
    with live_api(repository, tmp_path / "state", logins=logins_of_each_role()) as running:
        running.client.auth = ADMIN
        until(lambda: len(running.serving.world.desired.resources) == 2, 60, "the templates are known")
        make(running)
        graphics = {"passwd": SECRET, "passwdValidTo": 3600}
        assert running.client.put("/vms/web", json={"graphics": graphics}).status_code == 200
        yield running
    for volume in hand.storagePoolLookupByName("default-pool").listAllVolumes():
        volume.delete()


def test_a_viewer_sees_everything_of_a_machine_but_its_password(api: LiveApi) -> None:
    for path in ("/vms", "/vms/web", "/vms?name=web"):
        seen = api.client.get(path, auth=VIEWER)
        assert seen.status_code == 200 and '"web"' in seen.text and SECRET not in seen.text
    assert SECRET in api.client.get("/vms/web", auth=OPERATOR).text
    for somebody in (VIEWER, OPERATOR, ADMIN):
        for path in ("/vms", "/vms?name=web"):
            assert SECRET not in api.client.get(path, auth=somebody).text, "no list tells a password"
        assert api.client.get(f"/vms?graphics={SECRET}", auth=somebody).json() == [], "a filter tells no more"
    for path in ("/templates", "/networks", "/storagepools", "/status", "/events", "/tasks", "/revisions", "/metrics"):
        seen = api.client.get(path, auth=VIEWER)
        assert seen.status_code == 200 and SECRET not in seen.text, path


def test_an_operator_works_with_a_machine_that_is_there(api: LiveApi) -> None:
    as_operator = {"auth": OPERATOR}
    for changed in (
        {"memory": 1024, "cpus": 3},
        {"title": "Web", "description": "It serves.", "autostart": True},
        {"bootorder": ["hd"], "bootmenu": True, "max_memory": 2048},
        {"graphics": {"passwd": "another"}},
    ):
        answer = api.client.put("/vms/web", json=changed, **as_operator)
        assert answer.status_code == 200, f"{changed}: {answer.text}"
    assert git(api.repository.path, "log", "-1", "--format=%an").strip() == "otto"
    for verb in ("start", "suspend", "resume", "reset", "poweroff"):
        answer = api.client.post(f"/vms/web/{verb}", **as_operator)
        assert answer.status_code == 200, f"{verb}: {answer.text}"
    assert api.client.put("/vms/web", json={"memory": 1536}, **as_operator).json()["memory"] == 1536


def test_a_machine_that_no_document_knows_is_an_operators_to_work_with_too(api: LiveApi) -> None:
    assert api.client.post("/vms/test/suspend", auth=OPERATOR).json()["state"] == "paused"
    assert "kind: VirtualMachine" in api.text("vms/test.yaml")


@pytest.mark.parametrize(
    "changed",
    [
        {"users": []},
        {"groups": ["root"]},
        {"name": "other"},
        {"memory": 1024, "users": ["root"]},
        {"graphics": {"passwd": "another"}, "groups": ["root"]},
    ],
    ids=str,
)
def test_what_reaches_beyond_a_machine_is_refused_whatever_comes_with_it(api: LiveApi, changed: dict[str, Any]) -> None:
    before, secrets = api.log(), set((api.agent.settings.state / "secrets").iterdir())
    answer = api.client.put("/vms/web", json=changed, auth=OPERATOR)
    assert answer.status_code == 403 and "needs the role admin" in answer.json()["reason"]
    assert (api.log(), set((api.agent.settings.state / "secrets").iterdir())) == (before, secrets)


def test_a_commit_is_judged_whichever_request_it_comes_by(api: LiveApi) -> None:
    def given_away(documents: Documents) -> list[Put]:
        document = api.serving.document(WEB, documents)
        return [Put(WEB, {**document, "spec": {**document["spec"], "access": {"users": ["otto"]}}})]

    before = api.log()
    with pytest.raises(Forbidden, match="`access` of VirtualMachine/web needs the role admin"):
        api.serving.changes.make(given_away, "Give web to otto", Client("otto", role=Role.OPERATOR), [])
    assert api.log() == before


def test_a_drive_of_an_operator_gets_only_images_of_pools(api: LiveApi, hand: libvirt.virConnect) -> None:
    pool = hand.storagePoolLookupByName("default-pool")
    for name in ("a.iso", "plain.img"):
        pool.createXML(f"<volume><name>{name}</name><capacity>1048576</capacity></volume>")
    body = {"type": "cdrom", "pool": "default-pool", "vol": "a.iso"}
    drive = api.client.post("/vms/web/storages", json=body).json()["dev"]
    address = f"/vms/web/storages/{drive}"
    before = api.log()
    for path in ("http://192.0.2.1/a.iso", "ftp://localhost/a.iso", "/etc/passwd", "/dev/sr0"):
        answer = api.client.put(address, json={"path": path}, auth=OPERATOR)
        assert answer.status_code == 403, f"{path}: {answer.text}"
    assert api.client.put(address, json={"path": pool_path(pool, "plain.img")}, auth=OPERATOR).status_code == 400
    assert api.log() == before
    assert api.client.put(address, json={"path": ""}, auth=OPERATOR).status_code == 200
    assert api.client.put(address, json={"path": pool_path(pool, "a.iso")}, auth=OPERATOR).status_code == 200


def pool_path(pool: libvirt.virStoragePool, volume: str) -> str:
    return str(pool.storageVolLookupByName(volume).path())
