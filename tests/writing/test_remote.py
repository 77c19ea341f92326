"""Writing to a remote: pushed when it is there, kept until it is back, and never at the cost of anybody's commit."""

from __future__ import annotations

import logging
import subprocess
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from reconciler.errors import Conflict, Terminal
from reconciler.source.remote import RemoteRepository
from reconciler.source.signatures import SignaturePolicy
from reconciler.source.verification import VerifiedSource
from reconciler.writing import remote as writing
from reconciler.writing.commits import Commits
from tests.source import signing
from tests.source.repositories import ENV, WorkTree, git, network

from .writers import Place, add, change, once_before, remove


@pytest.fixture(autouse=True)
def own_git_configuration(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GIT_CONFIG_NOSYSTEM", "1")
    monkeypatch.setenv("GIT_CONFIG_GLOBAL", str(tmp_path / "gitconfig"))
    monkeypatch.setattr(writing, "_AWAY_S", 0.0)


@pytest.fixture
def tree(tmp_path: Path) -> WorkTree:
    tree = WorkTree(tmp_path / "work")
    git(tmp_path, "init", "--quiet", "--bare", "remote.git")
    git(tree.path, "remote", "add", "origin", str(tmp_path / "remote.git"))
    tree.commit({"a.yaml": network("a", "  autostart: false\n"), "onggi.txt": ""})
    push(tree)
    return tree


@pytest.fixture
def place(tree: WorkTree, tmp_path: Path) -> Iterator[Place]:
    place = at(tmp_path)
    yield place
    place.source.close()


def at(tmp_path: Path, **options: object) -> Place:
    return Place(f"file://{tmp_path}/remote.git", tmp_path / "state", **options)


def push(tree: WorkTree) -> None:
    git(tree.path, "push", "--quiet", "origin", "HEAD:main")


def push_change(tree: WorkTree, files: dict[str, str | bytes | None]) -> None:
    git(tree.path, "pull", "--quiet", "--rebase", "origin", "main")
    tree.commit(files)
    push(tree)


class Away:
    """The remote can't be reached for as long as this lasts."""

    def __init__(self, tmp_path: Path) -> None:
        self._there, self._elsewhere = tmp_path / "remote.git", tmp_path / "away.git"

    def __enter__(self) -> None:
        self._there.rename(self._elsewhere)

    def __exit__(self, *_: object) -> None:
        self._elsewhere.rename(self._there)


def head(tmp_path: Path) -> str:
    return git(tmp_path / "remote.git", "rev-parse", "main")


def shown(tmp_path: Path, path: str, what: str = "main") -> str:
    return git(tmp_path / "remote.git", "show", f"{what}:{path}") + "\n"


def assert_linear(tmp_path: Path) -> None:
    assert git(tmp_path / "remote.git", "rev-list", "--min-parents=2", "main") == ""


def behind(place: Place) -> RemoteRepository:
    assert isinstance(place.source, RemoteRepository)
    return place.source


def test_a_write_is_pushed_and_read_at_once(place: Place, tmp_path: Path) -> None:
    done = place.write(add("b"))
    assert done.pushed
    assert head(tmp_path) == done.revision.digest
    assert place.source.read().revision == done.revision
    assert place.source.fetch() is False
    place.write(change("b", "autostart", True))
    assert shown(tmp_path, "b.yaml") == network("b", "  autostart: true\n")


@pytest.mark.parametrize("waits", [False, True], ids=["nothing waits", "a commit waits"])
def test_what_is_fetched_between_a_commit_and_its_push_is_built_upon(
    place: Place, tree: WorkTree, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, waits: bool
) -> None:
    place.source.read()
    if waits:
        with Away(tmp_path):
            assert not place.write(add("waiting")).pushed
    make, meanwhile = Commits.make, [lambda: (push_change(tree, {"c.yaml": network("c")}), behind(place).fetch_only())]

    def interrupted(commits: Commits, *arguments: Any) -> str:
        commit = make(commits, *arguments)
        if meanwhile:
            meanwhile.pop()()
        return commit

    monkeypatch.setattr(Commits, "make", interrupted)
    assert place.write(add("b")).pushed
    expected = {"a.yaml", "b.yaml", "c.yaml", "onggi.txt"} | ({"waiting.yaml"} if waits else set())
    assert set(git(tmp_path / "remote.git", "ls-tree", "--name-only", "main").splitlines()) == expected
    assert_linear(tmp_path)


def test_a_commit_that_was_pushed_meanwhile_is_built_upon(place: Place, tree: WorkTree, tmp_path: Path) -> None:
    place.source.read()
    push_change(tree, {"c.yaml": network("c"), "a.yaml": network("a", "  autostart: false\n  active: true\n")})
    assert place.write(change("a", "autostart", True)).pushed
    assert shown(tmp_path, "a.yaml") == network("a", "  autostart: true\n  active: true\n")
    assert set(place.files()) == {"a.yaml", "c.yaml"}
    assert_linear(tmp_path)


def test_the_same_field_pushed_meanwhile_is_a_conflict_and_ours_is_dropped(
    place: Place, tree: WorkTree, tmp_path: Path
) -> None:
    edit = change("a", "domain", "ours.example")
    theirs = network("a", "  autostart: false\n  domain: theirs.example\n")
    with pytest.raises(Conflict, match=r"Network/a was changed at /spec/domain"):
        place.write(once_before(edit, lambda: push_change(tree, {"a.yaml": theirs})))
    assert shown(tmp_path, "a.yaml") == theirs
    assert place.files()["a.yaml"].decode() == theirs
    assert git(behind(place).mirror(), "for-each-ref", "--format=%(refname)") == "refs/heads/main"


def test_a_remote_that_takes_no_push_says_so(place: Place, tmp_path: Path) -> None:
    before = head(tmp_path)
    hook = tmp_path / "remote.git/hooks/pre-receive"
    hook.write_text("#!/bin/sh\necho 'main is protected' >&2\nexit 1\n")
    hook.chmod(0o755)
    with pytest.raises(Terminal, match="can't be pushed to"):
        place.write(add("b"))
    assert place.source.read().revision.digest == before == head(tmp_path)


def test_with_the_remote_away_a_commit_stands_and_is_pushed_later_also_after_a_restart(
    place: Place, tmp_path: Path
) -> None:
    place.source.read()
    with Away(tmp_path):
        done = place.write(add("b"))
        assert not done.pushed
        assert place.source.read().revision == done.revision
        place.write(add("c"))
        assert set(place.files()) == {"a.yaml", "b.yaml", "c.yaml"}
    again = at(tmp_path)
    again.source.fetch()
    assert again.source.read().revision.digest == head(tmp_path)
    assert git(tmp_path / "remote.git", "rev-list", "--count", "main") == "3"
    assert set(again.files()) == {"a.yaml", "b.yaml", "c.yaml"}
    assert again.source.fetch() is False


def test_what_waits_is_made_anew_on_top_of_what_others_have_pushed(
    place: Place, tree: WorkTree, tmp_path: Path
) -> None:
    place.source.read()
    with Away(tmp_path):
        place.write(change("a", "autostart", True), "Start a")
    push_change(tree, {"a.yaml": network("a", "  # theirs\n  autostart: false\n  domain: x.example\n")})
    assert place.source.fetch() is True
    assert shown(tmp_path, "a.yaml") == network("a", "  # theirs\n  autostart: true\n  domain: x.example\n")
    log = git(
        tmp_path / "remote.git", "log", "-1", "--format=%an|%s|%(trailers:key=Onggi-Request-Id,valueonly)", "main"
    )
    assert log == "Ada|Start a|r1"
    assert_linear(tmp_path)
    assert behind(place).rejected == ()


def test_what_contradicts_the_remote_is_kept_on_a_branch_and_told(
    place: Place, tree: WorkTree, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    place.source.read()
    with Away(tmp_path):
        place.write(change("a", "domain", "ours.example"))
        ours = place.write(add("b")).revision.digest
    theirs = network("a", "  autostart: false\n  domain: theirs.example\n")
    push_change(tree, {"a.yaml": theirs})
    with caplog.at_level(logging.WARNING):
        place.source.fetch()
    assert shown(tmp_path, "a.yaml") == theirs
    assert shown(tmp_path, "b.yaml") == network("b")
    assert place.source.read().revision.digest == head(tmp_path)
    kept = f"onggi/rejected-{ours[:12]}"
    assert "ours.example" in shown(tmp_path, "a.yaml", kept)
    assert behind(place).rejected == (ours,)
    assert kept in caplog.text
    again = at(tmp_path)
    again.source.fetch()
    assert behind(again).rejected == (ours,)


def test_a_rewritten_history_brings_nothing_back_that_it_dropped(place: Place, tree: WorkTree, tmp_path: Path) -> None:
    push_change(tree, {"dropped.yaml": network("dropped")})
    place.source.fetch()
    place.source.read()
    with Away(tmp_path):
        place.write(add("b"))
    git(tree.path, "reset", "--quiet", "--hard", "HEAD^")
    git(tree.path, "push", "--quiet", "--force", "origin", "HEAD:main")
    place.source.fetch()
    assert set(place.files()) == {"a.yaml", "b.yaml"}
    assert head(tmp_path) == place.source.read().revision.digest


def test_a_branch_that_is_gone_takes_no_waiting_commit_along(tree: WorkTree, tmp_path: Path) -> None:
    git(tree.path, "push", "--quiet", "origin", "HEAD:prod")
    place = at(tmp_path, branch="prod")
    place.source.read()
    with Away(tmp_path):
        ours = place.write(add("b")).revision.digest
    git(tree.path, "push", "--quiet", "origin", "--delete", "prod")
    with pytest.raises(Exception, match="no branch 'prod'"):
        place.source.fetch()
    assert git(behind(place).mirror(), "rev-parse", f"refs/onggi/rejected/{ours[:12]}") == ours
    git(tree.path, "push", "--quiet", "origin", "HEAD:prod")
    place.source.fetch()
    assert set(place.files()) == {"a.yaml"}
    assert behind(place).rejected == (ours,)


def test_a_source_that_takes_signed_commits_only_gets_them(tree: WorkTree, tmp_path: Path) -> None:
    signer = signing.ssh_signer(tmp_path, "agent")
    allowed = tmp_path / "allowed"
    allowed.write_text(f"* {signer.public}\n")
    signing.commit(tree, signer, {"s.yaml": network("s")})
    push(tree)
    place = at(tmp_path, signatures=SignaturePolicy("all", allowed_signers=allowed), recording=True)
    assert isinstance(place.source, VerifiedSource)
    place.source.read()
    with pytest.raises(Terminal, match=r"only signed commits: set user\.name"):
        place.write(add("b"))
    (tmp_path / "gitconfig").write_text(
        f"[user]\nname = agent\nemail = agent@example.org\nsigningKey = {tmp_path}/agent\n[gpg]\nformat = ssh\n"
    )
    done = place.write(add("b"))
    assert place.source.read().revision == done.revision
    assert git(tmp_path / "remote.git", "log", "-1", "--format=%an|%cn", "main") == "Ada|agent"
    with Away(tmp_path):
        place.write(add("c"))
        place.source.read()
    git(tree.path, "pull", "--quiet", "--rebase", "origin", "main")
    signing.commit(tree, signer, {"d.yaml": network("d")})
    push(tree)
    place.source.fetch()
    assert set(place.files()) == {"a.yaml", "b.yaml", "c.yaml", "d.yaml", "s.yaml"}
    other = signing.ssh_signer(tmp_path, "other")
    allowed.write_text(f"* {other.public}\n* {signer.public}\n")
    (tmp_path / "agent").rename(tmp_path / "lost")
    with pytest.raises(Terminal, match="can't be written"):
        place.write(remove("c"))


def test_two_writers_and_a_person_who_pushes_lose_nothing(tree: WorkTree, tmp_path: Path) -> None:
    rounds = 6
    failures: list[BaseException] = []

    def write(who: str) -> None:
        place = Place(f"file://{tmp_path}/remote.git", tmp_path / who)
        try:
            for count in range(rounds):
                place.write(add(f"{who}{count}"))
                place.write(change(f"{who}{count}", "autostart", True))
        except BaseException as error:
            failures.append(error)
        finally:
            place.source.close()

    threads = [threading.Thread(target=write, args=(who,)) for who in ("x", "y")]
    for thread in threads:
        thread.start()
    for count in range(rounds):
        tree.commit({f"p{count}.yaml": network(f"p{count}")})
        while True:
            git(tree.path, "pull", "--quiet", "--rebase", "origin", "main")
            pushed = subprocess.run(["git", "push", "-q", "origin", "HEAD:main"], cwd=tree.path, env=ENV, check=False)
            if pushed.returncode == 0:
                break
    for thread in threads:
        thread.join()
    assert failures == []
    assert git(tmp_path / "remote.git", "rev-list", "--count", "main") == str(1 + 5 * rounds)
    place = at(tmp_path)
    assert all(place.files()[f"{who}{n}.yaml"].endswith(b"autostart: true\n") for who in "xy" for n in range(rounds))
    assert all(f"p{count}.yaml" in place.files() for count in range(rounds))
    assert_linear(tmp_path)
