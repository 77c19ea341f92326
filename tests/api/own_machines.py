"""An agent whose machines belong to several people, for tests of who sees and may do what."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

import libvirt

from tests.api.live import LiveApi, live_api
from tests.lab.people import ADMIN, logins_of_each_role
from tests.lab.repositories import Repository
from tests.lab.waiting import until
from tests.stories.hosts import SHARED, clear

MACHINE: Final = """\
apiVersion: onggi/v1
kind: VirtualMachine
metadata: {{name: {name}}}
spec:
  title: the title of {name}
  description: for what {name} is
  memory: 64
  cpus: 1
  runStrategy: Halted
  deletionPolicy: Delete
  disks: [{{name: root, size: 1MiB, pool: default-pool}}]
  interfaces: [{{network: default, mac: "52:54:00:00:0a:{last:02x}"}}]
  access: {access}
"""
MINE: Final = {"hers": "{users: [uma]}", "theirs": "{groups: [makers]}", "veras": "{users: [vera, otto]}"}
YOURS: Final = {"zebra": "{users: [somebody], groups: [strangers]}", "nobodys": "{}"}


def document(name: str, access: str) -> str:
    """A machine's, by its name and who may use it."""
    return MACHINE.format(name=name, access=access, last=sum(name.encode()) % 256)


@contextmanager
def peopled(folder: Path) -> Iterator[LiveApi]:
    """With these machines, all off; who asks by `client` is an administrator."""
    connection = libvirt.open(SHARED)
    repository = Repository(folder / "repository")
    repository.commit({f"{name}.yaml": document(name, who) for name, who in (MINE | YOURS).items()}, "Add machines")
    try:
        with live_api(repository, folder / "state", logins=logins_of_each_role()) as running:
            running.client.auth = ADMIN
            until(lambda: len(running.client.get("/vms").json()) > len(MINE | YOURS), 60, "the machines are there")
            yield running
    finally:
        clear(connection)
        for volume in connection.storagePoolLookupByName("default-pool").listAllVolumes():
            volume.delete()
        connection.close()
