"""A password goes from where it is kept to libvirt and is found nowhere else: all that onggi writes is searched.

The places: the repository, plans, saved plans, status, events, drift, exported documents, the log, errors, the state
folder, the definitions with their metadata, and the command lines of all processes.
"""

from __future__ import annotations

import base64
import os
import signal
import subprocess
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import libvirt
import pytest

from tests.cli.command import Onggi
from tests.lab.libvirtd import HostObjects
from tests.lab.repositories import ENVIRONMENT, Repository
from tests.lab.waiting import until

# VNC takes eight characters; the last is too long, so that libvirt has something to complain about.
IN_FILE, LATER, IN_ENVIRONMENT, FOR_POOL, TOO_LONG = "Zq7file!", "Zq7late!", "Zq7env!!", "Zq7pool!", "Zq7muchtoolong!"
SECRETS = (IN_FILE, LATER, IN_ENVIRONMENT, FOR_POOL, TOO_LONG)
VARIABLE = "TEST_CONSOLE_PASSWORD"
SECURE = libvirt.VIR_DOMAIN_XML_SECURE


@pytest.fixture
def onggi(tmp_path: Path) -> Onggi:
    return Onggi(tmp_path / "home")


def machine(name: str, password: str, **fields: object) -> str:
    values = {"memory": 64, "domainType": "emulated", "paused": "true", "forceStop": "true", **fields}
    lines = "".join(f"  {key}: {value}\n" for key, value in values.items())
    return (
        f"apiVersion: onggi/v1\nkind: VirtualMachine\nmetadata: {{name: {name}}}\nspec:\n{lines}"
        f"  graphics: {{type: vnc, passwordFrom: {password}}}\n"
    )


def pool(name: str, file: Path) -> str:
    return f"""\
apiVersion: onggi/v1
kind: StoragePool
metadata: {{name: {name}}}
spec:
  type: iscsi
  active: false
  source:
    host: 127.0.0.1
    target: iqn.2024-01.org.example:disks
    auth: {{username: ada, passwordFrom: {{file: {file}}}}}
"""


@contextmanager
def command_lines() -> Iterator[set[bytes]]:
    """Every process's command line that there was while the block ran."""
    seen: set[bytes] = set()
    over = threading.Event()

    def look() -> None:
        while not over.wait(0.02):
            for process in Path("/proc").iterdir():
                if process.name.isdigit():
                    with suppress(OSError):
                        seen.add((process / "cmdline").read_bytes())

    thread = threading.Thread(target=look)
    thread.start()
    try:
        yield seen
    finally:
        over.set()
        thread.join()


def password_of(connection: libvirt.virConnect, name: str) -> bool:
    """True once libvirt has some password for the machine's console."""
    with suppress(libvirt.libvirtError):
        return "passwd=" in connection.lookupByName(name).XMLDesc(SECURE)
    return False


def git_objects(repository: Path) -> bytes:
    return subprocess.run(
        ["git", "cat-file", "--batch-all-objects", "--batch"],
        cwd=repository, env=ENVIRONMENT, check=True, capture_output=True, stdin=subprocess.DEVNULL,
    ).stdout  # fmt: skip


# dmacvicar/terraform-provider-libvirt#1362: passwords in plain text in the state
def test_no_secret_is_found_anywhere_but_in_libvirt(
    onggi: Onggi,
    qemu_system: str,
    qemu_connection: libvirt.virConnect,
    host_objects: HostObjects,
    repository: Repository,
    tmp_path: Path,
) -> None:
    keys = tmp_path / "keys"
    keys.mkdir(mode=0o700)
    onggi.env |= {"ONGGI_ALLOWED_SECRET_FOLDER": str(keys), "ONGGI_ALLOWED_SECRET_VARIABLE": VARIABLE}
    for name, secret in (("console", IN_FILE), ("pool", FOR_POOL), ("long", TOO_LONG)):
        (keys / name).write_text(f"{secret}\n")
    by_file, by_variable, refused = (host_objects.name(each) for each in ("file", "env", "long"))
    documents = {
        "file.yaml": machine(by_file, f"{{file: {keys / 'console'}}}"),
        "env.yaml": machine(by_variable, f"{{env: {VARIABLE}}}", driftPolicy="warn"),
        "long.yaml": machine(refused, f"{{file: {keys / 'long'}}}"),
        "pool.yaml": pool(host_objects.name("pool"), keys / "pool"),
    }
    repository.commit(documents)
    state, saved, exported = tmp_path / "state", tmp_path / "plan.json", tmp_path / "exported"
    host = ("--connect", qemu_system)
    verbs: list[tuple[object, ...]] = [
        ("plan", repository.path, *host, "--state", state, "-o", "json"),
        ("plan", repository.path, *host, "--state", state, "--out", saved, "-v"),
        ("validate", repository.path),
        ("status", "--state", state, "-o", "json"),
        ("get", "vm", "--state", state, "-o", "yaml"),
        ("events", "--state", state, "-o", "json"),
        ("drift", repository.path, *host, "--state", state, "-o", "json"),
        ("drift", repository.path, *host, "--state", state, "-o", "markdown"),
        ("drift", "--state", state, "--history", "-o", "json"),
    ]
    told: list[str] = []

    def tell() -> None:
        for words in verbs:
            done = onggi(*words, **{VARIABLE: IN_ENVIRONMENT})
            told.extend((done.out, done.err))

    with command_lines() as lines:
        tell()
        agent = onggi.start("run", repository.path, *host, "--state", state, "-v", **{VARIABLE: IN_ENVIRONMENT})
        try:
            until(lambda: password_of(qemu_connection, by_file), 60, "the first console has its password")
            until(lambda: password_of(qemu_connection, by_variable), 60, "the second console has its password")
            tell()
            (keys / "console").write_text(f"{LATER}\n")
            repository.commit({"file.yaml": machine(by_file, f"{{file: {keys / 'console'}}}", title="another")})
            domain = qemu_connection.lookupByName(by_file)
            until(lambda: LATER in domain.XMLDesc(SECURE), 60, "the console has its new password")
            qemu_connection.lookupByName(by_variable).setMetadata(
                libvirt.VIR_DOMAIN_METADATA_TITLE, "by hand", None, None, libvirt.VIR_DOMAIN_AFFECT_CONFIG
            )
            tell()
        finally:
            os.kill(agent.pid, signal.SIGTERM)
            out, log = agent.communicate(timeout=60)
    done = onggi("export", exported, *host)
    told += [out, log, done.out, done.err]
    assert refused in log, "the one that libvirt refuses was told of"

    written = [path.read_bytes() for folder in (state, exported) for path in folder.rglob("*") if path.is_file()]
    definitions = [
        domain.XMLDesc(flags).encode()
        for domain in qemu_connection.listAllDomains()
        for flags in (0, libvirt.VIR_DOMAIN_XML_INACTIVE)
    ]
    pools = [each.XMLDesc().encode() for each in qemu_connection.listAllStoragePools()]
    places = {
        "the output": "\n".join(told).encode(),
        "a file": b"\n".join([*written, saved.read_bytes()]),
        "git": git_objects(repository.path),
        "a definition": b"\n".join(definitions + pools),
        "a command line": b"\n".join(lines),
    }
    for place, content in places.items():
        assert content, f"nothing was searched in {place}"
        for secret in SECRETS:
            for form in (secret.encode(), base64.b64encode(secret.encode())):
                assert form not in content, f"{secret} is in {place}"
