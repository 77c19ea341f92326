"""Keys that sign commits, made by the real programs: ssh-keygen, and gpg in a home of its own."""

from __future__ import annotations

import os
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from tests.source.repositories import WorkTree, git


def run(*command: object, given: bytes | None = None, **env: str) -> str:
    done = subprocess.run(
        [str(word) for word in command], input=given, env=os.environ | env, capture_output=True, check=False
    )
    assert done.returncode == 0, done.stderr.decode()
    return done.stdout.decode()


@dataclass(frozen=True)
class Signer:
    """`options` make git sign with this key; `public` is what has to be allowed."""

    options: tuple[str, ...]
    public: str = field(repr=False)


def ssh_signer(folder: Path, name: str) -> Signer:
    run("ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-C", name, "-f", folder / name)
    public = " ".join((folder / f"{name}.pub").read_text().split()[:2])
    return Signer(("-c", "gpg.format=ssh", "-c", f"user.signingKey={folder / name}"), public)


@contextmanager
def gpg_home() -> Iterator[GpgHome]:
    """A short path, for gpg-agent's sockets; the agent that signing starts is ended with it."""
    folder = Path(tempfile.mkdtemp(prefix="hh-gpg-", dir="/tmp"))
    try:
        yield GpgHome(folder)
    finally:
        run("gpgconf", "--homedir", folder, "--kill", "all")
        shutil.rmtree(folder, ignore_errors=True)


class GpgHome:
    """A keyring with secret keys."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def gpg(self, *words: object, given: bytes | None = None) -> str:
        return run("gpg", "--homedir", self.folder, "--batch", "--quiet", *words, given=given)

    def signer(self, name: str, *, made: str = "", expires: str = "never") -> Signer:
        """`made` is a time (20200101T000000) at which the key is made and signs."""
        clock = ("--faked-system-time", f"{made}!") if made else ()
        self.gpg(
            *clock,
            "--passphrase",
            "",
            "--quick-generate-key",
            f"{name} <{name}@example.org>",
            "ed25519",
            "sign",
            expires,
        )
        program = self.folder / f"{name}.sh"
        words = " ".join(clock)
        program.write_text(f'#!/bin/sh\nexec gpg --homedir "{self.folder}" --batch {words} "$@"\n')
        program.chmod(0o755)
        options = (
            "-c",
            "gpg.format=openpgp",
            "-c",
            f"gpg.program={program}",
            "-c",
            f"user.signingKey={name}@example.org",
        )
        return Signer(options, self.exported(name))

    def exported(self, name: str) -> str:
        return self.gpg("--armor", "--export", f"{name}@example.org")

    def revoke(self, name: str) -> None:
        """By the certificate that gpg makes together with a key, which it keeps from being imported by accident."""
        listed = self.gpg("--with-colons", "--list-keys", f"{name}@example.org")
        fingerprint = next(line.split(":")[9] for line in listed.splitlines() if line.startswith("fpr"))
        certificate = (self.folder / "openpgp-revocs.d" / f"{fingerprint}.rev").read_text()
        self.gpg("--import", given=certificate.replace(":-----BEGIN", "-----BEGIN").encode())


def commit(
    tree: WorkTree, signer: Signer | None, files: dict[str, str | bytes | None] | None = None, *more: str
) -> str:
    """A commit by this signer; without one it isn't signed."""
    tree.write(files or {})
    git(tree.path, "add", "--all")
    how = (*signer.options, "commit", "--gpg-sign") if signer else ("commit", "--no-gpg-sign")
    git(tree.path, *how, "--quiet", "--allow-empty", "-m", "change", *more)
    return git(tree.path, "rev-parse", "HEAD")


def forged(tree: WorkTree, commit_id: str, old: bytes, new: bytes) -> str:
    """Put a copy of a commit object, with `old` replaced in it, on the branch."""
    raw = subprocess.run(
        ["git", "cat-file", "commit", commit_id], cwd=tree.path, capture_output=True, check=True
    ).stdout
    assert old in raw
    made = git(tree.path, "hash-object", "-t", "commit", "-w", "--stdin", stdin=raw.replace(old, new))
    git(tree.path, "update-ref", "refs/heads/main", made)
    return made
