"""`onggi cert`: a certificate that vouches for itself, and its key, for an agent that others reach.

Made by the host's openssl(1) with a configuration of its own, in a folder that is this user's alone until both are
whole.
"""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import Final

import click

from reconciler.cli.options import verb
from reconciler.errors import Conflict, OnggiError

CERTIFICATE: Final = "cert.pem"
KEY: Final = "key.pem"
DAYS: Final = 825  # browsers of some makers take none that holds for longer
_PATIENCE_S: Final = 60.0
_CONFIGURATION: Final = """\
[req]
prompt = no
distinguished_name = subject
x509_extensions = server
[subject]
CN = onggi
[server]
basicConstraints = critical, CA:FALSE
keyUsage = critical, digitalSignature
extendedKeyUsage = serverAuth
subjectKeyIdentifier = hash
authorityKeyIdentifier = keyid
subjectAltName = @names
[names]
"""


@verb(
    "cert",
    click.argument(
        "folder",
        type=click.Path(path_type=Path),
        metavar="DIR",
        help=f"Where {CERTIFICATE} and {KEY} are put, such as /etc/onggi/tls; made where it isn't there.",
    ),
    click.option(
        "--name",
        "names",
        multiple=True,
        metavar="HOST",
        help="A name or address that the agent is called by. May be repeated.  [default: the host's own, localhost]",
    ),
    click.option("--force", is_flag=True, help="Put them in the place of those that are there."),
)
def command(folder: Path, names: tuple[str, ...], force: bool) -> None:
    """Make a self-signed certificate and its key for the API.

    Clients have to be told to trust it. An agent that shows the one before shows the new one within seconds.
    """
    from reconciler.exporting.folder import refuse_others
    from reconciler.host.own_names import HERE, own_addresses, own_names
    from reconciler.settings.reachable import check_names

    check_names(names, "name")
    refuse_others(folder)
    there = [file for file in (folder / CERTIFICATE, folder / KEY) if file.is_symlink() or file.exists()]
    if there and not force:
        raise Conflict(f"{there[0]} is there already; put new ones in its place with --force, or take another folder.")
    try:
        folder.mkdir(parents=True, exist_ok=True)
        _make(folder, names or sorted({*HERE, *own_names(), *own_addresses()}))
    except OSError as error:
        raise OnggiError(f"{error.filename or folder} can't be written ({error.strerror}); check the path.") from None
    certificate, key = folder / CERTIFICATE, folder / KEY
    called = "".join(f" --public-name {name}" for name in names)
    click.echo(
        f"{certificate} and {key} are made, and hold for {DAYS} days.\n"
        f"Next: onggi run … --auth pam --listen 0.0.0.0:8443{called} --tls-cert {certificate} --tls-key {key}\n"
        f"Clients trust it by a copy of {CERTIFICATE}: curl --cacert {CERTIFICATE} https://…; the key stays here."
    )


def _make(folder: Path, names: Iterable[str]) -> None:
    import subprocess
    import tempfile

    with tempfile.TemporaryDirectory(prefix=".onggi-cert-", dir=folder) as made:
        new = Path(made)
        (new / "cnf").write_text(_CONFIGURATION + "".join(_entries(names)), encoding="ascii")
        words: list[str | Path] = [
            "openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-sha256",
            "-days", str(DAYS), "-config", new / "cnf", "-keyout", new / KEY, "-out", new / CERTIFICATE,
        ]  # fmt: skip
        try:
            done = subprocess.run(  # noqa: S603 - a fixed program; names were checked, and stand in a file
                words, stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=_PATIENCE_S, check=False
            )
        except FileNotFoundError:
            raise OnggiError(
                "Certificates are made by openssl, which isn't here; install the package openssl."
            ) from None
        except subprocess.TimeoutExpired:
            raise OnggiError(f"openssl made no certificate within {_PATIENCE_S:g} s; try again.") from None
        if done.returncode != 0:
            last = (done.stderr.strip().splitlines() or ["it says nothing"])[-1]
            raise OnggiError(f"openssl made no certificate ({last}); check that it works.")
        for file, mode in ((KEY, 0o600), (CERTIFICATE, 0o644)):
            (new / file).chmod(mode)
            (new / file).replace(folder / file)


def _entries(names: Iterable[str]) -> Iterable[str]:
    import ipaddress

    for number, name in enumerate(names, 1):
        bare = name.removeprefix("[").removesuffix("]")
        try:
            yield f"IP.{number} = {ipaddress.ip_address(bare)}\n"
        except ValueError:
            yield f"DNS.{number} = {bare}\n"
