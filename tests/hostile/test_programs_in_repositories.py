"""No program that a repository names is run: no hook, no filter, nothing of its configuration, read or written."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest

from reconciler.line.line import Line
from reconciler.settings.settings import Settings
from reconciler.source.opening import open_source
from tests.lab.repositories import ENVIRONMENT, Repository, git
from tests.writing.writers import Place, add

NETWORK = "apiVersion: onggi/v1\nkind: Network\nmetadata: {name: lan}\nspec: {mode: isolated}\n"
HOOKS = (
    *("applypatch-msg", "commit-msg", "fsmonitor-watchman", "post-applypatch", "post-checkout", "post-commit"),
    *(
        "post-index-change",
        "post-merge",
        "post-receive",
        "post-rewrite",
        "post-update",
        "pre-applypatch",
        "pre-auto-gc",
    ),
    *("pre-commit", "pre-merge-commit", "pre-push", "pre-rebase", "pre-receive", "prepare-commit-msg", "proc-receive"),
    *("push-to-checkout", "reference-transaction", "sendemail-validate", "update"),
)
KEYS = (
    *("core.fsmonitor", "core.sshCommand", "core.pager", "core.editor", "core.askPass", "core.gitProxy"),
    *("core.alternateRefsCommand", "credential.helper", "diff.external", "diff.evil.textconv", "diff.evil.command"),
    *("filter.evil.clean", "filter.evil.smudge", "filter.evil.process", "merge.evil.driver", "gpg.program"),
    *("gpg.ssh.program", "gpg.x509.program", "gpg.ssh.defaultKeyCommand", "sequence.editor", "interactive.diffFilter"),
    *("uploadpack.packObjectsHook", "remote.origin.uploadpack", "remote.origin.receivepack", "trailer.evil.cmd"),
    *("trailer.evil.command", "alias.status", "pager.log", "browser.evil.cmd", "difftool.evil.cmd"),
)
FLAGS = {
    "commit.gpgSign": "true", "push.gpgSign": "if-asked", "filter.evil.required": "true",
    "protocol.ext.allow": "always", "log.showSignature": "true", "credential.interactive": "false",
    "submodule.recurse": "true",
}  # fmt: skip


def set_traps(repository: Path, git_folder: Path, marks: Path) -> None:
    """Every place in which a repository can name a program has one that leaves its name in `marks`."""
    program = marks.parent / "program"
    program.write_text(f'#!/bin/sh\ntouch "{marks}/$(basename "$0")-$ONGGI_TRAP"\ncat\n')
    program.chmod(0o755)
    for hook in HOOKS:
        (git_folder / "hooks").mkdir(exist_ok=True)
        (git_folder / "hooks" / hook).symlink_to(program)
    for key in KEYS:
        git(repository, "config", "--file", str(git_folder / "config"), key, f"{program} {key}")
    for key, value in FLAGS.items():
        git(repository, "config", "--file", str(git_folder / "config"), key, value)
    (git_folder / "info").mkdir(exist_ok=True)
    (git_folder / "info/attributes").write_text("* filter=evil diff=evil merge=evil text eol=crlf\n")


@pytest.fixture
def marks(tmp_path: Path) -> Path:
    folder = tmp_path / "marks"
    folder.mkdir()
    return folder


def test_a_repository_of_this_machine_runs_nothing(
    repository: Repository, private_test_uri: str, marks: Path, tmp_path: Path
) -> None:
    repository.commit({"lan.yaml": NETWORK, ".gitattributes": "* filter=evil diff=evil merge=evil\n"})
    set_traps(repository.path, repository.path / ".git", marks)
    told = Settings(repository=str(repository.path), connect=private_test_uri, state=tmp_path / "state")
    with Line.open(told, exclusive=True) as line:
        assert line.converge().succeeded
    place = Place(str(repository.path), tmp_path / "state")
    place.write(add("wan"))
    assert any(b"wan" in content for content in place.files().values())
    place.source.close()
    assert list(marks.iterdir()) == []
    commit = ["git", "-C", repository.path, "commit", "--quiet", "--allow-empty", "--message", "By hand"]
    subprocess.run(commit, env=ENVIRONMENT, stdin=subprocess.DEVNULL, capture_output=True)
    assert list(marks.iterdir()), "the traps are set for whoever uses git itself"


def test_a_remote_runs_nothing_here(pushed_repository: Repository, marks: Path, tmp_path: Path) -> None:
    pushed_repository.commit({"lan.yaml": NETWORK, ".gitattributes": "* filter=evil diff=evil merge=evil\n"})
    pushed_repository.push()
    remote = tmp_path / "remote.git"
    set_traps(pushed_repository.path, remote, marks)
    source = open_source(f"file://{remote}", state_dir=tmp_path / "state")
    try:
        assert [file.path for file in source.read().files] == ["lan.yaml"]
    finally:
        source.close()
    assert list(marks.iterdir()) == []
