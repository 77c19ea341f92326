"""Being told of a commit, or of a file in a plain folder, at once."""

from __future__ import annotations

import shutil
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from reconciler.source.opening import open_source
from reconciler.source.watch import SourceWatch
from tests.source.repositories import WorkTree, eventually, git, network


class Waker:
    """Counts the calls and keeps the time of each."""

    def __init__(self) -> None:
        self.times: list[float] = []
        self.called = threading.Event()

    def __call__(self) -> None:
        self.times.append(time.perf_counter())
        self.called.set()

    def woken_by(self, change: Callable[[], object], timeout_s: float = 60.0) -> bool:
        self.called.clear()
        change()
        return self.called.wait(timeout_s)


@pytest.fixture
def tree(tmp_path: Path) -> WorkTree:
    tree = WorkTree(tmp_path / "repo")
    tree.commit({"a.yaml": network("a")})
    return tree


@pytest.fixture
def waker() -> Waker:
    return Waker()


@pytest.fixture
def watch(waker: Waker) -> Iterator[Callable[[Path], SourceWatch]]:
    started: list[SourceWatch] = []

    def start(path: Path) -> SourceWatch:
        watch = SourceWatch(open_source(str(path), state_dir=Path("/nonexistent")), waker)
        watch.start()
        started.append(watch)
        return watch

    yield start
    for one in started:
        one.stop()


Start = Callable[[Path], SourceWatch]


def quiet(waker: Waker) -> None:
    """Wait until the last burst is through, so that the next call belongs to the next change."""
    last = -1
    while last != len(waker.times):
        last = len(waker.times)
        waker.called.clear()
        waker.called.wait(0.2)


def test_a_commit_wakes_at_once(tree: WorkTree, waker: Waker, watch: Start) -> None:
    watch(tree.path)
    waits = []
    for number in range(5):
        quiet(waker)
        calls = len(waker.times)
        tree.write({"a.yaml": network(f"n{number}")})
        assert waker.woken_by(tree.commit)
        reference = (tree.path / ".git/refs/heads/main").stat().st_mtime
        waits.append((waker.times[calls] - time.perf_counter() + time.time() - reference) * 1e3)
    print("from the reference's change to the call:", ", ".join(f"{wait:.1f}" for wait in waits), "ms")


def test_a_burst_of_commits_wakes_fewer_times_and_the_last_one_is_seen(
    tree: WorkTree, waker: Waker, watch: Start
) -> None:
    source = open_source(str(tree.path), state_dir=Path("/nonexistent"))
    seen: list[str] = []
    burst = SourceWatch(source, lambda: seen.append(source.read().revision.digest))
    burst.start()
    last = [tree.commit(message=str(number)) for number in range(10)][-1]
    assert eventually(lambda: bool(seen) and seen[-1] == last)
    burst.stop()
    print(f"10 commits: woken {len(seen)} times")


def test_reading_and_editing_the_work_tree_dont_wake(tree: WorkTree, waker: Waker, watch: Start) -> None:
    watch(tree.path)
    source = open_source(str(tree.path), state_dir=Path("/nonexistent"))
    source.read()
    tree.write({"a.yaml": "edited", "b.yaml": "new"})
    git(tree.path, "status")
    assert not waker.called.wait(0.5)
    assert waker.woken_by(lambda: tree.commit())


def test_a_new_branch_a_switch_and_packed_references_wake(tree: WorkTree, waker: Waker, watch: Start) -> None:
    watch(tree.path)
    assert waker.woken_by(lambda: git(tree.path, "branch", "deep/er/branch"))
    quiet(waker)
    assert waker.woken_by(
        lambda: git(
            tree.path,
            "update-ref",
            "refs/heads/deep/er/branch",
            git(tree.path, "commit-tree", "HEAD^{tree}", "-m", "x"),
        )
    )
    quiet(waker)
    assert waker.woken_by(lambda: git(tree.path, "switch", "--quiet", "deep/er/branch"))
    quiet(waker)
    assert waker.woken_by(lambda: git(tree.path, "pack-refs", "--all"))


def test_a_push_into_a_bare_repository_and_a_commit_in_a_linked_work_tree_wake(
    tree: WorkTree, waker: Waker, watch: Start, tmp_path: Path
) -> None:
    git(tmp_path, "clone", "--quiet", "--bare", str(tree.path), "bare.git")
    bare = watch(tmp_path / "bare.git")
    tree.commit()
    assert waker.woken_by(lambda: git(tree.path, "push", "--quiet", str(tmp_path / "bare.git"), "HEAD"))
    bare.stop()
    linked = tmp_path / "linked"
    git(tree.path, "worktree", "add", "--quiet", "-b", "side", str(linked))
    watch(linked)
    quiet(waker)
    assert waker.woken_by(lambda: git(linked, "commit", "--quiet", "--allow-empty", "-m", "side"))
    quiet(waker)
    assert waker.woken_by(lambda: git(linked, "checkout", "--quiet", "--detach"))


def test_a_plain_folder_wakes_for_every_change_in_it(tmp_path: Path, waker: Waker, watch: Start) -> None:
    folder = tmp_path / "documents"
    (folder / "deep").mkdir(parents=True)
    watch(folder)
    changes: list[Callable[[], object]] = [
        lambda: (folder / "a.yaml").write_text(network("a")),
        lambda: (folder / "deep/b.yaml").write_text(network("b")),
        lambda: (folder / "a.yaml").rename(folder / "c.yaml"),
        lambda: (folder / "c.yaml").unlink(),
        lambda: shutil.move(folder / "deep", folder / "deeper"),
    ]
    for change in changes:
        assert waker.woken_by(change)
        quiet(waker)


def test_a_source_that_is_deleted_and_made_again_is_watched_again(tree: WorkTree, waker: Waker, watch: Start) -> None:
    watch(tree.path)
    assert waker.woken_by(lambda: shutil.rmtree(tree.path))
    quiet(waker)
    again = WorkTree(tree.path)
    waker.called.clear()
    again.commit({"b.yaml": network("b")})
    assert waker.called.wait(60)
    # From here on the new repository's own events arrive, at once.
    assert eventually(lambda: _wakes_quickly(again, waker))


def _wakes_quickly(tree: WorkTree, waker: Waker) -> bool:
    quiet(waker)
    return waker.woken_by(lambda: tree.commit(), timeout_s=0.5)


def test_stop_is_clean_and_a_remote_has_nothing_to_watch(tree: WorkTree, waker: Waker, tmp_path: Path) -> None:
    before = threading.active_count()
    watch = SourceWatch(open_source(str(tree.path), state_dir=tmp_path), waker)
    watch.start()
    watch.stop()
    watch.stop()
    assert threading.active_count() == before
    tree.commit()
    assert not waker.called.wait(0.2)
    remote = SourceWatch(open_source(f"file://{tree.path}", state_dir=tmp_path), waker)
    remote.start()
    assert threading.active_count() == before
    remote.stop()
