"""A machine that runs without a disk and without an operating system, and whose document is edited.

It starts in about a second, and its CPUs stand still: QEMU's monitor answers all the same. A guest's driver doesn't, so
that a device that has to be let go of by its guest (PCI) can only be shown to go in `tests/stories/test_live_guest.py`.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import libvirt
import libvirt_qemu
from lxml import etree

from reconciler.planning.operations import EditLive
from reconciler.planning.plan import Plan
from tests.lab.libvirtd import HostObjects
from tests.lab.repositories import Repository
from tests.stories.live_guest import LiveGuest, live_guest

BASE: dict[str, Any] = {"memory": 64, "domainType": "emulated", "runStrategy": "Always", "paused": True}


class LiveMachine:
    """The machine. `start` begins a run with a document, `change` edits that document while it runs."""

    def __init__(self, guest: LiveGuest) -> None:
        self.guest = guest
        self._begun = False

    @property
    def domain(self) -> libvirt.virDomain:
        """The machine as libvirt has it."""
        return self.guest.domain

    @property
    def pool(self) -> str:
        """A pool of files, for volumes."""
        return self.guest.pool

    @property
    def name(self) -> str:
        """What libvirt calls it."""
        return self.guest.name

    def start(self, **fields: Any) -> None:
        """Start a new run of it, with a document that says this and nothing else; what was before is gone."""
        if self._begun:
            self.guest.forget()
        self._begun = True
        self.guest.spec = {**BASE, **fields}
        self.guest.begin()

    def change(self, **fields: Any) -> Plan:
        """Edit its document and apply that: it comes true in the run that there is, by edits of what runs alone.

        A field that is None leaves the document. Returns the plan that did it.
        """
        done = self.guest.apply(**fields)  # which holds that it is the same run of the same machine
        waiting = [change for item in done.remaining.waiting for change in item.changes]
        assert not waiting, f"it waits for the next boot: {waiting}"
        edits = [each for step in done.planned.steps for each in step.operations if isinstance(each, EditLive)]
        assert edits, f"nothing was said to the running machine: {done.planned.steps}"
        return done.planned

    def ask(self, command: str, **arguments: Any) -> Any:
        """What QEMU's monitor answers, such as to `query-iothreads`."""
        question = {"execute": command, **({"arguments": arguments} if arguments else {})}
        answer = json.loads(libvirt_qemu.qemuMonitorCommand(self.domain, json.dumps(question), 0))
        assert "return" in answer, answer
        return answer["return"]

    def property(self, path: str, name: str) -> Any:
        """A property of one of QEMU's objects: `property("/objects/iothread1", "poll-max-ns")`."""
        return self.ask("qom-get", path=path, property=name)

    def live(self, path: str = "") -> Any:
        """The running definition; with a path its first element there, or that attribute of it (`vcpu/@current`)."""
        return _at(self.guest.live(), path)

    def config(self, path: str = "") -> Any:
        """The same of the definition that the next run begins with."""
        return _at(self.guest.config(), path)


def _at(root: etree._Element, path: str) -> Any:
    if not path:
        return root
    found = root.xpath(path)
    return found[0] if found else None


@contextmanager
def live_machine(uri: str, folder: Path, pool_folder: Path) -> Iterator[LiveMachine]:
    """One for as long as a module's tests take."""
    connection = libvirt.open(uri)
    objects = HostObjects(connection)
    try:
        repository = Repository(folder / "repository")
        with live_guest(uri, connection, objects, repository, pool_folder / "unused", folder / "state") as guest:
            yield LiveMachine(guest)
    finally:
        objects.remove_all()
        left = objects.left()
        connection.close()
    assert not left, f"left behind: {', '.join(left)}"
