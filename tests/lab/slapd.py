"""A real LDAP server on the loopback interface, with users that a test gives it. It ends with the block."""

from __future__ import annotations

import socket
import subprocess
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from tests.lab.ports import free_port
from tests.lab.waiting import until

BASE = "dc=example,dc=org"
PEOPLE = f"ou=People,{BASE}"
ADMIN = f"cn=admin,{BASE}"
PASSWORD = "loopback only"
GROUPS = f"ou=Groups,{BASE}"

_CONFIG = """\
include /etc/ldap/schema/core.schema
include /etc/ldap/schema/cosine.schema
include /etc/ldap/schema/inetorgperson.schema
include /etc/ldap/schema/nis.schema
pidfile {folder}/slapd.pid
modulepath /usr/lib/ldap
moduleload back_mdb
{more}
database mdb
maxsize 268435456
suffix "{base}"
rootdn "{admin}"
rootpw "{password}"
directory {folder}/data
index objectClass,uid eq
{overlays}
"""


@dataclass(frozen=True)
class Slapd:
    """A server that answers."""

    url: str
    secure_url: str  # answers where the configuration has a certificate
    process: subprocess.Popen[bytes]


def person(name: str, password: str = "", *more: str, below: str = PEOPLE) -> str:
    """One user as LDIF; `more` are lines of it."""
    lines = [f"dn: uid={name},{below}", "objectClass: inetOrgPerson", f"uid: {name}", f"cn: {name}", f"sn: {name}"]
    lines += [f"userPassword: {password}"] if password else []
    return "\n".join([lines[0], *sorted([*lines[1:], *more], key=_attribute)])


def _attribute(line: str) -> str:
    """The values of one have to stand beside each other."""
    return line.partition(":")[0]


def dn_of(name: str) -> str:
    """What a person's entry is called."""
    return f"uid={name},{PEOPLE}"


def group(name: str, *members: str, kind: str = "groupOfNames", attribute: str = "member") -> str:
    """One group as LDIF, whose members are DNs; of a posixGroup, names."""
    lines = [f"dn: cn={name},{GROUPS}", f"objectClass: {kind}", f"cn: {name}"]
    lines += ["gidNumber: 5000"] if kind == "posixGroup" else []
    return "\n".join([*lines, *(f"{attribute}: {member}" for member in members)])


def unit(name: str, below: str = BASE) -> str:
    """A place for entries as LDIF."""
    return f"dn: ou={name},{below}\nobjectClass: organizationalUnit\nou: {name}"


@contextmanager
def slapd(folder: Path, entries: Iterable[str], more: str = "", overlays: str = "") -> Iterator[Slapd]:
    """A server with `entries` below PEOPLE; `more` goes into its configuration, `overlays` into that of its data."""
    (folder / "data").mkdir(parents=True)
    config = folder / "slapd.conf"
    config.write_text(
        _CONFIG.format(folder=folder, base=BASE, admin=ADMIN, password=PASSWORD, more=more, overlays=overlays)
    )
    top = [
        f"dn: {BASE}\nobjectClass: dcObject\nobjectClass: organization\ndc: example\no: example",
        unit("People"),
        unit("Groups"),
    ]
    (folder / "all.ldif").write_text("\n\n".join([*top, *entries]) + "\n")
    subprocess.run(
        ["/usr/sbin/slapadd", "-q", "-f", config, "-l", folder / "all.ldif"], check=True, capture_output=True
    )
    port, secure_port = free_port(), free_port()
    url, secure_url = f"ldap://127.0.0.1:{port}", f"ldaps://127.0.0.1:{secure_port}"
    urls = [f"{url}/", *([f"{secure_url}/"] if "TLSCertificateFile" in more else [])]
    with (folder / "log").open("wb") as log:
        process = subprocess.Popen(
            ["/usr/sbin/slapd", "-f", config, "-h", " ".join(urls), "-d", "0"],
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=log,
        )
    try:
        until(lambda: _answers(process, port), 60, f"an LDAP server on {url}")
        yield Slapd(url, secure_url, process)
    finally:
        process.terminate()
        process.wait(timeout=60)


def _answers(process: subprocess.Popen[bytes], port: int) -> bool:
    assert process.poll() is None, "slapd ended"
    with socket.create_connection(("127.0.0.1", port), timeout=60):
        return True
