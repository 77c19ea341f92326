"""An agent that isn't root: what it does for machines is all the same, and what it can't is asked of root's helper."""

from __future__ import annotations

import os
import pwd
import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx
import libvirt
import pytest

from reconciler.confined.frames import Frame, Most, encoded, receive
from tests.lab.accounts import PASSWORD, Account, a_group, a_pam_service, an_account
from tests.lab.other_user import OTHER, everybody_may_enter, give, public_folder
from tests.lab.ports import free_port
from tests.lab.repositories import git
from tests.lab.secluded_libvirtd import SecludedLibvirtd
from tests.lab.waiting import until

__all__ = ["public_folder"]

pytestmark = pytest.mark.qemu

# What the helper's documented unit leaves it.
AS_ITS_UNIT = ["setpriv", "--no-new-privs", "--bounding-set", "-all,+audit_write,+chown,+dac_read_search"]
UNKNOWN = Frame({"known": False}, [])
ROOT = Path(__file__).parents[2]
DOCUMENTS = """\
apiVersion: onggi/v1
kind: StoragePool
metadata: {name: own-lab}
spec: {type: dir, path: %s/own-lab}
---
apiVersion: onggi/v1
kind: StorageVolume
metadata: {name: base.qcow2}
spec: {pool: own-lab, format: qcow2, capacity: 8MiB}
---
apiVersion: onggi/v1
kind: Network
metadata: {name: own-lan}
spec: {mode: isolated}
---
apiVersion: onggi/v1
kind: VirtualMachine
metadata: {name: own-web}
spec:
  memory: 64
  domainType: emulated
  runStrategy: Manual
  disks: [{name: root, pool: own-lab, size: 16MiB, base: own-lab/base.qcow2}, {name: data, pool: own-lab, size: 16MiB}]
  interfaces: [{network: own-lan}]
  cloudInit: {hostname: web, pool: own-lab}
"""


def as_user(account: Account, *words: object) -> list[str]:
    """The command as that user, with nothing of root's; where our code lies in a closed folder, it may be read."""
    is_open = all(map(everybody_may_enter, (ROOT, Path(sys.base_prefix))))
    capabilities = "-all" if is_open else "-all,+dac_read_search"
    number = str(pwd.getpwnam(account.name).pw_uid)
    return [
        "setpriv", "--pdeathsig", "KILL", "--reuid", number, "--regid", number, "--clear-groups", "--no-new-privs",
        "--bounding-set", capabilities, "--inh-caps", capabilities, "--ambient-caps", capabilities,
        sys.executable, "-m", "reconciler.cli.main", *map(str, words),
    ]  # fmt: skip


@contextmanager
def running(*words: object, home: Path) -> Iterator[subprocess.Popen[str]]:
    environment = {"HOME": str(home), "PATH": os.environ["PATH"], "LANG": "C.UTF-8", "PYTHONPATH": str(ROOT)}
    with (home / "log").open("a+") as log:
        process = subprocess.Popen(list(map(str, words)), env=environment, cwd=home, stderr=log, text=True)
        try:
            yield process
        finally:
            process.terminate()
            process.wait(60)


@pytest.fixture
def agent_user() -> Iterator[Account]:
    with an_account() as account:
        yield account


@pytest.fixture
def helper(agent_user: Account, public_folder: Path) -> Iterator[Path]:
    """Where root's helper of that user listens."""
    place, home = public_folder / "pam", public_folder / "helper"
    home.mkdir()
    command = [*AS_ITS_UNIT, sys.executable, "-m", "reconciler.cli.main", "pam", agent_user.name, "--at", place]
    with a_pam_service() as service, running(*command, "--service", service, home=home) as process:
        until(place.is_socket, 60, "the helper listens")
        yield place
        process.terminate()
        process.wait(60)
        assert (process.returncode, place.exists()) == (0, False)


def answered(place: Path, frame: Frame, user: int) -> Frame | None:
    """What the helper says to a user; None when it hangs up."""
    script = (
        "import os, socket, sys\n"
        "os.setresuid(*[int(sys.argv[1])] * 3)\n"
        "s = socket.socket(socket.AF_UNIX); s.connect(sys.argv[2]); s.sendall(sys.stdin.buffer.read())\n"
        "while (got := s.recv(4096)): sys.stdout.buffer.write(got)\n"
    )
    words = [sys.executable, "-c", script, str(user), str(place)]
    done = subprocess.run(words, input=encoded(frame), capture_output=True, timeout=60)
    if not done.stdout:
        return None
    ours, theirs = socket.socketpair()
    with ours, theirs:
        theirs.sendall(done.stdout)
        return receive(ours.fileno(), Most())


@contextmanager
def opened(daemon: SecludedLibvirtd) -> Iterator[libvirt.virConnect]:
    """A connection to it; what the agent made is removed at the end, for others share that libvirtd."""
    connection = libvirt.open(daemon.uri)
    try:
        yield connection
    finally:
        for domain in connection.listAllDomains():
            if domain.name() == "own-web":
                domain.undefine()
        for network in connection.listAllNetworks():
            if network.name() == "own-lan":
                network.destroy()
                network.undefine()
        for pool in connection.listAllStoragePools():
            if pool.name() == "own-lab":
                for volume in pool.listAllVolumes():
                    volume.delete()
                pool.destroy()
                pool.delete()
                pool.undefine()
        connection.close()


def test_an_agent_of_its_own_user_makes_machines_and_lets_people_log_in(
    secluded_libvirtd: SecludedLibvirtd, agent_user: Account, helper: Path, public_folder: Path
) -> None:
    Path(secluded_libvirtd.folder, "state/run/libvirt-sock").chmod(0o666)  # as for the members of a group
    home = public_folder / "home"
    home.mkdir()
    git(home, "init", "-q", "-b", "main", "repository")
    (home / "repository/all.yaml").write_text(DOCUMENTS % secluded_libvirtd.folder)
    git(home / "repository", "add", ".")
    git(home / "repository", "commit", "-qm", "Begin")
    give(home, pwd.getpwnam(agent_user.name).pw_uid)
    url = f"127.0.0.1:{free_port()}"
    with a_group() as admins, an_account(admins) as kim:
        command = as_user(
            agent_user, "run", home / "repository", "--connect", secluded_libvirtd.uri, "--state", home / "state",
            "--allowed-pool-folder", secluded_libvirtd.folder, "--listen", url, "--auth", "pam", "--pam-helper", helper,
            "--admin-group", admins,
        )  # fmt: skip
        with (
            opened(secluded_libvirtd) as connection,
            running(*command, home=home),
            httpx.Client(base_url=f"http://{url}", timeout=120) as client,
        ):
            until(lambda: _status(client, "/readyz") == 200, 120, lambda: (home / "log").read_text())
            web = connection.lookupByName("own-web")
            folder = secluded_libvirtd.folder / "own-lab"
            assert {"base.qcow2", "own-web-root.qcow2", "own-web-data.qcow2"} < {path.name for path in folder.iterdir()}
            assert client.get("/vms", auth=(kim.name, "wrong")).status_code == 401
            assert client.get("/vms", auth=(agent_user.name, PASSWORD)).status_code == 403, "it has no role"
            client.auth = httpx.BasicAuth(kim.name, PASSWORD)
            assert "own-web" in [vm["name"] for vm in client.get("/vms").json()]
            assert client.put("/vms/own-web", json={"title": "The shop"}).status_code == 200
            assert git(home, "-c", "safe.directory=*", "-C", "repository", "log", "-1", "--format=%an") == kim.name
            until(lambda: web.metadata(libvirt.VIR_DOMAIN_METADATA_TITLE, None) == "The shop", 60, "its title is told")
            web.undefine()
            until(lambda: _is_defined(connection), 60, "what was undefined by hand is back")


def test_the_helper_answers_its_agents_user_alone_and_only_what_it_is_for(helper: Path, agent_user: Account) -> None:
    user = pwd.getpwnam(agent_user.name).pw_uid
    right = Frame({"name": agent_user.name}, [PASSWORD.encode()])
    known = answered(helper, right, user)
    assert known is not None and known.header["known"] is True
    for name, password in (
        (agent_user.name, b"wrong"),
        (agent_user.name, b""),
        ("nobody-at-all", b"x"),
        ("a\0b", b"x"),
    ):
        assert answered(helper, Frame({"name": name}, [password]), user) == UNKNOWN
    assert answered(helper, Frame({}), user) == UNKNOWN
    helper.chmod(0o666)
    assert answered(helper, right, OTHER) is None, "whatever the file's mode is"
    assert answered(helper, Frame({"name": "x"}, [b"x"] * 2), user) is None
    assert answered(helper, right, user) == known, "and goes on"


def _status(client: httpx.Client, path: str) -> int:
    try:
        return client.get(path).status_code
    except httpx.TransportError:
        return 0


def _is_defined(connection: libvirt.virConnect) -> bool:
    return "own-web" in [each.name() for each in connection.listAllDomains()]
