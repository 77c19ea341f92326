"""Certificates for the tests' own servers, made as `onggi cert` makes them."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path


def made_certificate(folder: Path, *names: str) -> tuple[Path, Path]:
    """A certificate that vouches for itself, and its key."""
    words = [sys.executable, "-m", "onggi", "cert", folder, "--force", *(f"--name={name}" for name in names)]
    subprocess.run(words, check=True, capture_output=True, timeout=120)
    return folder / "cert.pem", folder / "key.pem"


class Authority:
    """Vouches for servers, as a company's own does. `certificate` is what clients are told to trust."""

    def __init__(self, folder: Path) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        self._folder = folder
        self.certificate, self._key = folder / "authority.pem", folder / "authority-key.pem"
        (folder / "issued").write_text("")
        (folder / "openssl.cnf").write_text(_AUTHORITY.format(folder=folder))
        _openssl("req", "-x509", *_NEW_KEY, "-days", "2", "-subj", "/CN=authority", "-keyout", self._key,
                 "-out", self.certificate)  # fmt: skip

    def issued(self, name: str, subject: str = "IP:127.0.0.1", *, expired: bool = False) -> tuple[Path, Path]:
        """A server's certificate for `subject`, and its key, in files called after `name`."""
        certificate, key, request = (self._folder / f"{name}.{kind}" for kind in ("pem", "key", "csr"))
        _openssl("req", "-new", *_NEW_KEY, "-subj", f"/CN={name}", "-addext", f"subjectAltName={subject}",
                 "-keyout", key, "-out", request)  # fmt: skip
        days = ["-startdate", "20200101000000Z", "-enddate", "20200201000000Z"] if expired else ["-days", "2"]
        _openssl("ca", "-batch", "-notext", "-config", self._folder / "openssl.cnf", "-cert", self.certificate,
                 "-keyfile", self._key, "-in", request, "-out", certificate, *days)  # fmt: skip
        return certificate, key


_NEW_KEY = ("-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes")
_AUTHORITY = """\
[ca]
default_ca = own
[own]
database = {folder}/issued
new_certs_dir = {folder}
rand_serial = yes
default_md = sha256
policy = any
copy_extensions = copy
unique_subject = no
[any]
commonName = supplied
"""


def _openssl(*words: object) -> None:
    subprocess.run(["openssl", *map(str, words)], check=True, capture_output=True, timeout=120)
