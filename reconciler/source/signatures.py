"""Whether a commit is signed by somebody who is allowed to: git's own verification, in surroundings of ours alone.

git runs in an empty repository below the state folder and only borrows the source's objects: neither the source's
configuration (which can name programs), nor its replaced objects, nor the user's keyring and configuration have a say.
What follows from the answer is left to verification.py.
"""

from __future__ import annotations

import hashlib
import os
import re
import shutil
import subprocess
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from reconciler.errors import SourceError, StateError
from reconciler.given_file import read_given

NO: Final = "no"
HEAD: Final = "head"
ALL: Final = "all"

_TIMEOUT_S: Final = 30.0
_LONGEST_FILE: Final = 4 << 20
_NOTHING: Final = "/dev/null"

# Public keys alone are asked of gpg, so it needs no agent, no key server and no keyboxd: nothing is left running.
_GPG_CONF = "batch\nno-autostart\ndisable-dirmngr\nno-auto-key-locate\nno-auto-key-retrieve\ntrust-model always\n"


@dataclass(frozen=True, slots=True)
class SignaturePolicy:
    """Which commits have to be signed (`head`: the newest, `all`: every new one), and by whose keys."""

    require: str = NO
    allowed_signers: Path | None = None  # ssh's allowed_signers format
    revoked_signers: Path | None = None  # ssh public keys or a key revocation list
    allowed_gpg_keys: Path | None = None  # exported public keys

    @property
    def wanted(self) -> bool:
        """True when anything has to be signed."""
        return self.require != NO


class SignatureCheck:
    """Answers for commits, and remembers each answer for as long as the files with the keys say the same."""

    def __init__(self, policy: SignaturePolicy, state_dir: Path) -> None:
        self._policy = policy
        self._folder = state_dir / "signatures"
        self._answers: dict[tuple[str, str], str] = {}

    def mistake(self, commit: str, objects: Path) -> str:
        """Why the commit (a full id, whose object is in `objects`) can't be trusted, and what to do; empty when it can.

        Raises SourceError when the keys can't be read, StateError when they can't be put into the state folder.
        """
        keys = _Keys.read(self._policy)
        known = (commit, keys.digest)
        if known not in self._answers:
            self._answers[known] = self._ask(commit, objects, self._prepared(keys))
        return self._answers[known]

    def _prepared(self, keys: _Keys) -> Path:
        """The folder with these keys, made at their first use. Its name is their content's digest."""
        place = self._folder / keys.digest[:24]
        if place.is_dir():
            return place
        try:
            self._folder.mkdir(mode=0o700, parents=True, exist_ok=True)
            making = Path(tempfile.mkdtemp(dir=self._folder, prefix=".making-"))
            try:
                keys.install(making)
                making.rename(place)
            except BaseException:
                shutil.rmtree(making, ignore_errors=True)
                if not place.is_dir():  # else somebody else made the same beside us
                    raise
        except OSError as error:
            raise StateError(
                f"The allowed keys can't be kept in {self._folder} ({error.strerror}); make the folder writable, free "
                "some space, or choose another with --state."
            ) from None
        return place

    def _ask(self, commit: str, objects: Path, place: Path) -> str:
        configuration = {
            "gpg.ssh.allowedSignersFile": str(place / "allowed_signers"),
            "gpg.ssh.revocationFile": str(place / "revoked_signers"),
            "gpg.ssh.program": "ssh-keygen",
            "gpg.program": "gpg",
            "gpg.openpgp.program": "gpg",
            "gpg.x509.program": "false",
            "gpg.minTrustLevel": "undefined",
        }
        options = [word for name, value in configuration.items() for word in ("-c", f"{name}={value}")]
        try:
            done = subprocess.run(  # noqa: S603 - a fixed program, and an id that libgit2 wrote
                ["git", *options, f"--git-dir={place / 'git'}", "verify-commit", "--raw", commit],  # noqa: S607
                env=_environment(place, objects),
                cwd=place,
                stdin=subprocess.DEVNULL,
                capture_output=True,
                text=True,
                errors="replace",
                timeout=_TIMEOUT_S,
                check=False,
            )
        except FileNotFoundError:
            raise SourceError("The git command isn't installed; install it to verify signatures.") from None
        except subprocess.TimeoutExpired:
            raise SourceError(
                f"The signature of {commit[:12]} couldn't be verified within {_TIMEOUT_S:g} s; look what keeps gpg or "
                "ssh-keygen from answering."
            ) from None
        return "" if done.returncode == 0 else self._reason(done.stderr)

    def _reason(self, said: str) -> str:
        """What git, ssh-keygen or gpg said, as the rest of a sentence that begins with the commit."""
        ssh, gpg = self._policy.allowed_signers, self._policy.allowed_gpg_keys
        status = dict(re.findall(r"^\[GNUPG:\] (\w+) ?(.*)$", said, re.MULTILINE))
        if not said.strip():
            return "isn't signed; sign it (git commit --amend -S), or put a signed commit on top of it"
        if status:
            return _gpg_reason(status, gpg)
        key = match[0] if (match := re.search(r"SHA256:[\w+/=]+", said)) else "a key"
        if "key has expired" in said or "key is not yet valid" in said:
            return f"is signed with {key}, which wasn't valid at that time by {ssh}; sign it with one that is"
        if "signature namespace" in said:
            return f'is signed with {key}, which {ssh} doesn\'t allow for git; add the namespace "git" to it there'
        if "revoked" in said.lower():
            return f"is signed with {key}, which is revoked; sign it with another"
        if "No principal matched" in said or "allowedSignersFile" in said:
            where = f"{ssh} doesn't allow; add it there" if ssh else "no --allowed-signers allows; name a file with it"
            return f"is signed with {key}, which {where}, or let an allowed signer put a signed commit on top of it"
        if "verify" in said or "signature" in said:
            return (
                "has a signature that isn't valid for it: it was changed after it was signed, or its key is revoked; "
                "sign it again"
            )
        return "has a signature that git can't verify; sign it with an ssh or a GPG key"


def _gpg_reason(status: Mapping[str, str], keys: Path | None) -> str:
    def key(word: str) -> str:
        found = re.match(r"[0-9A-F]{8,40}", status[word])
        return f"the GPG key {found[0]}" if found else "a GPG key"

    if "NO_PUBKEY" in status:
        where = f"isn't in {keys}; add it there" if keys else "no --allowed-gpg-keys names; name a file with it"
        return f"is signed with {key('NO_PUBKEY')}, which {where}, or let an allowed signer put a signed commit on top"
    if "REVKEYSIG" in status:
        return f"is signed with {key('REVKEYSIG')}, which is revoked; sign it with another"
    if "EXPKEYSIG" in status:
        return f"is signed with {key('EXPKEYSIG')}, which has expired; put the renewed key into {keys}, or sign it anew"
    if "EXPSIG" in status:
        return "has a signature that has expired; sign it again"
    return "has a signature that isn't valid for it: it was changed after it was signed; sign it again"


def _environment(place: Path, objects: Path) -> dict[str, str]:
    """Nothing of the user's but where programs are."""
    quoted = str(objects).replace("\\", "\\\\").replace('"', '\\"')
    kept = {name: os.environ[name] for name in ("PATH", "TMPDIR") if name in os.environ}
    return kept | {
        "HOME": str(place),
        "GNUPGHOME": str(place / "gnupg"),
        "GIT_CONFIG_GLOBAL": _NOTHING,
        "GIT_CONFIG_NOSYSTEM": "1",
        "GIT_NO_REPLACE_OBJECTS": "1",
        "GIT_ALTERNATE_OBJECT_DIRECTORIES": f'"{quoted}"',
        "GIT_TERMINAL_PROMPT": "0",
        "LC_ALL": "C",
    }


@dataclass(frozen=True, slots=True)
class _Keys:
    """The files with keys as they are now. A file that isn't named allows, or revokes, nobody."""

    allowed: bytes
    revoked: bytes
    gpg: bytes
    gpg_file: Path | None

    @classmethod
    def read(cls, policy: SignaturePolicy) -> _Keys:
        return cls(
            _content(policy.allowed_signers, "allowed-signers"),
            _content(policy.revoked_signers, "revoked-signers"),
            _content(policy.allowed_gpg_keys, "allowed-gpg-keys"),
            policy.allowed_gpg_keys,
        )

    @property
    def digest(self) -> str:
        parts = (hashlib.sha256(part).digest() for part in (self.allowed, self.revoked, self.gpg))
        return hashlib.sha256(b"".join(parts)).hexdigest()

    def install(self, folder: Path) -> None:
        """Write them as git, ssh-keygen and gpg want them. Raises SourceError for GPG keys that aren't."""
        import pygit2

        (folder / "allowed_signers").write_bytes(self.allowed)
        (folder / "revoked_signers").write_bytes(self.revoked)
        pygit2.init_repository(str(folder / "git"), bare=True).free()
        gnupg = folder / "gnupg"
        gnupg.mkdir(mode=0o700)
        (gnupg / "gpg.conf").write_text(_GPG_CONF)
        (gnupg / "common.conf").write_text("")  # an own one keeps newer versions from choosing keyboxd, a daemon
        if self.gpg:
            self._import(gnupg)

    def _import(self, gnupg: Path) -> None:
        try:
            done = subprocess.run(  # noqa: S603 - a fixed program with fixed arguments; the keys go to its input
                ["gpg", "--homedir", str(gnupg), "--quiet", "--status-fd", "1", "--import"],  # noqa: S607 - found on PATH, as git finds it
                input=self.gpg,
                env=_environment(gnupg.parent, gnupg) | {"GNUPGHOME": str(gnupg)},
                capture_output=True,
                timeout=_TIMEOUT_S,
                check=False,
            )
        except FileNotFoundError:
            raise SourceError("gpg isn't installed; install gnupg to verify GPG signatures.") from None
        except subprocess.TimeoutExpired:
            raise SourceError(
                f"gpg didn't read {self.gpg_file} within {_TIMEOUT_S:g} s; is it a file of keys?"
            ) from None
        # Not the exit code: gpg also misses an agent, which it doesn't need for public keys and isn't to start.
        if b"[GNUPG:] IMPORT_OK" not in done.stdout:
            raise SourceError(
                f"{self.gpg_file} holds no GPG public keys that can be used; write them with gpg --armor --export KEY."
            )


def _content(file: Path | None, setting: str) -> bytes:
    if file is None:
        return b""
    try:
        content = read_given(file, _LONGEST_FILE)
    except OSError as error:
        raise SourceError(f"The {setting} file {file} can't be read ({error.strerror}); correct its path.") from None
    if len(content) > _LONGEST_FILE:
        raise SourceError(f"The {setting} file {file} has more than {_LONGEST_FILE} bytes; name a file of public keys.")
    return content
