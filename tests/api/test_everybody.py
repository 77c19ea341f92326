"""Every address × method × everybody, through an agent that runs: who is let in, and what of another's machine shows.

The machine `zebra` has a name, a title, a description, an address, disks and a snapshot that are nowhere else: not a
byte of them is in what somebody gets who may not know of it.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

import httpx
import pytest

from api.http.access import machine_in, owner_may
from api.http.discovery import resource_classes
from api.http.endpoint import ANYBODY, Endpoint, endpoints
from reconciler.identity.role import Role
from tests.api.live import LiveApi
from tests.api.own_machines import peopled
from tests.lab.people import ADMIN, OPERATOR, OTHER, USER, VIEWER

EVERYBODY = {
    "nobody": (None, None),
    "other": (OTHER, Role.USER),
    "owner": (USER, Role.USER),
    "viewer": (VIEWER, Role.VIEWER),
    "operator": (OPERATOR, Role.OPERATOR),
    "admin": (ADMIN, Role.ADMIN),
}
METHODS = ("GET", "HEAD", "POST", "PUT", "PATCH", "DELETE")
HERS, ANOTHERS, ABSENT = "hers", "zebra", "absent"
JSON = {"Content-Type": "application/json"}
# What would change the machine that runs this test, were it let through: asked of those who may not alone.
OF_THE_HOST = re.compile(r"/(host/(shutdown|reboot|swupdate|repositories)|debugreports)")
VALUES = {
    "kind": "VirtualMachine", "dev": "vda", "snapshot": "striped", "provider": "github", "file": "icon-vm.png",
    "number": "1", "mac": "52:54:00:00:0a:01", "host": "localhost", "repo_id": "none",
}  # fmt: skip


@pytest.fixture(scope="module")
def api(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LiveApi]:
    with peopled(tmp_path_factory.mktemp("everybody")) as running:
        made = running.task(running.client.post(f"/vms/{ANOTHERS}/snapshots", json={"name": "striped"}))
        assert made["status"] == "finished", made
        yield running


@pytest.fixture(scope="module")
def marks(api: LiveApi) -> list[str]:
    """What tells of zebra, and of nothing else."""
    shown = api.client.get(f"/vms/{ANOTHERS}").json()
    (card,) = api.client.get(f"/vms/{ANOTHERS}/ifaces").json()
    told = [shown["title"], shown["description"], shown["uuid"], card["mac"], "striped", f"{ANOTHERS}-root"]
    assert all(told)
    return told


def table() -> Iterator[tuple[type, str, str, Endpoint]]:
    """Every address with every method: the endpoint that it has, or the one that may be used by most."""
    for resource in resource_classes():
        by_action: dict[str, dict[str, Endpoint]] = {}
        for endpoint in endpoints(resource).values():
            by_action.setdefault(endpoint.name, {})[endpoint.method] = endpoint
        for action, declared in by_action.items():
            least = min(declared.values(), key=lambda each: each.role or 0)
            for method in METHODS:
                address = f"{resource.address}/{action}" if action else resource.address
                yield resource, address, method, declared.get(method, least)


def is_about_a_machine(resource: type, template: str) -> bool:
    return bool(machine_in(template, resource))


def at(template: str, name: str) -> str:
    """The address of something that is there, for what is about one object: of the one of this name."""
    values = {**VALUES, "name": name, "vm": name, "pool": ABSENT if name == ABSENT else "default-pool"}
    if "/storagevolumes/" in template:
        values = {**values, "name": f"{name}-root.qcow2"}
    return re.sub(r"{(\w+)(?::\w+)?}", lambda found: values[found[1]], template)


def expected(endpoint: Endpoint, role: Role | None, *, machine: bool, owns: bool) -> int | None:
    """The status by which somebody is refused; None for who is let in."""
    if endpoint.role is ANYBODY:
        return None
    if role is None:
        return 401
    if machine and owns and owner_may(endpoint):
        return None
    if machine and role < Role.VIEWER and not owns:
        return 404
    return 403 if role < endpoint.role else None


def questions(who: str) -> Iterator[tuple[str, str, int | None]]:
    """Method and address, and by which status they are refused; what removes a machine last."""
    last = []
    for resource, template, method, endpoint in table():
        machine = is_about_a_machine(resource, template)
        for name in (ANOTHERS, HERS) if machine and who == "owner" else (ANOTHERS,):
            refused = expected(endpoint, EVERYBODY[who][1], machine=machine, owns=name == HERS)
            changes = refused is None and method not in ("GET", "HEAD")
            if changes and OF_THE_HOST.match(template):
                continue
            # What the next one is asked about stays.
            path = at(template, ABSENT if changes and name == ANOTHERS else name)
            question = method, path, refused
            if changes and (method, template) == ("DELETE", "/vms/{name}"):
                last.append(question)
            else:
                yield question
    yield from last


def fits(path: str, status: int, refused: int | None) -> bool:
    """Who is let in isn't told that they may not, but for a webhook without proof. What it needs may lack."""
    if refused is not None:
        return status == refused
    if path.startswith("/hooks/"):
        return status in (403, 405)
    return status not in (401, 403, 500)


@pytest.mark.parametrize("who", EVERYBODY)
def test_everybody_is_let_in_where_the_table_says_and_reads_of_no_other(
    api: LiveApi, marks: list[str], who: str
) -> None:
    auth, role = EVERYBODY[who]
    wrong = []
    with httpx.Client(base_url=api.url, timeout=60) as client:
        for method, path, refused in questions(who):
            content = b"" if method in ("GET", "HEAD") else b"{"
            answer = client.request(method, path, auth=auth, content=content, headers=JSON)
            told = f"{method} {path}: {answer.status_code} {answer.text[:200]}"
            if not fits(path, answer.status_code, refused):
                wrong.append(f"{told}, and not {refused or 'let in'}")
            if role is None or role is Role.USER:
                seen = f"{answer.headers} {answer.text}"
                wrong += [f"{told} tells {mark}" for mark in marks if mark in seen and mark not in path]
                if ANOTHERS in seen.replace(path, "") and not answer.is_error:
                    wrong.append(f"{told} names {ANOTHERS}")
    assert not wrong, "\n".join(wrong)


def test_the_walk_asked_who_owns_a_machine_about_every_address_of_it(api: LiveApi) -> None:
    let_in = {path for _, path, refused in questions("owner") if refused is None and f"/vms/{HERS}" in path}
    assert len(let_in) >= 20
    assert {path for _, path, refused in questions("other") if refused is None and path.startswith("/vms/")} == set()
