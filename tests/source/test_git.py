"""A repository on this machine: commits count, and nothing else does."""

from __future__ import annotations

import os
import shutil
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from reconciler.errors import SourceError
from reconciler.source import limits
from reconciler.source.opening import open_source
from reconciler.source.source import Source
from tests.source.repositories import WorkTree, git, network

IDENTITY = "apiVersion: onggi/v1\nrepositoryId: 0c2a8c3e-64a5-4d5a-9a51-9f6a8b1f3d55\n"


@pytest.fixture
def tree(tmp_path: Path) -> WorkTree:
    return WorkTree(tmp_path / "repo")


@pytest.fixture
def opened(tmp_path: Path) -> Iterator[list[Source]]:
    sources: list[Source] = []
    yield sources
    for source in sources:
        source.close()


def paths(source: Source) -> list[str]:
    return [file.path for file in source.read().files]


def open_at(where: Path | str, **options: str) -> Source:
    return open_source(str(where), state_dir=Path("/nonexistent"), **options)


def test_commits_are_seen_and_work_tree_edits_are_not(tree: WorkTree) -> None:
    commit = tree.commit({"a.yaml": network("a")})
    source = open_at(tree.path)
    assert str(source.read().revision) == f"main@sha1:{commit}"
    tree.write({"a.yaml": network("edited"), "b.yaml": network("b")})
    assert [file.content.decode() for file in source.read().files] == [network("a")]
    commit = tree.commit()
    assert source.read().revision.digest == commit
    assert paths(source) == ["a.yaml", "b.yaml"]


def test_without_news_the_same_tree_is_handed_out(tree: WorkTree) -> None:
    tree.commit({"a.yaml": network("a"), "x/b.yml": network("b")})
    source = open_at(tree.path)
    first = source.read()
    assert source.read() is first
    tree.commit(message="empty")
    second = source.read()
    assert second.revision != first.revision
    assert all(old is new for old, new in zip(first.files, second.files, strict=True))


def test_only_what_changed_is_read_again(tree: WorkTree) -> None:
    tree.commit({f"d{i}/f{j}.yaml": network(f"n{i}-{j}") for i in range(3) for j in range(3)})
    source = open_at(tree.path)
    before = {file.path: file for file in source.read().files}
    tree.commit({"d1/f1.yaml": network("new"), "d2/f2.yaml": None})
    after = {file.path: file for file in source.read().files}
    assert set(before) - set(after) == {"d2/f2.yaml"}
    assert [path for path, file in after.items() if before[path] is not file] == ["d1/f1.yaml"]


def test_a_bare_repository_and_a_linked_work_tree(tree: WorkTree, tmp_path: Path) -> None:
    commit = tree.commit({"a.yaml": network("a")})
    git(tmp_path, "clone", "--quiet", "--bare", str(tree.path), "bare.git")
    assert open_at(tmp_path / "bare.git").read().revision.digest == commit
    git(tree.path, "worktree", "add", "--quiet", "-b", "side", str(tmp_path / "linked"))
    linked = open_at(tmp_path / "linked")
    assert str(linked.read().revision) == f"side@sha1:{commit}"
    (tmp_path / "linked" / "b.yaml").write_text(network("b"))
    git(tmp_path / "linked", "add", "b.yaml")
    git(tmp_path / "linked", "commit", "--quiet", "-m", "side")
    assert paths(linked) == ["a.yaml", "b.yaml"]
    assert paths(open_at(tree.path)) == ["a.yaml"]


def test_a_branch_and_a_folder_can_be_chosen(tree: WorkTree) -> None:
    tree.commit({"hosts/north/a.yaml": network("a"), "hosts/south/b.yaml": network("b"), "onggi.yaml": IDENTITY})
    git(tree.path, "switch", "--quiet", "-c", "next/one")
    tree.commit({"hosts/north/c.yaml": network("c")})
    assert paths(open_at(tree.path, branch="main", path="hosts/north")) == ["hosts/north/a.yaml"]
    chosen = open_at(tree.path, branch="next/one", path="./hosts//north/")
    assert paths(chosen) == ["hosts/north/a.yaml", "hosts/north/c.yaml"]
    assert chosen.read().revision.branch == "next/one"
    assert chosen.read().repository_id == "0c2a8c3e-64a5-4d5a-9a51-9f6a8b1f3d55"
    assert paths(open_at(tree.path / "hosts", path="south")) == ["hosts/south/b.yaml"]
    assert open_at(tree.path / "hosts").key == open_at(tree.path).key == str(tree.path)


def test_a_detached_head_is_read(tree: WorkTree) -> None:
    commit = tree.commit({"a.yaml": network("a")})
    tree.commit({"b.yaml": network("b")})
    git(tree.path, "checkout", "--quiet", commit)
    assert str(open_at(tree.path).read().revision) == f"HEAD@sha1:{commit}"


def test_rewritten_history_is_followed(tree: WorkTree) -> None:
    first = tree.commit({"a.yaml": network("a")})
    tree.commit({"b.yaml": network("b")})
    source = open_at(tree.path)
    assert paths(source) == ["a.yaml", "b.yaml"]
    git(tree.path, "reset", "--quiet", "--hard", first)
    git(tree.path, "reflog", "expire", "--expire=now", "--all")
    git(tree.path, "gc", "--quiet", "--prune=now")
    assert paths(source) == ["a.yaml"]


def test_an_empty_repository_says_what_to_do(tree: WorkTree) -> None:
    with pytest.raises(SourceError, match="no commit on its branch 'main' yet; commit the documents there first"):
        open_at(tree.path).read()


def test_a_branch_that_is_gone_names_the_others(tree: WorkTree) -> None:
    tree.commit({"a.yaml": network("a")})
    git(tree.path, "branch", "prod")
    source = open_at(tree.path, branch="prod")
    assert paths(source) == ["a.yaml"]
    git(tree.path, "branch", "--delete", "--force", "prod")
    with pytest.raises(SourceError, match=r"no branch 'prod'; .* --branch: main"):
        source.read()
    git(tree.path, "branch", "prod")
    assert paths(source) == ["a.yaml"]


def test_a_repository_that_is_replaced_is_read_anew(tree: WorkTree, tmp_path: Path) -> None:
    tree.commit({"a.yaml": network("a")})
    source = open_at(tree.path)
    source.read()
    shutil.move(tree.path, tmp_path / "away")
    with pytest.raises(SourceError, match="any more; put it back"):
        source.read()
    WorkTree(tree.path).commit({"b.yaml": network("b")})
    assert paths(source) == ["b.yaml"]


@pytest.mark.parametrize("path", ["../x", "/etc", "a/../..", "a\nb"])
def test_a_path_that_leaves_the_repository_is_refused(tree: WorkTree, path: str) -> None:
    with pytest.raises(SourceError, match="leaves the repository"):
        open_at(tree.path, path=path)


def test_a_path_that_isnt_a_folder_is_told(tree: WorkTree) -> None:
    tree.commit({"a.yaml": network("a")})
    (tree.path / "link").symlink_to("/etc")
    tree.commit()
    with pytest.raises(SourceError, match="no folder 'vms'"):
        open_at(tree.path, path="vms").read()
    for name in ("a.yaml", "link"):
        with pytest.raises(SourceError, match="isn't a folder"):
            open_at(tree.path, path=name).read()


def test_nothing_there_or_a_file_is_told(tmp_path: Path) -> None:
    with pytest.raises(SourceError, match="nothing at"):
        open_at(tmp_path / "nowhere")
    (tmp_path / "file").write_text("")
    with pytest.raises(SourceError, match="isn't a folder"):
        open_at(tmp_path / "file")


def test_links_and_submodules_are_refused_and_hidden_files_skipped(tree: WorkTree) -> None:
    (tree.path / "secret.yaml").symlink_to("/etc/shadow")
    (tree.path / "folder").symlink_to("/etc")
    tree.write({"a.yaml": network("a"), ".hidden.yaml": "x", ".github/w.yaml": "x", "README.md": "x"})
    head = tree.commit()
    git(tree.path, "update-index", "--add", "--cacheinfo", f"160000,{head},modules/other")
    git(tree.path, "commit", "--quiet", "-m", "submodule")
    read = open_at(tree.path).read()
    assert [file.path for file in read.files] == ["a.yaml"]
    found = {problem.path: problem.message for problem in read.problems}
    assert set(found) == {"secret.yaml", "folder", "modules/other"}
    assert "symbolic link" in found["secret.yaml"]
    assert "submodule" in found["modules/other"]


def test_a_huge_file_is_refused_by_its_header(tree: WorkTree, monkeypatch: pytest.MonkeyPatch) -> None:
    tree.commit({"a.yaml": network("a"), "huge.yaml": b"#" * (100 << 20)})
    started = time.perf_counter()
    read = open_at(tree.path).read()
    print(f"read beside a 100 MiB file: {(time.perf_counter() - started) * 1e3:.1f} ms")
    assert [file.path for file in read.files] == ["a.yaml"]
    assert [problem.path for problem in read.problems] == ["huge.yaml"]
    assert "104857600 bytes" in read.problems[0].message


def test_hostile_names_are_refused_in_one_printable_line(tree: WorkTree) -> None:
    tree.commit({"onggi.yaml": IDENTITY})
    blob = tree.blob(network("a").encode())
    inner = git(tree.path, "mktree", "-z", stdin=f"100644 blob {blob}\t".encode() + b"x.yaml\0")
    names = [
        b"a\nb.yaml",
        b"\xff.yaml",
        "\N{RIGHT SINGLE QUOTATION MARK}.yaml".encode(),
        b"-rf.yaml",
        b"$(x).yaml",
        b"\x1b[2J.yaml",
    ]
    entries = [("100644", blob, name) for name in names] + [("040000", inner, b"d\xe9")]
    tree.commit_entries(entries)
    read = open_at(tree.path).read()
    assert [file.path for file in read.files] == ["$(x).yaml", "-rf.yaml", "\N{RIGHT SINGLE QUOTATION MARK}.yaml"]
    assert [problem.path for problem in read.problems] == [r"\x1b[2J.yaml", r"a\x0ab.yaml", r"d\xe9", r"\xff.yaml"]


def test_too_many_files_or_a_tree_bomb_are_refused(tree: WorkTree, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(limits, "_max_files", 500)
    blob = tree.blob(b"")
    listing = b"".join(f"100644 blob {blob}\tf{i}.yaml".encode() + b"\0" for i in range(501))
    commit = git(tree.path, "commit-tree", git(tree.path, "mktree", "-z", stdin=listing), "-m", "many")
    git(tree.path, "update-ref", "refs/heads/many", commit)
    with pytest.raises(SourceError, match="more than 500 YAML files; raise --max-files"):
        open_at(tree.path, branch="many").read()
    limits.allow(501)
    assert len(open_at(tree.path, branch="many").read().files) == 501
    limits.allow(500)
    oid = git(tree.path, "mktree", "-z", stdin=f"100644 blob {blob}\tf".encode() + b"\0")
    for _ in range(10):
        oid = git(
            tree.path, "mktree", "-z", stdin=b"".join(f"040000 tree {oid}\td{i}".encode() + b"\0" for i in range(10))
        )
    git(tree.path, "update-ref", "refs/heads/bomb", git(tree.path, "commit-tree", oid, "-m", "bomb"))
    with pytest.raises(SourceError, match="more than 12500 files and folders; raise --max-files"):
        open_at(tree.path, branch="bomb").read()


def test_the_repository_id_comes_from_the_root_and_a_bad_one_is_a_problem(tree: WorkTree) -> None:
    tree.commit({"onggi.yaml": IDENTITY, "a.yaml": network("a")})
    source = open_at(tree.path)
    assert source.read().repository_id == "0c2a8c3e-64a5-4d5a-9a51-9f6a8b1f3d55"
    assert paths(source) == ["a.yaml"]
    tree.commit({"onggi.yaml": "apiVersion: onggi/v1\nrepositoryId: mine\nname: x\n"})
    read = source.read()
    assert read.repository_id == ""
    assert [(p.path, p.line, p.column) for p in read.problems] == [("onggi.yaml", 2, 15), ("onggi.yaml", 3, 1)]


def test_another_users_repository_is_read_but_not_one_planted_in_a_parent(public_folder: Path) -> None:
    tree = WorkTree(public_folder / "shared")
    tree.commit({"a.yaml": network("a")})
    for folder, _, names in os.walk(tree.path):
        for name in (".", *names):
            os.chown(Path(folder) / name, 65534, 65534)
    source = open_at(tree.path)
    assert paths(source) == ["a.yaml"]
    source.close()
    mine = tree.path / "mine"
    mine.mkdir()
    with pytest.raises(SourceError, match="repository of another user"):
        open_at(mine)


def test_one_changed_file_of_a_thousand_is_cheap(tree: WorkTree) -> None:
    tree.commit({f"d{i}/f{j}.yaml": network(f"n{i}-{j}") for i in range(10) for j in range(100)})
    source = open_at(tree.path)
    started = time.perf_counter()
    source.read()
    cold = time.perf_counter() - started
    tree.commit({"d3/f7.yaml": network("new")})
    started = time.perf_counter()
    read = source.read()
    print(f"1000 files: cold {cold * 1e3:.1f} ms, one changed {(time.perf_counter() - started) * 1e3:.2f} ms")
    assert len(read.files) == 1000
