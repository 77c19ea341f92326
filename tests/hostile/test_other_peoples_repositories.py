"""Whoever may write a repository that root's onggi reads and writes reaches nothing by that which is root's."""

from __future__ import annotations

import os
import shutil
import signal
import stat
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

from reconciler.errors import OnggiError, SourceError
from reconciler.source.commit_text import Author
from reconciler.source.foreign import source as foreign
from reconciler.source.foreign.judging import others_at
from reconciler.source.opening import open_source
from reconciler.source.source import Source
from reconciler.source.watch import watching
from reconciler.writing.changes import Put
from reconciler.writing.opening import open_writer
from specs.reference import Ref
from tests.hostile.commands import ENVIRONMENT, ONGGI, error, onggi, planned, told
from tests.hostile.documents import vm
from tests.lab.other_user import OTHER, THIRD, give
from tests.lab.repositories import Repository, git
from tests.lab.waiting import until

SECRET = "what only root may read"


@pytest.fixture
def repository(public_folder: Path) -> Repository:
    """A repository of another user, with one commit."""
    repository = Repository(public_folder / "theirs")
    repository.commit({"a.yaml": vm("a"), "vms/b.yaml": vm("b")})
    give(repository.path)
    return repository


@pytest.fixture
def ours(public_folder: Path) -> Path:
    """A folder that only root may look into, with a file and a folder in it."""
    folder = public_folder / "ours"
    (folder / "folder").mkdir(parents=True)
    folder.chmod(0o700)
    file = folder / "file"
    file.write_text(f"{SECRET}\n")
    file.chmod(0o600)
    return folder


def state_of(folder: Path) -> dict[str, object]:
    """Everything that is in a folder: names, owners, modes, contents, times of change."""
    found: dict[str, object] = {}
    for path in sorted(folder.rglob("*")):
        status = path.lstat()
        content = path.read_bytes() if stat.S_ISREG(status.st_mode) else b""
        found[str(path)] = (status.st_uid, status.st_mode, status.st_nlink, status.st_mtime_ns, content)
    return found


def opened(path: Path, tmp_path: Path, **more: bool) -> Source:
    return open_source(str(path), state_dir=tmp_path / "state", **more)


def write(path: Path, tmp_path: Path, name: str = "new") -> None:
    """As the API does: a new machine, and the first one changed."""
    source = opened(path, tmp_path)
    try:
        write_to(source, name)
    finally:
        source.close()


def write_to(source: Source, name: str) -> None:
    machine = {"apiVersion": "onggi/v1", "kind": "VirtualMachine", "metadata": {"name": name}, "spec": {"memory": 512}}
    open_writer(source).write(
        lambda _: [Put(Ref("VirtualMachine", name), machine)],
        message="New", author=Author("Ada", "ada@example.org"), trailers={},
    )  # fmt: skip


def link(where: str) -> Callable[[Path, Path], None]:
    """Puts a link to root's file, or folder, in the place of something in `.git`."""

    def attack(own: Path, ours: Path) -> None:
        place = own / where
        is_folder = place.is_dir()
        shutil.rmtree(place) if is_folder else place.unlink(missing_ok=True)
        place.parent.mkdir(parents=True, exist_ok=True)
        place.symlink_to(ours / ("folder" if is_folder else "file"))

    return attack


def linked_work_tree(own: Path, ours: Path) -> None:
    """A work tree that lies in root's folder, which a journal says is in the middle of a write."""
    tree = own / "worktrees/x"
    tree.mkdir(parents=True)
    (tree / "HEAD").write_text("ref: refs/heads/main\n")
    (tree / "commondir").write_text("../..\n")
    (tree / "gitdir").write_text(f"{ours}/folder/.git\n")
    shutil.copyfile(own / "index", tree / "index")
    (tree / "onggi-writing").write_text('{"lock": 0, "files": {"file": ["0", ""], "a.yaml": [null, ""]}}')


def borrowed_configuration(own: Path, ours: Path) -> None:
    with (own / "config").open("a") as file:
        file.write(f"[include]\n\tpath = {ours}/file\n")


@pytest.mark.parametrize(
    "attack",
    [
        link("index"),
        link("onggi-index"),
        link("onggi-writing"),
        link("logs/HEAD"),
        link("logs/refs/heads/main"),
        link("logs/refs/heads"),
        link("refs/heads"),
        link("worktrees"),
        linked_work_tree,
        borrowed_configuration,
    ],
    ids=["index", "onggi-index", "journal", "HEAD", "log", "logs", "refs", "worktrees", "work-tree", "include"],
)
def test_a_link_in_their_repository_leads_nowhere_that_they_couldnt_go(
    repository: Repository,
    ours: Path,
    tmp_path: Path,
    attack: Callable[[Path, Path], None],
    caplog: pytest.LogCaptureFixture,
) -> None:
    attack(repository.path / ".git", ours)
    give(repository.path)
    before = state_of(ours)
    try:
        write(repository.path, tmp_path)
    except OnggiError as refusal:
        assert SECRET not in str(refusal)
    assert SECRET not in caplog.text
    assert state_of(ours) == before
    assert {path.lstat().st_uid for path in repository.path.rglob("*")} == {OTHER}, "nothing of root's lies there"


@pytest.mark.parametrize("name", ["HEAD", "refs/heads/main", "config", "objects/info/alternates"])
def test_a_pipe_in_their_repository_holds_nobody_up(
    repository: Repository, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    place = repository.path / ".git" / name
    place.unlink(missing_ok=True)
    place.parent.mkdir(exist_ok=True)
    os.mkfifo(place)
    give(repository.path)
    monkeypatch.setattr(foreign, "_PATIENCE_S", 1.0)
    try:
        source = opened(repository.path, tmp_path)
    except SourceError as refusal:
        assert str(repository.path) in str(refusal)
        return
    try:
        source.read()
    except SourceError as refusal:
        assert str(repository.path) in str(refusal)
    finally:
        source.close()


def test_the_agent_ends_in_time_while_a_pipe_holds_the_reader_up(repository: Repository, tmp_path: Path) -> None:
    reference = repository.path / ".git/refs/heads/main"
    words = [*ONGGI, "run", str(repository.path), "--connect", "test:///default", "--state", str(tmp_path / "state")]
    reference.unlink()
    os.mkfifo(reference)
    give(repository.path)
    agent = subprocess.Popen(words, stderr=subprocess.PIPE, text=True, env=ENVIRONMENT)
    try:
        until(lambda: children_of_other(agent.pid), 60, "nobody reads as the other user")
        agent.send_signal(signal.SIGTERM)
        agent.communicate(timeout=60)
    finally:
        agent.kill()
        agent.wait()
    assert agent.returncode == 0
    until(lambda: not children_of_other(), 60, "the reader is left behind")


def children_of_other(parent: int | None = None) -> list[int]:
    """The processes that run as the other user."""
    found = []
    for folder in Path("/proc").glob("[0-9]*"):
        try:
            words = (folder / "stat").read_text().rpartition(")")[2].split()
            if folder.stat().st_uid == OTHER or f"\t{OTHER}\t" in (folder / "status").read_text():
                found.append((int(folder.name), int(words[1]), words[0]))
        except OSError:
            continue
    return [pid for pid, above, condition in found if condition != "Z" and parent in (None, above)]


def test_their_repository_is_read_and_written_as_them(repository: Repository, tmp_path: Path) -> None:
    before = repository_head(repository)
    write(repository.path, tmp_path)
    assert repository_head(repository) != before
    assert (repository.path / "vms/new.yaml").is_file()
    assert {path.lstat().st_uid for path in (repository.path, *repository.path.rglob("*"))} == {OTHER}
    assert repository_git(repository, "status", "--porcelain") == ""
    plan = told(onggi("plan", repository.path, "--connect", "test:///default", "--state", tmp_path / "s", "-o", "json"))
    assert planned(plan) == {"a", "b", "new"}


def repository_git(repository: Repository, *words: str) -> str:
    return git(repository.path, "-c", f"safe.directory={repository.path}", *words)


def repository_head(repository: Repository) -> str:
    return repository_git(repository, "rev-parse", "HEAD")


def test_a_commit_of_theirs_is_seen_at_once(repository: Repository, tmp_path: Path) -> None:
    source = opened(repository.path, tmp_path)
    first = source.read()
    assert source.read() is first
    called: list[bool] = []
    watch = watching(source, lambda: called.append(True))
    try:
        watch.start()
        give(repository.path)
        until(lambda: _woken(repository, called), 60, "nobody was woken")
        second = source.read()
        assert second.revision != first.revision
        known = {file.path: file for file in first.files}
        assert all(file is known[file.path] for file in second.files if file.path in known)
    finally:
        watch.stop()
        source.close()


def _woken(repository: Repository, called: list[bool]) -> bool:
    repository_git(repository, "commit", "--quiet", "--allow-empty", "-m", "Again")
    give(repository.path)
    return bool(called)


def test_what_several_may_write_is_read_by_nobody_in_particular_and_not_written(
    repository: Repository, ours: Path, tmp_path: Path
) -> None:
    give(repository.path, 0)
    for folder in (repository.path / ".git/refs", repository.path / ".git/refs/heads"):
        folder.chmod(0o777)
    source = opened(repository.path, tmp_path)
    try:
        assert {file.path for file in source.read().files} == {"a.yaml", "vms/b.yaml"}
        reference = repository.path / ".git/refs/heads/main"
        reference.unlink()
        reference.symlink_to(ours / "file")
        with pytest.raises(SourceError) as refused:
            source.read()
        assert SECRET not in str(refused.value)
    finally:
        source.close()
    with pytest.raises(SourceError, match=r"chown -R.*file:///"):
        write(repository.path, tmp_path)


def test_an_agent_that_isnt_root_reads_theirs_and_doesnt_write(
    repository: Repository, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(os, "geteuid", lambda: THIRD)
    source = opened(repository.path, tmp_path)
    try:
        assert {file.path for file in source.read().files} == {"a.yaml", "vms/b.yaml"}
        with pytest.raises(SourceError, match=r"chown -R.*file:///"):
            write_to(source, "new")
    finally:
        source.close()


@pytest.mark.parametrize("place", [".git", ".git/refs/heads", ".git/objects/pack", ".git/config", ".git/HEAD"])
def test_one_thing_of_anothers_is_enough(repository: Repository, place: str) -> None:
    give(repository.path, 0)
    os.chown(repository.path / place, THIRD, THIRD)
    others = others_at(repository.path)
    assert others is not None
    assert (others.identity.uid, others.where) == (THIRD, repository.path / place)


def test_a_folder_on_the_way_that_another_may_write_makes_it_theirs(repository: Repository, tmp_path: Path) -> None:
    give(repository.path, 0)
    above = repository.path.parent
    os.chown(above, THIRD, THIRD)
    source = opened(repository.path, tmp_path)
    source.close()
    assert isinstance(source, foreign.ForeignSource)
    assert source.others.identity.uid == THIRD


def test_where_our_repository_sends_git_counts_too(repository: Repository, public_folder: Path) -> None:
    mine = Repository(public_folder / "mine")
    mine.commit({"a.yaml": vm("a")})
    alternates = mine.path / ".git/objects/info/alternates"
    alternates.write_text(f"{repository.path}/.git/objects\n")
    pointing = public_folder / "pointing"
    pointing.mkdir()
    (pointing / ".git").write_text(f"gitdir: {repository.path}/.git\n")
    for path in (mine.path, pointing):
        others = others_at(path)
        assert others is not None, path
        assert others.identity.uid == OTHER


def test_what_they_cant_reach_is_told(repository: Repository, tmp_path: Path) -> None:
    hidden = tmp_path / "hidden"
    shutil.move(repository.path, hidden)
    with pytest.raises(SourceError, match=r"can't be reached by .*chown -R root"):
        opened(hidden, tmp_path)


def test_a_repository_that_another_put_around_our_folder_isnt_opened(public_folder: Path, tmp_path: Path) -> None:
    folder = public_folder / "folder"
    folder.mkdir()
    (folder / "a.yaml").write_text(vm("a"))
    (public_folder / ".git").mkdir()
    os.mkfifo(public_folder / ".git/HEAD")
    give(public_folder / ".git")
    assert "another user" in error(
        onggi("plan", folder, "--connect", "test:///default", "--state", tmp_path / "state", timeout_s=60)
    )


@pytest.mark.parametrize("worktree", [True, False])
def test_their_files_are_read_as_them_too(
    public_folder: Path, repository: Repository, ours: Path, tmp_path: Path, worktree: bool
) -> None:
    folder = repository.path
    if not worktree:
        shutil.rmtree(folder / ".git")
    (ours / "b.yaml").write_text(vm("root"))
    (ours / "b.yaml").chmod(0o600)
    os.link(ours / "b.yaml", folder / "hard.yaml")  # a kernel may be told to allow this to everybody
    (folder / "soft.yaml").symlink_to(ours / "b.yaml")
    os.mkfifo(folder / "pipe.yaml")
    source = opened(folder, tmp_path, worktree=worktree)
    try:
        tree = source.read()
    finally:
        source.close()
    assert {file.path for file in tree.files} == {"a.yaml", "vms/b.yaml"}
    assert {problem.path for problem in tree.problems} == {"hard.yaml", "soft.yaml", "pipe.yaml"}


def test_their_folder_is_written_as_them(public_folder: Path, ours: Path, tmp_path: Path) -> None:
    folder = public_folder / "folder"
    (folder / "vms").mkdir(parents=True)
    (folder / "vms/a.yaml").write_text(vm("a"))
    give(folder)
    write(folder, tmp_path)
    assert (folder / "vms/new.yaml").is_file()
    assert {path.lstat().st_uid for path in folder.rglob("*")} == {OTHER}
    shutil.rmtree(folder / "vms")
    (folder / "vms").symlink_to(ours / "folder")
    (folder / "a.yaml").write_text(vm("a"))
    give(folder)
    before = state_of(ours)
    write(folder, tmp_path, "another")
    assert state_of(ours) == before


def test_nothing_is_borrowed_that_only_root_may_read(
    repository: Repository, ours: Path, tmp_path: Path, public_folder: Path
) -> None:
    private = Repository(ours / "private")
    private.commit({"private.yaml": vm("private")})
    own = repository.path / ".git"
    (own / "objects/info/alternates").write_text(f"{private.path}/.git/objects\n")
    (own / "refs/heads/main").write_text(private.head + "\n")
    give(own)
    with pytest.raises(SourceError):
        source = opened(repository.path, tmp_path)
        try:
            source.read()
        finally:
            source.close()


def test_who_may_write_a_repository_cant_vouch_for_it(repository: Repository, tmp_path: Path) -> None:
    signers = tmp_path / "signers"
    signers.write_text("")
    words = ("--require-signed", "head", "--allowed-signers", signers, "--state", tmp_path / "state")
    assert "file:///" in error(onggi("plan", repository.path, "--connect", "test:///default", *words))


def test_their_hooks_run_as_them_when_onggi_pushes(public_folder: Path, tmp_path: Path) -> None:
    bare = public_folder / "theirs.git"
    work = Repository(tmp_path / "work")
    work.add_remote(bare)
    work.commit({"vms/a.yaml": vm("a")})
    work.push()
    seen = public_folder / "seen"
    seen.mkdir()
    for name in ("pre-receive", "post-receive", "update"):
        hook = bare / "hooks" / name
        hook.write_text(f"#!/bin/sh\nid -u > {seen}/{name}\n")
        hook.chmod(0o755)
    give(bare)
    seen.chmod(0o777)
    source = open_source(f"file://{bare}", state_dir=tmp_path / "state")
    try:
        source.read()
        write_to(source, "new")
    finally:
        source.close()
    assert {path.lstat().st_uid for path in bare.rglob("*")} == {OTHER}
    assert {path.name: int(path.read_text()) for path in seen.iterdir()} == dict.fromkeys(
        ("pre-receive", "post-receive", "update"), OTHER
    )


def test_their_repository_is_rolled_back_as_them(repository: Repository, ours: Path, tmp_path: Path) -> None:
    write(repository.path, tmp_path)
    log = repository.path / ".git/logs/refs/heads/main"
    log.unlink()
    log.symlink_to(ours / "file")
    with (repository.path / ".git/config").open("a") as file:
        file.write("[user]\n\tname = Ada\n\temail = ada@example.org\n")
    before = state_of(ours)
    done = onggi("rollback", repository.path)
    assert state_of(ours) == before
    assert done.returncode == 1, "they may not write that log"
    log.unlink()
    assert onggi("rollback", repository.path).returncode == 0
    assert not (repository.path / "vms/new.yaml").exists()
    assert {path.lstat().st_uid for path in repository.path.rglob("*") if not path.is_symlink()} == {OTHER}
