"""Whatever lies where somebody names a file: nobody waits for it, and it fills no memory."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

import pytest

from reconciler.errors import OnggiError
from reconciler.given_file import read_given
from reconciler.host.ldap_session import _authorities
from reconciler.reporting.saved_plan import read_saved_plan
from reconciler.secret_file import SecretFile
from reconciler.settings.settings import read_settings_file
from reconciler.source.signatures import SignaturePolicy, _Keys

DOORS: dict[str, Callable[[Path], object]] = {
    "config": lambda path: read_settings_file(path, {}),
    "a saved plan": read_saved_plan,
    "allowed-signers": lambda path: _Keys.read(SignaturePolicy("head", allowed_signers=path)),
    "revoked-signers": lambda path: _Keys.read(SignaturePolicy("head", revoked_signers=path)),
    "allowed-gpg-keys": lambda path: _Keys.read(SignaturePolicy("head", allowed_gpg_keys=path)),
    "ldap-ca-file": _authorities,
    "a secret": lambda path: SecretFile(path, "webhook-secret-file").secrets(),
}


@pytest.fixture(params=["fifo", "device", "folder", "nothing"])
def odd(request: pytest.FixtureRequest, tmp_path: Path) -> Path:
    path = tmp_path / "odd"
    match request.param:
        case "fifo":
            os.mkfifo(path)
        case "device":
            return Path("/dev/zero")
        case "folder":
            path.mkdir()
    return path


@pytest.mark.parametrize("door", DOORS)
def test_what_is_no_ordinary_file_is_told_at_once(door: str, odd: Path) -> None:
    with pytest.raises((OnggiError, OSError)) as raised:
        DOORS[door](odd)
    assert str(odd) in str(raised.value) or isinstance(raised.value, OSError)


def test_no_more_is_read_than_asked_for(tmp_path: Path) -> None:
    file = tmp_path / "file"
    file.write_bytes(b"0123456789")
    assert read_given(file, 4) == b"01234", "one more, so that it is told"
    assert read_given(file, 20) == b"0123456789"
    assert read_given(file, 4, last=True) == b"6789"
