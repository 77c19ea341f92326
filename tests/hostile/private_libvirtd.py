"""A libvirtd of a test's own, which may be killed: a session daemon of QEMU's user, far from the machine's own."""

from __future__ import annotations

import os
import secrets
import shutil
import signal
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import libvirt
import psutil
import pytest

from tests.lab.libvirtd import RECORD_VARIABLE, STORAGE
from tests.lab.waiting import until


class PrivateLibvirtd:
    """`uri` reaches it. It keeps what was defined over `kill` and `start`.

    `test_uri` reaches the test driver in it. That host's state lasts while somebody is connected to it.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._process: subprocess.Popen[bytes] | None = None
        self.socket = folder / "run/libvirt/libvirt-sock"
        self.uri = f"qemu+unix:///session?socket={self.socket}"
        self.test_uri = f"test+unix:///default?socket={self.socket}"
        (folder / "libvirtd.conf").write_text('log_outputs = "3:stderr"\n')
        (folder / "run").mkdir()
        # The paths of guests' sockets begin with it, and must stay below 108 characters.
        self._config = Path(tempfile.mkdtemp(prefix="o", dir=STORAGE))
        # Each daemon gives ports to its machines as if it were the only one: away from where the others begin.
        (self._config / "libvirt").mkdir()
        ports = 6_100 + 100 * secrets.randbelow(100)
        (self._config / "libvirt/qemu.conf").write_text(
            f"remote_display_port_min = {ports}\nremote_display_port_max = {ports + 99}\n"
        )
        if _learned().exists():
            shutil.copytree(_learned(), folder / "cache")
        for path in (folder, *folder.rglob("*"), self._config, *self._config.rglob("*")):
            shutil.chown(path, "libvirt-qemu", "kvm")

    def start(self) -> None:
        """Start it and wait until it answers."""
        places = {"HOME": "", "XDG_RUNTIME_DIR": "run", "XDG_CACHE_HOME": "cache"}
        environment = {name: str(self._folder / place) for name, place in places.items()}
        environment |= {"PATH": os.environ["PATH"], "XDG_CONFIG_HOME": str(self._config)}
        # It would end together with the machine's bus, which another test may have started.
        environment["DBUS_SYSTEM_BUS_ADDRESS"] = f"unix:path={self._folder}/no-bus"
        with (self._folder / "log").open("ab") as log:
            self._process = subprocess.Popen(
                ["setpriv", "--reuid=libvirt-qemu", "--regid=kvm", "--clear-groups",
                 "libvirtd", "-f", self._folder / "libvirtd.conf"],
                stdin=subprocess.DEVNULL, stdout=log, stderr=log, env=environment,
            )  # fmt: skip
        until(self._answers, 120, "the private libvirtd answers")
        if not _learned().exists():
            copy = Path(tempfile.mkdtemp(dir=_learned().parent))
            shutil.copytree(self._folder / "cache", copy, dirs_exist_ok=True)
            with suppress(OSError):  # another worker's was sooner
                copy.rename(_learned())

    def kill(self) -> None:
        """As a crash would end it; its socket stays and refuses."""
        self._end(signal.SIGKILL)

    def stop(self) -> None:
        """End it in order."""
        self._end(signal.SIGTERM)

    def remove(self) -> None:
        """Take away what lies outside its folder."""
        shutil.rmtree(self._config)

    @property
    def has_crashed(self) -> bool:
        """It has ended by itself."""
        return self._process is not None and self._process.poll() is not None

    @property
    def process_id(self) -> int:
        assert self._process is not None
        return self._process.pid

    def wait_for_its_end(self, timeout_s: float) -> None:
        """Until somebody has killed it."""
        assert self._process is not None
        self._process.wait(timeout_s)
        self._process = None

    def names(self) -> list[str]:
        """The machines that it has; none while it is away."""
        with suppress(libvirt.libvirtError):
            connection = libvirt.open(self.uri)
            found = [domain.name() for domain in connection.listAllDomains()]
            connection.close()
            return found
        return []

    def _answers(self) -> bool:
        connection = libvirt.open(self.uri)
        connection.getCapabilities()  # has QEMU probed
        connection.close()
        return True

    def clients(self) -> int:
        """How many connections it has."""
        sockets = psutil.Process(self.process_id).net_connections(kind="unix")
        return sum(each.laddr == str(self.socket) for each in sockets) - 1  # the one that listens

    def _end(self, how: signal.Signals) -> None:
        process, self._process = self._process, None
        if process is None:
            return
        process.send_signal(how)
        try:
            process.wait(60)
        except subprocess.TimeoutExpired:
            process.kill()  # it fails the test, and stays nobody's burden
            process.wait(60)
            raise


def _learned() -> Path:
    """What the first daemon of a session has found out about QEMU, which takes seconds: the others begin with it."""
    return Path(os.environ[RECORD_VARIABLE]) / "learned"


@pytest.fixture
def private_libvirtd(dir_pool_folder: Path) -> Iterator[PrivateLibvirtd]:
    """Running, and without any object."""
    with running_libvirtd(dir_pool_folder) as daemon:
        yield daemon


@contextmanager
def running_libvirtd(folder: Path) -> Iterator[PrivateLibvirtd]:
    """One whose own files lie in `folder`/daemon."""
    (folder / "daemon").mkdir()
    daemon = PrivateLibvirtd(folder / "daemon")
    daemon.start()
    try:
        yield daemon
    finally:
        try:
            daemon.stop()
        finally:
            daemon.remove()
