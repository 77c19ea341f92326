"""A host whose every text is a mark that is nowhere else, and who may read which: where one shows up is a leak."""

from __future__ import annotations

import random
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

import httpx
import libvirt

from reconciler.identity.identity import Identity
from reconciler.identity.role import Role
from reconciler.identity.sessions import LoggedIn
from reconciler.serving.client import Client
from tests.api.host import Calls, harmless_host
from tests.api.live import LiveApi, live_api
from tests.api.machines import BASE
from tests.lab.people import ADMIN, Known, logins_of_each_role
from tests.lab.repositories import Repository
from tests.lab.waiting import until
from tests.stories.hosts import SHARED, clear

PEOPLE: Final[Mapping[str, tuple[str, Role] | None]] = {
    "nobody": None,
    "other": ("olaf", Role.USER),
    "user": ("uma", Role.USER),
    "viewer": ("vera", Role.VIEWER),
    "operator": ("otto", Role.OPERATOR),
    "admin": ("ada", Role.ADMIN),
}
NEVER: Final = 9  # a role that nobody has
_OWN: Final = ("{users: [uma]}", "{groups: [makers]}", "{users: [olga, uma]}", "{users: [uma], groups: [strangers]}")
_ANOTHERS: Final = ("{users: [somebody]}", "{groups: [strangers]}", "{}", "{users: [umaa, Uma], groups: [maker]}")
_MACHINE: Final = """\
apiVersion: onggi/v1
kind: VirtualMachine
metadata: {{name: {name}}}
spec:
  title: {title}
  description: {description}
  memory: 64
  cpus: 1
  runStrategy: Halted
  deletionPolicy: Delete
  disks: [{{name: root, size: 1MiB, pool: default-pool}}]
  interfaces: [{{network: default, mac: "{mac}"}}]
  graphics: {{type: vnc}}
  access: {access}
"""
_NETWORK: Final = "apiVersion: onggi/v1\nkind: Network\nmetadata: {{name: {name}}}\nspec: {{mode: isolated}}\n"


@dataclass(frozen=True, slots=True)
class Mark:
    """A text, the least role that may read it, and whether it is of a machine of uma's, who may then too."""

    text: str
    least: int
    own: bool = False

    def is_told(self, who: str) -> bool:
        """Whether somebody may read it."""
        known = PEOPLE[who]
        return known is not None and (known[1] >= self.least or (self.own and who == "user"))


@dataclass
class Marked:
    """`names` are those that there are, by what an address or a field calls them; `parts` those of each machine."""

    api: LiveApi
    hand: libvirt.virConnect
    calls: Calls
    own: list[str] = field(default_factory=list)
    anothers: list[str] = field(default_factory=list)
    marks: list[Mark] = field(default_factory=list)
    names: dict[str, list[str]] = field(default_factory=dict)
    parts: dict[str, dict[str, str]] = field(default_factory=dict)

    def session(self, who: str) -> str:
        """A new session's token; nobody has none."""
        known, logins = PEOPLE[who], self.api.logins
        if known is None:
            return ""
        assert logins is not None
        identity = Known().current(known[0]) or Identity(known[0])
        return logins.sessions.open(LoggedIn(identity, known[1]))

    def add(self, text: str, least: int, *kinds: str, own: bool = False) -> str:
        """One mark more, which is a name of these kinds."""
        self.marks.append(Mark(text, least, own))
        for kind in kinds:
            self.names.setdefault(kind, []).append(text)
        return text


@contextmanager
def marked(folder: Path) -> Iterator[Marked]:
    """Always the same one. What it needs lies in `folder`."""
    hand, calls = libvirt.open(SHARED), Calls()
    repository = Repository(folder / "repository")
    repository.commit({"templates/base.yaml": BASE}, "Begin")
    host = harmless_host(folder / "machine", calls)
    try:
        with live_api(repository, folder / "state", host=host, logins=logins_of_each_role()) as api:
            api.client.auth = ADMIN
            world = Marked(api, hand, calls)
            _fill(world)
            yield world
    finally:
        _clear(hand)
        hand.close()


def _fill(world: Marked) -> None:
    api, chance = world.api, random.Random(1)
    files = {}
    for own, rights in ((True, _OWN), (False, _ANOTHERS)):
        for access in rights:
            name = world.add(_made(chance, "vm-"), Role.VIEWER, "name", "vm", "vms", own=own)
            (world.own if own else world.anothers).append(name)
            mac = world.add(_mac(chance), Role.VIEWER, "mac", own=own)
            world.parts[name] = {"mac": mac, "dev": "vda"}
            files[f"{name}.yaml"] = _MACHINE.format(
                name=name,
                title=world.add(_made(chance, "title "), Role.VIEWER, "title", own=own),
                description=world.add(_made(chance, "about "), Role.VIEWER, "description", own=own),
                mac=mac,
                access=access,
            )
            world.add(f"{name}-root", Role.VIEWER, own=own)
            world.names.setdefault("vol", []).append(f"{name}-root.qcow2")
    network = world.add(_made(chance, "net-"), Role.VIEWER, "network", "networks")
    template = world.add(_made(chance, "tmpl-"), Role.VIEWER, "template", "templates")
    files |= {f"{network}.yaml": _NETWORK.format(name=network), f"{template}.yaml": BASE.replace("base", template)}
    api.repository.commit(files, "Add a world")
    count = len(world.own + world.anothers)
    until(lambda: len(api.client.get("/vms").json()) > count, 60, "the machines are there")
    until(lambda: api.client.get(f"/networks/{network}").status_code == 200, 60, "the network is there")
    pool = world.hand.storagePoolLookupByName("default-pool")
    pool.createXML("<volume><name>a.iso</name><capacity>1048576</capacity></volume>")
    for name in world.own + world.anothers:
        own = name in world.own
        world.names.setdefault("path", []).append(pool.storageVolLookupByName(f"{name}-root.qcow2").path())
        drive = {"type": "cdrom", "pool": "default-pool", "vol": "a.iso"}
        world.parts[name]["dev"] = _good(api.client.post(f"/vms/{name}/storages", json=drive)).json()["dev"]
        snapshot = world.add(_made(chance, "snap-"), Role.VIEWER, "snapshot", own=own)
        world.parts[name]["snapshot"] = snapshot
        done(api.task(api.client.post(f"/vms/{name}/snapshots", json={"name": snapshot})))
        password = world.add(_made(chance, "")[:8], Role.OPERATOR, own=own)
        graphics = {"passwd": password, "passwdValidTo": 360000}
        _good(api.client.put(f"/vms/{name}", json={"graphics": graphics}))
        world.add(str(_good(api.client.get(f"/vms/{name}")).json()["uuid"]), Role.VIEWER, "uuid", own=own)
    kept = world.add(_made(chance, "kept"), NEVER)
    luns = world.add(_made(chance, "pool-"), Role.VIEWER, "pool", "storagepools")
    source = {
        "host": "127.0.0.1",
        "target": "iqn.2024-01.org.example:disks",
        "auth": {"username": "a", "password": kept},
    }
    refused = api.client.post("/storagepools", json={"name": "luns", "type": "iscsi", "source": source})
    assert refused.status_code == 501, refused.text  # the test driver keeps no secrets, and the agent none for nothing
    _good(api.client.post("/storagepools", json={"name": luns, "type": "dir", "path": f"/srv/{luns}"}))
    volume = world.add(_made(chance, "vol-"), Role.VIEWER, "vol")
    body = {"name": volume, "capacity": 1 << 20, "format": "raw"}
    done(api.task(api.client.post("/storagepools/default-pool/storagevolumes", json=body)))
    message = world.add(_made(chance, "errand "), Role.ADMIN)
    task = api.serving.tasks.begin("/plugins/some/errand", Client("ada", role=Role.ADMIN), message=message)
    world.names["number"] = [str(task.id), "1", "2", "3", "9", "10"]
    for kind, name in (("pool", "default-pool"), ("networks", "default"), ("vms", "test")):
        world.names[kind].append(name)
    until(lambda: not api.client.get("/plan").json().get("actions"), 60, "all is as declared")


def done(task: dict[str, Any]) -> None:
    """That a task came to its end."""
    assert task["status"] == "finished", task


def _good(answer: httpx.Response) -> httpx.Response:
    assert answer.status_code < 300, answer.text
    return answer


def _made(chance: random.Random, begin: str) -> str:
    return begin + "".join(chance.choice("bcdfghjkmnpqrstvwxz") for _ in range(10))


def _mac(chance: random.Random) -> str:
    return "52:54:00:" + ":".join(f"{chance.randrange(256):02x}" for _ in range(3))


def _clear(hand: libvirt.virConnect) -> None:
    clear(hand)
    for listing in (hand.listAllDomains(), hand.listAllNetworks(), hand.listAllStoragePools()):
        for each in listing:
            if not each.isActive():
                each.create()
            elif isinstance(each, libvirt.virDomain) and each.state()[0] == libvirt.VIR_DOMAIN_PAUSED:
                each.resume()
    for volume in hand.storagePoolLookupByName("default-pool").listAllVolumes():
        volume.delete()
