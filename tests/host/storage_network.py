"""Storage servers in a namespace that a test makes: a real nfs-ganesha, a real tgt, and one that never answers."""

from __future__ import annotations

import socket
import sys
import threading
from collections.abc import Iterator

import pytest

from tests.host.namespaces import Namespace, namespace
from tests.lab.waiting import until

EXPORT = """
EXPORT { Export_Id=%d; Path="%s"; Pseudo=/%d; Access_Type=RO; Protocols=3; SecType=sys; FSAL { Name=VFS; }
         CLIENT { Clients=%s; Access_Type=RO; } }
"""


NEVER = """
import socket, sys
server = socket.create_server(("127.0.0.1", 111))
datagrams = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
datagrams.bind(("127.0.0.1", 111))
print("ready", flush=True)
held = []
while True:
    held.append(server.accept()[0])
"""


@pytest.fixture(scope="module")
def network() -> Iterator[Namespace]:
    with namespace() as made:
        yield made


@pytest.fixture(scope="module")
def exported(network: Namespace, tmp_path_factory: pytest.TempPathFactory) -> Iterator[list[str]]:
    """The paths that an NFS server in the namespace exports."""
    folder = tmp_path_factory.mktemp("nfs")
    paths = [folder / "iso", folder / "with blank"]
    text = "NFS_CORE_PARAM { Protocols=3; MNT_Port=20048; Enable_NLM=false; Enable_RQUOTA=false; }\n"
    for number, (path, clients) in enumerate(zip(paths, ("127.0.0.0/8,10.0.0.0/8", "*"), strict=True), start=1):
        path.mkdir()
        text += EXPORT % (number, path, number, clients)
    (folder / "ganesha.conf").write_text(text)
    network.run("mkdir", "-p", "/run/ganesha", "/run/rpcbind")
    network.start("rpcbind", "-f", "-w")
    network.start("ganesha.nfsd", "-F", "-f", folder / "ganesha.conf", "-L", folder / "log", "-p", folder / "pid")
    until(lambda: network.run("showmount", "-e", "127.0.0.1"), 60, "the NFS server answers")
    yield [str(path) for path in paths]


@pytest.fixture(scope="module")
def iscsi(network: Namespace) -> Iterator[list[str]]:
    """The names of the targets of an iSCSI server in the namespace, on ports 3260 (IPv4) and 3261 (IPv6)."""
    network.run("mkdir", "-p", "/run/tgtd")
    network.start("tgtd", "-f", "-C", "7", "--iscsi", "portal=127.0.0.1:3260")
    admin = ["tgtadm", "-C", "7", "--lld", "iscsi"]
    names = ["iqn.2026-01.org.example:disk0", "iqn.2026-01.org.example:disk1"]
    until(lambda: network.run(*admin, "--op", "show", "--mode", "sys"), 60, "tgt answers")
    network.run(*admin, "--op", "new", "--mode", "portal", "--param", "portal=[::1]:3261")
    for number, name in enumerate(names, start=1):
        target = [*admin, "--mode", "target", "--tid", str(number)]
        network.run(*target, "--op", "new", "-T", name)
        network.run(*target, "--op", "bind", "-I", "ALL")
    yield names


def start_silent(network: Namespace) -> None:
    """A server that takes every question for the portmapper, and says nothing."""
    server = network.start(sys.executable, "-c", NEVER)
    assert server.stdout is not None
    assert server.stdout.readline() == "ready\n"


@pytest.fixture
def silent() -> Iterator[int]:
    """The port of a server that takes connections and says nothing."""
    held: list[socket.socket] = []
    with socket.create_server(("127.0.0.1", 0)) as server:

        def take() -> None:
            while True:
                try:
                    held.append(server.accept()[0])
                except OSError:
                    return

        thread = threading.Thread(target=take)
        thread.start()
        yield server.getsockname()[1]
        server.shutdown(socket.SHUT_RDWR)
        thread.join()
    for each in held:
        each.close()
