"""Accounts of this machine that a test makes, and removes again."""

from __future__ import annotations

import secrets
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Final

PASSWORD: Final = "correct horse: battery"  # with what a header's parts are told apart by


@dataclass(frozen=True)
class Account:
    """A user with a password, and without a home or a shell that lets anybody in."""

    name: str

    def set_password(self, password: str) -> None:
        run("chpasswd", given=f"{self.name}:{password}\n")

    def lock(self) -> None:
        """As an administrator does whose colleague left."""
        run("usermod", "--expiredate", "1970-01-02", self.name)

    def join(self, group: str) -> None:
        run("gpasswd", "--add", self.name, group)

    def leave(self, group: str) -> None:
        run("gpasswd", "--delete", self.name, group)

    def remove(self) -> None:
        run("userdel", "--force", self.name)


@contextmanager
def an_account(*groups: str) -> Iterator[Account]:
    """One in these groups, besides its own."""
    account = Account(f"onggi-t-{secrets.token_hex(4)}")
    run(
        "useradd", "--no-create-home", "--user-group", *(["--groups", ",".join(groups)] if groups else []), account.name
    )
    try:
        account.set_password(PASSWORD)
        yield account
    finally:
        subprocess.run(["userdel", "--force", account.name], check=False, capture_output=True)


@contextmanager
def a_pam_service(*lines: str) -> Iterator[str]:
    """A PAM service of these lines: the accounts of this machine, and no pause after what is wrong."""
    place = Path(f"/etc/pam.d/onggi-t-{secrets.token_hex(4)}")
    usual = ("auth required pam_unix.so nodelay", "account required pam_unix.so")
    place.write_text("\n".join([*(lines or usual), ""]))
    try:
        yield place.name
    finally:
        place.unlink()


@contextmanager
def a_group() -> Iterator[str]:
    """A group's name."""
    name = f"onggi-t-{secrets.token_hex(4)}"
    run("groupadd", name)
    try:
        yield name
    finally:
        subprocess.run(["groupdel", name], check=False, capture_output=True)


def run(*words: str, given: str = "") -> None:
    subprocess.run(words, input=given, text=True, check=True, capture_output=True, timeout=60)
