"""A libvirtd of the tests' own with all that the machine's own can do, networks included, and nobody else's objects.

It is one for a whole session, and lives in namespaces (see secluded.sh): what it starts ends with it, whatever happens.
"""

from __future__ import annotations

import ctypes
import secrets
import shutil
import subprocess
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import libvirt
import psutil
import pytest

from reconciler.hypervisor.host.kernel_interfaces import kernel_interfaces
from reconciler.observed.answers import HostInterface
from tests.lab.libvirtd import PREFIX, STORAGE
from tests.lab.waiting import until

_SETUP = Path(__file__).with_name("secluded.sh")
_CLONE_NEWNET = 0x40000000
_LIBC = ctypes.CDLL(None, use_errno=True)


class SecludedLibvirtd:
    """`uri` reaches it, and `folder` is where both sides find files."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.uri = f"qemu+unix:///system?socket={folder}/state/run/libvirt-sock"
        self._keeper: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        """Start it and wait until it answers."""
        (self.folder / "state").mkdir()
        with (self.folder / "errors").open("wb") as errors:
            self._keeper = subprocess.Popen(
                # It ends with this process, even if that is killed.
                ["setpriv", "--pdeathsig", "KILL",
                 "unshare", "--mount", "--net", "--pid", "--fork", "--mount-proc", "--kill-child",
                 "sh", _SETUP, self.folder / "state"],
                stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=errors,
            )  # fmt: skip
        until(self._answers, 120, "the secluded libvirtd answers")

    def end(self) -> None:
        """With all that it has started."""
        if self._keeper is not None and self._keeper.poll() is None:
            inside = psutil.Process(self._keeper.pid).children(recursive=True)
            self._keeper.kill()
            self._keeper.wait(60)
            _, alive = psutil.wait_procs(inside, 60)
            assert not alive

    def interfaces(self) -> dict[str, HostInterface]:
        """What an agent beside it is told by the kernel. The cable's end counts as a card: no kernel makes one."""
        assert self._keeper is not None
        its_own = Path(f"/proc/{self._keeper.pid}")
        with Path("/proc/thread-self/ns/net").open() as home, (its_own / "ns/net").open() as there:
            _enter(there.fileno())  # only this thread
            try:
                found = kernel_interfaces(its_own / "root/sys/class/net")
            finally:
                _enter(home.fileno())
        return found | {"eth1": replace(found["eth1"], type="nic")}

    def _answers(self) -> bool:
        if self._keeper is None or self._keeper.poll() is not None:
            pytest.fail(f"the secluded libvirtd doesn't start: {(self.folder / 'errors').read_text()}")
        connection = libvirt.open(self.uri)
        connection.getCapabilities()  # probes QEMU the first time, which takes seconds
        connection.close()
        return True


def _enter(network: int) -> None:
    if _LIBC.setns(network, _CLONE_NEWNET):
        raise OSError(ctypes.get_errno(), "can't enter the network namespace")


@pytest.fixture(scope="session")
def secluded_libvirtd(qemu_system: str) -> Iterator[SecludedLibvirtd]:
    """Running, without any object. The machine's own is asked for because that opens /dev/kvm to QEMU's user."""
    folder = STORAGE / f"{PREFIX}{secrets.token_hex(4)}"
    folder.mkdir()
    folder.chmod(0o755)
    daemon = SecludedLibvirtd(folder)
    try:
        daemon.start()
        yield daemon
    finally:
        daemon.end()
        shutil.rmtree(folder)
