"""A guest that runs while its documents are edited, and what has to hold after every edit: it is the same machine.

What an edit should do inside the guest is left to the stories.
"""

from __future__ import annotations

import ipaddress
import json
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import libvirt
import yaml
from lxml import etree

from reconciler.line.convergence import Convergence
from reconciler.line.line import Line
from reconciler.planning.plan import Plan
from reconciler.settings.settings import Settings
from specs.reference import VIRTUAL_MACHINE, Ref
from tests.lab.approving import converge_approved
from tests.lab.libvirtd import HostObjects
from tests.lab.repositories import Repository
from tests.lab.serial_console import SerialConsole
from tests.lab.waiting import until

BASE = "guest-base.qcow2"
BOOT_LIMIT_S = 300.0


def document(kind: str, name: str, spec: Mapping[str, Any]) -> str:
    """One document, which says twice what is in it twice: documents have no references."""
    whole = {"apiVersion": "onggi/v1", "kind": kind, "metadata": {"name": name}, "spec": dict(spec)}
    return yaml.safe_dump(json.loads(json.dumps(whole)))


class LiveGuest:
    """One machine in a repository, running on qemu:///system. `spec` is what its document says now."""

    def __init__(
        self, uri: str, connection: libvirt.virConnect, objects: HostObjects, repository: Repository, line: Line
    ) -> None:
        self.uri, self.connection, self.objects, self.repository, self.line = uri, connection, objects, repository, line
        self.name = objects.name("vm")
        self.pool = objects.name("pool")
        self.ref = Ref(VIRTUAL_MACHINE, self.name)
        self.spec: dict[str, Any] = {
            "memory": 192,
            "domainType": "emulated",
            "runStrategy": "Always",
            "disks": [{"name": "root", "size": "1GiB", "pool": self.pool, "base": BASE}],
        }

    @property
    def domain(self) -> libvirt.virDomain:
        """The machine as libvirt has it."""
        return self.connection.lookupByName(self.name)

    def live(self) -> etree._Element:
        """The running definition."""
        return etree.fromstring(self.domain.XMLDesc())

    def config(self) -> etree._Element:
        """The persistent definition."""
        return etree.fromstring(self.domain.XMLDesc(libvirt.VIR_DOMAIN_XML_INACTIVE))

    def commit(self, **fields: Any) -> None:
        """Edit the document: a field that is None leaves it."""
        changed = {**self.spec, **fields}
        self.spec = {key: value for key, value in changed.items() if value is not None}
        self.repository.commit({"vm.yaml": document("VirtualMachine", self.name, self.spec)})

    def begin(self, **fields: Any) -> Convergence:
        """Edit the document and apply it, whatever that means for the machine: it may be made, or started anew.

        A disk that leaves has a person's yes.
        """
        self.commit(**fields)
        done = self.line.converge()
        if any(item.digest for item in done.remaining.blocked):
            done = converge_approved(self.line)
        assert done.succeeded, [
            *(each.message for each in (*done.outcomes, *done.problems, *done.remaining.blocked) if each.message)
        ]
        return done

    def apply(self, **fields: Any) -> Convergence:
        """Edit the document and apply it: the host is then as it says, and it is still the same machine."""
        before = Likeness(self)
        done = self.begin(**fields)
        before.check()
        assert self.line.plan().empty
        return done

    def change(self, **fields: Any) -> Plan:
        """The same for an edit that comes true at once: nothing waits. Returns the plan that did it."""
        done = self.apply(**fields)
        # Memory is the guest's to give back: it was told, and on a busy machine takes its time.
        until(lambda: not self.line.plan().waiting, 60, f"nothing waits any more: {done.remaining.waiting}")
        seen = self.line.observe().objects[self.ref]
        assert seen.live is not None
        for field in fields:
            assert seen.live.get(field) == seen.config.get(field) or field in ("cdroms", "disks", "interfaces")
        return done.planned

    def forget(self) -> None:
        """Have neither the machine nor its document any more. What vanishes by a hand would be made again as it was."""
        self.domain.destroy()
        self.repository.remove("vm.yaml")
        converge_approved(self.line)

    @contextmanager
    def console(self) -> Iterator[SerialConsole]:
        """The serial line of the guest, which is up."""
        with SerialConsole(self.uri, self.name) as line:
            line.wait_until_ready(BOOT_LIMIT_S)
            yield line


class Likeness:
    """By what a machine is known to be the same one: nothing of it may move, unless its document says so."""

    def __init__(self, guest: LiveGuest) -> None:
        self._guest = guest
        self.uid, self.run = guest.domain.UUIDString(), guest.domain.ID()
        self.nvram = guest.config().findtext("os/nvram")
        self.places = {"live": places(guest.live()), "config": places(guest.config())}

    def check(self) -> None:
        """The same UUID and the same run of it; devices that are still there are where they were."""
        guest = self._guest
        assert (guest.domain.UUIDString(), guest.domain.ID()) == (self.uid, self.run)
        assert guest.config().findtext("os/nvram") == self.nvram
        for which, root in (("live", guest.live()), ("config", guest.config())):
            now = places(root)
            moved = {
                name: (place, now[name]) for name, place in self.places[which].items() if now.get(name, place) != place
            }
            assert moved == {}, which


def places(root: etree._Element) -> dict[str, dict[str, str]]:
    """The address of each device, by what the device is known by."""
    found: dict[str, dict[str, str]] = {}
    for device in root.iterfind("devices/*"):
        address, target, mac = device.find("address"), device.find("target"), device.find("mac")
        if address is None:
            continue
        name = (
            mac.get("address")
            if mac is not None
            else target.get("dev") or target.get("name")
            if target is not None
            else ""
        )
        what = f"{device.tag} {name or device.get('index') or device.get('model') or ''} {device.get('type') or ''}"
        found.setdefault(what, dict(address.attrib))  # of several that are alike the first
    return found


def networks(objects: HostObjects, subnet: ipaddress.IPv4Network) -> Mapping[str, str]:
    """Two networks that lead nowhere, `one` and `two`, halves of a subnet, as documents."""
    made = {}
    for word, half in zip(("one", "two"), subnet.subnets(), strict=True):
        hosts = list(half.hosts())
        dhcp = {"start": str(hosts[9]), "end": str(hosts[49])}
        spec = {"mode": "isolated", "subnet": str(half), "dhcp": dhcp}
        made[f"{word}.yaml"] = document("Network", objects.name(word), spec)
    return made


@contextmanager
def live_guest(
    uri: str, connection: libvirt.virConnect, objects: HostObjects, repository: Repository, base: Path, state: Path
) -> Iterator[LiveGuest]:
    """A machine whose pool is declared, before its first commit. `base` is the guest's image in the pool's folder."""
    pool = {"type": "dir", "path": str(base.parent)}
    repository.commit({"pool.yaml": document("StoragePool", objects.name("pool"), pool)})
    settings = Settings(
        repository=str(repository.path),
        connect=uri,
        state=state,
        allowed_folders=(str(base.parent),),
        allowed_secret_folders=(str(state.parent), str(base.parent)),
    )
    with Line.open(settings, exclusive=True) as line:
        yield LiveGuest(uri, connection, objects, repository, line)
