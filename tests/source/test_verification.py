"""Signed commits: who is believed, what an attacker may try, and what stays in force meanwhile."""

from __future__ import annotations

import re
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path

import psutil
import pytest

from reconciler.errors import SourceError
from reconciler.source.opening import open_source
from reconciler.source.signatures import SignaturePolicy
from reconciler.source.source import Source
from reconciler.source.verification import Unverified
from tests.source.repositories import WorkTree, git, network
from tests.source.signing import GpgHome, Signer, commit, forged, gpg_home, ssh_signer


@pytest.fixture(scope="module")
def gpg() -> Iterator[GpgHome]:
    with gpg_home() as home:
        yield home


@pytest.fixture(scope="module")
def keys(gpg: GpgHome, tmp_path_factory: pytest.TempPathFactory) -> dict[str, Signer]:
    """Ada is allowed, Mallory isn't."""
    folder = tmp_path_factory.mktemp("keys")
    return {
        "ssh": ssh_signer(folder, "ada"),
        "gpg": gpg.signer("ada"),
        "ssh mallory": ssh_signer(folder, "mallory"),
        "gpg mallory": gpg.signer("mallory"),
    }


@pytest.fixture
def tree(tmp_path: Path) -> WorkTree:
    return WorkTree(tmp_path / "work")


class Gate:
    """Opens the source of a test again and again, as restarts would."""

    def __init__(self, folder: Path, location: Path | str, keys: dict[str, Signer]) -> None:
        self.location = location
        self.state = folder / "state"
        self.signers = folder / "allowed_signers"
        self.revoked = folder / "revoked_signers"
        self.gpg_keys = folder / "keys.asc"
        self.signers.write_text(f"ada@example.org {keys['ssh'].public}\n")
        self.revoked.write_text("")
        self.gpg_keys.write_text(keys["gpg"].public)
        self.policy = SignaturePolicy("head", self.signers, self.revoked, self.gpg_keys)

    def all(self) -> Gate:
        self.policy = SignaturePolicy("all", self.signers, self.revoked, self.gpg_keys)
        return self

    def open(self, recording: bool = True) -> Source:
        return open_source(str(self.location), state_dir=self.state, signatures=self.policy, recording=recording)

    def read(self) -> str:
        """The commit that passes."""
        source = self.open()
        try:
            return source.read().revision.digest
        finally:
            source.close()

    def refusal(self) -> str:
        with pytest.raises(Unverified) as refused:
            self.read()
        return str(refused.value)

    def last_good(self) -> str:
        source = self.open()
        try:
            found = source.last_good()
            return found.revision.digest if found is not None else ""
        finally:
            source.close()


@pytest.fixture
def gate(tmp_path: Path, tree: WorkTree, keys: dict[str, Signer]) -> Gate:
    return Gate(tmp_path, tree.path, keys)


@pytest.mark.parametrize("kind", ["ssh", "gpg"])
def test_a_head_signed_with_an_allowed_key_passes(
    kind: str, gate: Gate, tree: WorkTree, keys: dict[str, Signer]
) -> None:
    head = commit(tree, keys[kind], {"a.yaml": network("a")})
    assert gate.read() == head
    assert gate.last_good() == head


def test_an_unsigned_head_is_refused_with_its_name_and_a_remedy(gate: Gate, tree: WorkTree) -> None:
    head = commit(tree, None, {"a.yaml": network("a")})
    assert gate.refusal() == (
        f"The commit {head[:12]} on main isn't signed; sign it (git commit --amend -S), or put a signed commit on "
        "top of it."
    )
    assert gate.last_good() == ""


def test_an_unsigned_head_leaves_the_last_good_revision_also_after_a_restart(
    gate: Gate, tree: WorkTree, keys: dict[str, Signer]
) -> None:
    good = commit(tree, keys["ssh"], {"a.yaml": network("a")})
    assert gate.read() == good
    commit(tree, None, {"a.yaml": None, "b.yaml": network("b")})
    gate.refusal()
    source = gate.open()
    kept = source.last_good()
    source.close()
    assert kept is not None
    assert kept.revision.digest == good
    assert [(file.path, file.content) for file in kept.files] == [("a.yaml", network("a").encode())]


def test_the_last_good_revision_outlives_the_repository_that_it_came_from(
    gate: Gate, tree: WorkTree, keys: dict[str, Signer]
) -> None:
    good = commit(tree, keys["ssh"], {"a.yaml": network("a")})
    assert gate.read() == good
    shutil.rmtree(tree.path)
    tree.path.mkdir()
    git(tree.path, "init", "--quiet")
    commit(tree, None)
    gate.refusal()
    assert gate.last_good() == good


def test_a_damaged_record_of_the_last_good_revision_counts_as_none(
    gate: Gate, tree: WorkTree, keys: dict[str, Signer]
) -> None:
    good = commit(tree, keys["ssh"])
    gate.read()
    (record,) = (gate.state / "verified").glob("*.json")
    record.write_text('{"format": 1, "files": [[')
    assert gate.last_good() == ""
    assert gate.read() == good
    assert gate.last_good() == good


@pytest.mark.parametrize("kind", ["ssh", "gpg"])
def test_somebody_elses_key_is_refused_and_named(
    kind: str, gate: Gate, tree: WorkTree, keys: dict[str, Signer]
) -> None:
    commit(tree, keys[f"{kind} mallory"])
    said = gate.refusal()
    assert re.search(r"SHA256:\S+" if kind == "ssh" else r"the GPG key [0-9A-F]{16}", said)
    assert str(gate.signers if kind == "ssh" else gate.gpg_keys) in said


@pytest.mark.parametrize("kind", ["ssh", "gpg"])
def test_a_commit_that_was_changed_after_it_was_signed_is_refused(
    kind: str, gate: Gate, tree: WorkTree, keys: dict[str, Signer]
) -> None:
    good = commit(tree, keys[kind])
    forged(tree, good, b"\n\nchange\n", b"\n\nchanged\n")
    assert "changed after it was signed" in gate.refusal()


@pytest.mark.parametrize("kind", ["ssh", "gpg"])
def test_the_signature_of_another_commit_is_refused(
    kind: str, gate: Gate, tree: WorkTree, keys: dict[str, Signer]
) -> None:
    good = commit(tree, keys[kind], {"a.yaml": network("a")})
    harmless = git(tree.path, "rev-parse", f"{good}^{{tree}}")
    tree.write({"a.yaml": network("evil")})
    git(tree.path, "add", "--all")
    forged(tree, good, harmless.encode(), git(tree.path, "write-tree").encode())
    assert "changed after it was signed" in gate.refusal()


def test_a_key_that_is_allowed_for_something_else_only_is_refused(
    gate: Gate, tree: WorkTree, keys: dict[str, Signer]
) -> None:
    commit(tree, keys["ssh"])
    gate.signers.write_text(f'ada@example.org namespaces="file" {keys["ssh"].public}\n')
    assert 'add the namespace "git"' in gate.refusal()
    gate.signers.write_text(f'ada@example.org namespaces="git" {keys["ssh"].public}\n')
    assert gate.read()


def test_a_key_whose_time_is_over_is_refused(gate: Gate, tree: WorkTree, keys: dict[str, Signer]) -> None:
    commit(tree, keys["ssh"])
    gate.signers.write_text(f'ada@example.org valid-before="20200101" {keys["ssh"].public}\n')
    assert "wasn't valid at that time" in gate.refusal()


def test_a_revoked_ssh_key_is_refused_although_it_is_allowed(
    gate: Gate, tree: WorkTree, keys: dict[str, Signer]
) -> None:
    commit(tree, keys["ssh"])
    gate.revoked.write_text(f"{keys['ssh'].public}\n")
    assert "revoked" in gate.refusal()


def test_an_expired_gpg_key_is_refused(gate: Gate, tree: WorkTree, gpg: GpgHome) -> None:
    old = gpg.signer("old", made="20200101T000000", expires="2d")
    gate.gpg_keys.write_text(old.public)
    commit(tree, old)
    assert "has expired" in gate.refusal()


def test_a_revoked_gpg_key_is_refused(gate: Gate, tree: WorkTree, gpg: GpgHome) -> None:
    gone = gpg.signer("gone")
    commit(tree, gone)
    gate.gpg_keys.write_text(gone.public)
    assert gate.read()
    gpg.revoke("gone")
    gate.gpg_keys.write_text(gpg.exported("gone"))
    assert "is revoked" in gate.refusal()


def test_the_users_own_keyring_and_git_configuration_have_no_say(
    gate: Gate, tree: WorkTree, keys: dict[str, Signer], gpg: GpgHome, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    everybody = tmp_path / "everybody"
    everybody.write_text(f"* {keys['ssh mallory'].public}\n")
    config = tmp_path / "gitconfig"
    config.write_text(f'[gpg]\nprogram = true\n[gpg "ssh"]\nallowedSignersFile = {everybody}\n')
    monkeypatch.setenv("GIT_CONFIG_GLOBAL", str(config))
    monkeypatch.setenv("GNUPGHOME", str(gpg.folder))
    for kind in ("ssh mallory", "gpg mallory"):
        commit(tree, keys[kind])
        gate.refusal()


def test_the_repositorys_own_configuration_runs_nothing_and_allows_nobody(
    gate: Gate, tree: WorkTree, keys: dict[str, Signer], tmp_path: Path
) -> None:
    commit(tree, keys["ssh mallory"])
    proof = tmp_path / "it-ran"
    program = tmp_path / "program.sh"
    program.write_text(f"#!/bin/sh\ntouch {proof}\necho '[GNUPG:] GOODSIG 0 ada'\n")
    program.chmod(0o755)
    everybody = tmp_path / "everybody"
    everybody.write_text(f"* {keys['ssh mallory'].public}\n")
    for name in ("gpg.program", "gpg.ssh.program", "gpg.openpgp.program", "gpg.x509.program", "core.fsmonitor"):
        git(tree.path, "config", name, str(program))
    git(tree.path, "config", "gpg.ssh.allowedSignersFile", str(everybody))
    gate.refusal()
    assert not proof.exists()


def test_an_object_that_replaces_the_head_in_gits_eyes_does_not_vouch_for_it(
    gate: Gate, tree: WorkTree, keys: dict[str, Signer]
) -> None:
    good = commit(tree, keys["ssh"])
    head = commit(tree, None, {"evil.yaml": network("evil")})
    git(tree.path, "replace", head, good)
    assert "isn't signed" in gate.refusal()


def test_a_folder_whose_name_is_awkward_is_read_all_the_same(tmp_path: Path, keys: dict[str, Signer]) -> None:
    tree = WorkTree(tmp_path / 'a:"b\\c')
    head = commit(tree, keys["ssh"])
    assert Gate(tmp_path, tree.path, keys).read() == head


def test_only_the_head_has_to_be_signed_when_that_is_asked(gate: Gate, tree: WorkTree, keys: dict[str, Signer]) -> None:
    commit(tree, keys["ssh"])
    gate.read()
    commit(tree, None)
    head = commit(tree, keys["ssh"])
    assert gate.read() == head


def test_every_new_commit_has_to_be_signed_when_that_is_asked(
    gate: Gate, tree: WorkTree, keys: dict[str, Signer]
) -> None:
    commit(tree, None, {"old.yaml": network("old")})  # before signing began, and vouched for by the first good head
    good = commit(tree, keys["ssh"])
    assert gate.all().read() == good
    unsigned = commit(tree, None)
    head = commit(tree, keys["gpg"])
    said = gate.refusal()
    assert said.startswith(f"The commit {unsigned[:12]}, which {head[:12]} on main builds on, isn't signed")
    git(tree.path, "reset", "--quiet", "--hard", good)
    commit(tree, keys["gpg"])
    head = commit(tree, keys["ssh"])
    assert gate.read() == head


def test_a_merge_brings_its_unsigned_commits_along_only_when_the_head_alone_counts(
    gate: Gate, tree: WorkTree, keys: dict[str, Signer]
) -> None:
    good = commit(tree, keys["ssh"])
    gate.read()
    git(tree.path, "checkout", "--quiet", "-b", "topic")
    unsigned = commit(tree, None, {"topic.yaml": network("topic")})
    git(tree.path, "checkout", "--quiet", "main")
    git(tree.path, *keys["ssh"].options, "merge", "--quiet", "--no-ff", "--gpg-sign", "-m", "merge", "topic")
    assert unsigned[:12] in gate.all().refusal()
    assert gate.last_good() == good
    gate.policy = SignaturePolicy("head", gate.signers, gate.revoked, gate.gpg_keys)
    assert gate.read() == git(tree.path, "rev-parse", "HEAD")


def test_an_old_signed_revision_cannot_be_brought_back_by_moving_the_branch(
    gate: Gate, tree: WorkTree, keys: dict[str, Signer]
) -> None:
    old = commit(tree, keys["ssh"])
    good = commit(tree, keys["ssh"])
    gate.read()
    git(tree.path, "reset", "--quiet", "--hard", old)
    said = gate.refusal()
    assert f"is older than the last good revision {good[:12]}" in said
    assert "onggi rollback" in said
    assert gate.last_good() == good


def test_a_rewritten_history_is_taken_once_somebody_on_the_host_says_so(
    gate: Gate, tree: WorkTree, keys: dict[str, Signer]
) -> None:
    commit(tree, keys["ssh"])
    gate.read()
    rewritten = commit(tree, keys["ssh"], None, "--amend", "--date=2020-01-01T00:00:00Z")
    said = gate.refusal()
    assert "doesn't build on the last good revision" in said
    record = re.search(r"or remove (\S+) on this host", said)
    assert record is not None
    Path(record[1]).unlink()
    assert gate.read() == rewritten


def test_taking_a_key_away_holds_for_commits_that_passed_before(
    gate: Gate, tree: WorkTree, keys: dict[str, Signer]
) -> None:
    good = commit(tree, keys["ssh"])
    source = gate.open()
    assert source.read().revision.digest == good
    gate.signers.write_text("")
    with pytest.raises(Unverified):
        source.read()
    assert source.last_good() is not None
    gate.signers.write_text(f"ada@example.org {keys['ssh'].public}\n")
    assert source.read().revision.digest == good
    source.close()


def test_an_answer_is_remembered_while_the_keys_are_the_same(
    gate: Gate, tree: WorkTree, keys: dict[str, Signer], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    good = commit(tree, keys["ssh"])
    source = gate.open()
    source.read()
    monkeypatch.setenv("PATH", str(tmp_path))  # no git any more: nothing can be asked
    assert source.read().revision.digest == good
    gate.signers.write_text(f"# another file\nada@example.org {keys['ssh'].public}\n")
    with pytest.raises(SourceError, match="isn't installed"):
        source.read()
    source.close()


def test_reading_without_recording_leaves_no_last_good_revision(
    gate: Gate, tree: WorkTree, keys: dict[str, Signer]
) -> None:
    head = commit(tree, keys["ssh"])
    source = gate.open(recording=False)
    assert source.read().revision.digest == head
    source.close()
    assert gate.last_good() == ""


def test_a_remote_is_guarded_too(tree: WorkTree, tmp_path: Path, keys: dict[str, Signer]) -> None:
    git(tmp_path, "init", "--quiet", "--bare", "remote.git")
    gate = Gate(tmp_path, f"file://{tmp_path}/remote.git", keys)
    good = commit(tree, keys["gpg"], {"a.yaml": network("a")})
    git(tree.path, "push", "--quiet", str(tmp_path / "remote.git"), "main")
    source = gate.open()
    assert source.read().revision.digest == good
    commit(tree, None)
    git(tree.path, "push", "--quiet", str(tmp_path / "remote.git"), "main")
    assert source.fetch()
    with pytest.raises(Unverified, match="isn't signed"):
        source.read()
    kept = source.last_good()
    assert kept is not None and kept.revision.digest == good
    source.close()


@pytest.mark.parametrize(
    ("spoil", "sentence"),
    [
        (lambda gate: gate.signers.unlink(), "allowed-signers file .* can't be read"),
        (lambda gate: gate.gpg_keys.write_text("not a key"), "holds no GPG public keys"),
        (lambda gate: gate.signers.write_bytes(b"x" * (5 << 20)), "has more than"),
    ],
    ids=["a missing file", "no keys", "a huge file"],
)
def test_a_file_of_keys_that_cannot_be_used_is_told(
    spoil: object, sentence: str, gate: Gate, tree: WorkTree, keys: dict[str, Signer]
) -> None:
    commit(tree, keys["ssh"])
    spoil(gate)  # type: ignore[operator]
    with pytest.raises(SourceError, match=sentence):
        gate.read()


def test_signers_that_nobody_can_read_allow_nobody(gate: Gate, tree: WorkTree, keys: dict[str, Signer]) -> None:
    commit(tree, keys["ssh"])
    gate.signers.write_bytes(b"\xff\x00-oProxyCommand=x\n* ssh-foo AAAA\n")
    gate.refusal()


def test_a_plain_folder_cannot_be_signed(tmp_path: Path, keys: dict[str, Signer]) -> None:
    (tmp_path / "plain").mkdir()
    with pytest.raises(SourceError, match="plain folder"):
        Gate(tmp_path, tmp_path / "plain", keys).read()


def test_verifying_leaves_no_process_behind(gate: Gate, tree: WorkTree, keys: dict[str, Signer]) -> None:
    commit(tree, keys["gpg"])
    gate.read()
    assert not [
        process.info["cmdline"]
        for process in psutil.process_iter(["cmdline"])
        if any(str(gate.state) in word for word in process.info["cmdline"] or ())
    ]
    assert subprocess.run(["find", gate.state, "-type", "s"], capture_output=True, text=True, check=True).stdout == ""
