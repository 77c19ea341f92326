"""The hypervisors of the tests: the real qemu:///system, and private hosts of libvirt's test driver.

What a session had to start (libvirtd, virtlogd, the message bus) it also ends, by process id; somebody else's libvirtd
is used and left running. What a test makes on it carries a name of its own, and is looked for and removed afterwards.
"""

from __future__ import annotations

import fcntl
import ipaddress
import json
import os
import secrets
import shutil
import subprocess
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

import libvirt
import pytest

QEMU_SYSTEM = "qemu:///system"
PREFIX = "onggi-test-"
STARTER = Path(__file__).parents[2] / "setup/hypervisor.sh"
STORAGE = Path("/var/lib/libvirt")  # QEMU's own user reaches it, unlike pytest's folders
RECORD_VARIABLE = "ONGGI_TEST_HYPERVISOR"  # the folder where a session's workers note what they started

UNDEFINE_ALL = (
    libvirt.VIR_DOMAIN_UNDEFINE_MANAGED_SAVE
    | libvirt.VIR_DOMAIN_UNDEFINE_SNAPSHOTS_METADATA
    | libvirt.VIR_DOMAIN_UNDEFINE_CHECKPOINTS_METADATA
    | libvirt.VIR_DOMAIN_UNDEFINE_NVRAM
)


def pytest_configure(config: pytest.Config) -> None:
    """The main process of a session makes the folder; parallel workers inherit its name."""
    # libvirt prints every error to stderr unless a handler takes it; the tests look at the exceptions.
    libvirt.registerErrorHandler(lambda context, error: None, None)
    if not hasattr(config, "workerinput"):
        os.environ[RECORD_VARIABLE] = tempfile.mkdtemp(prefix="onggi-hypervisor-")


def pytest_unconfigure(config: pytest.Config) -> None:
    """At the very end, when all workers are gone, the main process ends what any of them started."""
    if hasattr(config, "workerinput"):
        return
    folder = Path(os.environ.pop(RECORD_VARIABLE))
    _hypervisor("stop", folder / "record")
    shutil.rmtree(folder)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """A test that uses the real hypervisor is marked `qemu`, one that boots the guest also `guest`."""
    for item in items:
        fixtures = getattr(item, "fixturenames", ())
        if "qemu_system" in fixtures:
            item.add_marker("qemu")
        if "guest_image" in fixtures:
            item.add_marker("guest")


def _hypervisor(verb: str, record: Path) -> None:
    done = subprocess.run([STARTER, verb, record], stdin=subprocess.DEVNULL, capture_output=True, text=True)
    if done.returncode:
        pytest.exit(f"no hypervisor for the tests: {done.stderr.strip()}", returncode=3)


@pytest.fixture(scope="session")
def qemu_system() -> str:
    """The URI of the machine's own libvirtd, which is started when none answers."""
    folder = Path(os.environ[RECORD_VARIABLE])
    with (folder / "lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not (folder / "record").exists():
            _hypervisor("start", folder / "record")
    return QEMU_SYSTEM


@pytest.fixture
def qemu_connection(qemu_system: str) -> Iterator[libvirt.virConnect]:
    """A plain connection of the test's own to qemu:///system, for looking at the world and for changing it by hand."""
    connection = libvirt.open(qemu_system)
    yield connection
    connection.close()


@pytest.fixture
def private_test_uri(tmp_path: Path) -> str:
    """A host of libvirt's test driver without any objects. NOTE: each connection to it is a world of its own."""
    return f"test://{shutil.copy(Path(__file__).with_name('node.xml'), tmp_path)}"


class HostObjects:
    """Names for what a test makes on a host, and their removal."""

    def __init__(self, connection: libvirt.virConnect) -> None:
        self._connection = connection
        self.prefix = f"{PREFIX}{secrets.token_hex(3)}-"

    def name(self, what: str) -> str:
        """A name that nobody else has. Several calls with the same word give the same name."""
        return f"{self.prefix}{what}"

    def left(self) -> list[str]:
        """What is there now under this prefix: `domain x`, `network x`, `pool x`, `volume x`, `filter x`."""
        found = [("domain", each) for each in self._mine(self._connection.listAllDomains)]
        found += [("network", each) for each in self._mine(self._connection.listAllNetworks)]
        found += [("pool", each) for each in self._mine(self._connection.listAllStoragePools)]
        found += [("volume", each) for each in self._volumes()]
        found += [("filter", each) for each in self._filters()]
        secrets = [f"secret {each.usageID()}" for each in self._secrets()]
        return [*(f"{kind} {each.name()}" for kind, each in found), *secrets]

    def remove_all(self) -> None:
        """Remove every object under this prefix, with its snapshots, saved state and disks."""
        for domain in self._mine(self._connection.listAllDomains):
            with suppress(libvirt.libvirtError):  # it may stop by itself in between
                domain.destroy()
            with suppress(libvirt.libvirtError):  # a transient one is gone by now
                domain.undefineFlags(UNDEFINE_ALL)
        for volume in self._volumes():
            with suppress(libvirt.libvirtError):  # `left` tells of it
                volume.delete()
        for each in self._mine(self._connection.listAllStoragePools) + self._mine(self._connection.listAllNetworks):
            with suppress(libvirt.libvirtError):  # it may be inactive
                each.destroy()
            with suppress(libvirt.libvirtError):
                each.undefine()
        for secret in self._secrets():
            secret.undefine()
        for _ in range(2):  # one that another includes stays until that one is gone
            for each in self._filters():
                with suppress(libvirt.libvirtError):
                    each.undefine()

    def _secrets(self) -> list[libvirt.virSecret]:
        return [each for each in self._connection.listAllSecrets() if self.prefix in each.XMLDesc()]

    def _filters(self) -> list[libvirt.virNWFilter]:
        return self._mine(self._connection.listAllNWFilters)

    def _mine(self, listing: Callable[[], list[Any]]) -> list[Any]:
        return [each for each in listing() if each.name().startswith(self.prefix)]

    def _volumes(self) -> list[libvirt.virStorageVol]:
        found = []
        for pool in self._connection.listAllStoragePools(libvirt.VIR_CONNECT_LIST_STORAGE_POOLS_ACTIVE):
            with suppress(libvirt.libvirtError):  # somebody else's pool may go away meanwhile
                mine = pool.name().startswith(self.prefix)
                if mine:
                    pool.refresh()
                found += [volume for volume in pool.listAllVolumes() if mine or volume.name().startswith(self.prefix)]
        return found


@pytest.fixture
def host_objects(qemu_connection: libvirt.virConnect) -> Iterator[HostObjects]:
    """Unique names on qemu:///system; what a test made under them is removed, and the test fails if anything stays."""
    objects = HostObjects(qemu_connection)
    yield objects
    objects.remove_all()
    left = objects.left()
    assert not left, f"a test left behind: {', '.join(left)}"


@contextmanager
def pool_folder() -> Iterator[Path]:
    """An empty folder for disk images that QEMU's own user can reach; removed afterwards."""
    if not os.access(STORAGE, os.W_OK):
        pytest.exit(f"the tests with real disks write to {STORAGE}: run them as root", returncode=3)
    folder = STORAGE / f"{PREFIX}{secrets.token_hex(4)}"
    folder.mkdir()
    folder.chmod(0o755)
    try:
        yield folder
    finally:
        shutil.rmtree(folder)


@pytest.fixture
def dir_pool_folder() -> Iterator[Path]:
    """The same for one test."""
    with pool_folder() as folder:
        yield folder


@pytest.fixture
def free_subnet() -> ipaddress.IPv4Network:
    """A private /24 to which this machine has no route: for a network that a test defines."""
    routes = json.loads(subprocess.run(["ip", "-j", "-4", "route"], capture_output=True, check=True).stdout)
    taken = [ipaddress.ip_network(route["dst"]) for route in routes if route["dst"] != "default"]
    while True:
        subnet = ipaddress.IPv4Network((f"10.{secrets.randbelow(90) + 150}.{secrets.randbelow(256)}.0", 24))
        if not any(subnet.overlaps(route) for route in taken):
            return subnet
