"""Writing to repositories on this machine: the branch, the files and the index, whoever else is at work there."""

from __future__ import annotations

import os
import subprocess
import sys
import threading
from pathlib import Path

import pytest

from reconciler.errors import Conflict, InvalidDocument, NotFound, SourceError, Transient
from reconciler.source.commit_text import Author
from reconciler.writing import work_tree
from reconciler.writing.changes import Put
from specs.reference import Ref
from tests.source.repositories import ENV, WorkTree, git, network

from .writers import Place, add, change, net, new, once_before, remove


@pytest.fixture(autouse=True)
def own_git_configuration(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GIT_CONFIG_NOSYSTEM", "1")
    monkeypatch.setenv("GIT_CONFIG_GLOBAL", str(tmp_path / "gitconfig"))


@pytest.fixture
def tree(tmp_path: Path) -> WorkTree:
    tree = WorkTree(tmp_path / "work")
    tree.commit({"networks/a.yaml": network("a"), "README": "ours\n"})
    return tree


@pytest.fixture
def place(tree: WorkTree, tmp_path: Path) -> Place:
    return Place(str(tree.path), tmp_path / "state")


def status(tree: WorkTree) -> str:
    return git(tree.path, "status", "--porcelain")


def assert_linear(folder: Path) -> None:
    assert git(folder, "rev-list", "--min-parents=2", "main") == ""
    git(folder, "fsck", "--strict")


def test_a_write_is_a_commit_in_the_users_name_and_the_files_follow(tree: WorkTree, place: Place) -> None:
    before = git(tree.path, "rev-parse", "HEAD")
    done = place.write(add("b"), "Make b")
    assert done.changed == ("networks/b.yaml",)
    assert done.revision.digest == git(tree.path, "rev-parse", "HEAD")
    assert git(tree.path, "rev-parse", "HEAD^") == before
    assert git(tree.path, "log", "-1", "--format=%an <%ae>|%s") == "Ada <ada@example.org>|Make b"
    trailers = git(tree.path, "log", "-1", "--format=%(trailers)")
    assert trailers.splitlines() == ["Onggi-Request-Id: r1", "Onggi-Source: api"]
    assert (tree.path / "networks/b.yaml").read_text() == network("b")
    assert status(tree) == ""
    assert place.source.read().revision == done.revision


def test_only_the_line_that_differs_is_in_the_diff(tree: WorkTree, place: Place) -> None:
    tree.commit({"networks/a.yaml": network("a", "  # keep me\n  autostart: true  # and me\n")})
    place.write(change("a", "autostart", False))
    diff = git(tree.path, "diff", "-U0", "HEAD^", "HEAD").splitlines()[5:]
    assert diff == ["-  autostart: true  # and me", "+  autostart: false # and me"]


def test_nothing_is_committed_when_nothing_differs(tree: WorkTree, place: Place) -> None:
    before = git(tree.path, "rev-parse", "HEAD")
    done = place.write(change("a", "mode", "isolated"))
    assert (done.changed, done.revision.digest) == ((), before)
    assert git(tree.path, "rev-parse", "HEAD") == before


def test_a_removed_document_takes_its_file_and_an_empty_folder_along(tree: WorkTree, place: Place) -> None:
    place.write(remove("a"))
    assert not (tree.path / "networks").exists()
    assert status(tree) == ""
    assert git(tree.path, "ls-files") == "README"


def test_a_renamed_document_keeps_its_comments(tree: WorkTree, place: Place) -> None:
    uid = "0c2a8c3e-64a5-4d5a-9a51-9f6a8b1f3d55"
    tree.commit({"networks/a.yaml": network("a").replace("  name: a\n", f"  name: a   # ours\n  uid: {uid}\n")})
    renamed = new("b")
    renamed["metadata"]["uid"] = uid
    place.write(lambda _: [*remove("a")(_), Put(net("b"), renamed)])
    assert "  name: b   # ours\n" in (tree.path / "networks/a.yaml").read_text()


def test_a_document_without_an_identity_keeps_its_comments_when_the_change_says_what_it_was(
    tree: WorkTree, place: Place
) -> None:
    both = f"# the first\n{network('a')}---\n# the second\n{network('c')}"
    tree.commit({"networks/a.yaml": both.replace("  name: a\n", "  name: a   # ours\n")})
    place.write(lambda _: [Put(net("b"), new("b"), was=net("a"))])
    text = (tree.path / "networks/a.yaml").read_text()
    assert text == both.replace("  name: a\n", "  name: b   # ours\n")
    assert place.write(lambda _: [Put(net("b"), new("b"), was=net("a"))]).changed == ()  # done already
    place.write(lambda _: [*remove("b")(_), Put(net("d"), new("d"), was=net("b"))])  # saying both is no contradiction
    assert "  name: d   # ours\n" in (tree.path / "networks/a.yaml").read_text()


@pytest.mark.parametrize("how", ["staged", "unstaged", "both"])
def test_a_file_with_edits_is_never_overwritten(tree: WorkTree, place: Place, how: str) -> None:
    before = git(tree.path, "rev-parse", "HEAD")
    edited = network("a", "  # mine\n")
    tree.write({"networks/a.yaml": edited})
    if how != "unstaged":
        git(tree.path, "add", "--all")
    if how == "staged":
        tree.write({"networks/a.yaml": network("a")})
    for edit in (change("a", "autostart", True), remove("a")):
        with pytest.raises(Conflict, match=r"aren't committed in networks/a\.yaml"):
            place.write(edit)
    assert git(tree.path, "rev-parse", "HEAD") == before
    assert (tree.path / "networks/a.yaml").read_text() == (network("a") if how == "staged" else edited)
    assert place.write(add("b")).changed == ("networks/b.yaml",)
    assert "networks/b.yaml" not in status(tree)


def test_an_untracked_file_in_the_way_is_never_overwritten(tree: WorkTree, place: Place) -> None:
    tree.write({"networks/b.yaml": "# mine\n"})
    with pytest.raises(Conflict, match=r"networks/b\.yaml"):
        place.write(add("b"))
    assert (tree.path / "networks/b.yaml").read_text() == "# mine\n"


def test_a_link_in_a_folders_place_leads_nowhere(tree: WorkTree, place: Place, tmp_path: Path) -> None:
    (tmp_path / "elsewhere").mkdir()
    (tree.path / "vms").symlink_to(tmp_path / "elsewhere")
    machine = {"apiVersion": "onggi/v1", "kind": "VirtualMachine", "metadata": {"name": "m"}, "spec": {"memory": 512}}
    with pytest.raises(Conflict, match=r"vms/m\.yaml"):
        place.write(lambda _: [Put(Ref("VirtualMachine", "m"), machine)])
    assert list((tmp_path / "elsewhere").iterdir()) == []


def test_an_unfinished_merge_and_a_detached_head_are_conflicts(tree: WorkTree, place: Place) -> None:
    head = git(tree.path, "rev-parse", "HEAD")
    (tree.path / ".git/MERGE_HEAD").write_text(head)
    with pytest.raises(Conflict, match="merge is under way"):
        place.write(add("b"))
    (tree.path / ".git/MERGE_HEAD").unlink()
    git(tree.path, "checkout", "--quiet", "--detach")
    with pytest.raises(Conflict, match="no branch checked out"):
        place.write(add("b"))
    assert git(tree.path, "rev-parse", "HEAD", "main").split() == [head, head]


def test_a_branch_that_is_not_checked_out_moves_alone(tree: WorkTree, tmp_path: Path) -> None:
    git(tree.path, "branch", "prod")
    place = Place(str(tree.path), tmp_path / "state", branch="prod")
    tree.write({"networks/b.yaml": "# mine\n"})
    done = place.write(add("b"))
    assert git(tree.path, "rev-parse", "prod") == done.revision.digest
    assert (tree.path / "networks/b.yaml").read_text() == "# mine\n"
    git(tree.path, "branch", "--quiet", "-D", "prod")
    with pytest.raises(SourceError, match="no branch 'prod'"):
        place.write(add("c"))


def test_a_linked_work_tree_follows_and_its_repository_too(tree: WorkTree, tmp_path: Path) -> None:
    linked = tmp_path / "linked"
    git(tree.path, "worktree", "add", "--quiet", "-b", "side", str(linked))
    for place in (Place(str(linked), tmp_path / "s1"), Place(str(tree.path), tmp_path / "s2", branch="side")):
        name = f"n{len(place.files())}"
        place.write(add(name))
        assert (linked / f"networks/{name}.yaml").is_file()
        assert git(linked, "status", "--porcelain") == ""
    assert not (tree.path / "networks/n1.yaml").exists()
    assert git(linked, "rev-list", "--count", "side") == "3"


def test_a_bare_repository_is_written(tree: WorkTree, tmp_path: Path) -> None:
    git(tmp_path, "clone", "--quiet", "--bare", str(tree.path), "bare.git")
    place = Place(str(tmp_path / "bare.git"), tmp_path / "state")
    place.write(add("b"))
    assert git(tmp_path / "bare.git", "show", "main:networks/b.yaml") == network("b").strip()
    assert_linear(tmp_path / "bare.git")


def test_new_documents_go_below_the_sub_path(tree: WorkTree, tmp_path: Path) -> None:
    tree.commit({"hosts/north/x.yaml": network("x")})
    place = Place(str(tree.path), tmp_path / "state", path="hosts/north")
    pool = {
        "apiVersion": "onggi/v1",
        "kind": "StoragePool",
        "metadata": {"name": "p"},
        "spec": {"type": "dir", "path": "/p"},
    }
    volume = {
        "apiVersion": "onggi/v1", "kind": "StorageVolume", "metadata": {"name": "v.img"},
        "spec": {"pool": "p", "capacity": "1GiB"},
    }  # fmt: skip
    done = place.write(
        lambda _: [
            Put(net("y"), new("y")), Put(Ref("StoragePool", "p"), pool), Put(Ref.volume("p", "v.img"), volume),
        ]
    )  # fmt: skip
    assert done.changed == ("hosts/north/pools/p.yaml", "hosts/north/volumes/p/v.img.yaml", "hosts/north/y.yaml")


def test_what_cannot_be_a_document_is_refused_with_every_mistake(tree: WorkTree, place: Place) -> None:
    before = git(tree.path, "rev-parse", "HEAD")
    with pytest.raises(InvalidDocument) as refused:
        place.write(add("b", mode="sideways", colour="blue"))
    assert {problem.pointer for problem in refused.value.problems} == {"/spec/mode", "/spec/colour"}
    with pytest.raises(InvalidDocument, match="correct its kind and its name"):
        place.write(lambda _: [Put(net("b"), new("c"))])
    uid = "0c2a8c3e-64a5-4d5a-9a51-9f6a8b1f3d55"
    with_uid, other = new("b"), new("c")
    with_uid["metadata"]["uid"] = other["metadata"]["uid"] = uid
    with pytest.raises(InvalidDocument, match="used more than once"):
        place.write(lambda _: [Put(net("b"), with_uid), Put(net("c"), other)])
    with pytest.raises(InvalidDocument):
        place.write(lambda _: [Put(net("../x"), new("../x"))])
    assert git(tree.path, "rev-parse", "HEAD") == before
    assert status(tree) == ""


def test_a_mistake_that_was_there_already_keeps_nobody_from_writing(tree: WorkTree, place: Place) -> None:
    tree.commit({"networks/bad.yaml": network("bad", "  colour: blue\n"), "broken.yaml": "kind: [\n"})
    assert place.write(add("b")).changed == ("networks/b.yaml",)
    with pytest.raises(InvalidDocument, match="colour"):
        place.write(change("bad", "autostart", True))


def test_a_document_that_is_declared_twice_or_unreadable_is_left_to_a_person(tree: WorkTree, place: Place) -> None:
    tree.commit({"x.yaml": network("x"), "y.yaml": network("x"), "z.yaml": network("z", "  a: 1.5\n")})
    with pytest.raises(Conflict, match="declared more than once"):
        place.write(change("x", "autostart", True))
    with pytest.raises(Conflict, match=r"z\.yaml, which has a mistake"):
        place.write(add("z"))


def test_an_edit_that_raises_writes_nothing(tree: WorkTree, place: Place) -> None:
    def edit(_: object) -> list[Put]:
        raise NotFound("There is no such network.")

    with pytest.raises(NotFound):
        place.write(edit)
    assert git(tree.path, "rev-list", "--count", "main") == "1"


def test_another_commit_meanwhile_is_built_upon(tree: WorkTree, place: Place) -> None:
    tree.commit({"networks/a.yaml": network("a", "  autostart: true\n")})
    meanwhile = network("a", "  autostart: true\n  active: true\n")
    place.write(once_before(change("a", "autostart", False), lambda: tree.commit({"networks/a.yaml": meanwhile})))
    assert (tree.path / "networks/a.yaml").read_text() == network("a", "  autostart: false\n  active: true\n")
    assert git(tree.path, "rev-list", "--count", "main") == "4"
    assert_linear(tree.path)


@pytest.mark.parametrize("theirs", [network("a", "  autostart: false\n  active: false\n"), None])
def test_the_same_field_meanwhile_is_a_conflict(tree: WorkTree, place: Place, theirs: str | None) -> None:
    tree.commit({"networks/a.yaml": network("a", "  autostart: false\n")})
    edit = once_before(change("a", "active", True), lambda: tree.commit({"networks/a.yaml": theirs}))
    with pytest.raises(Conflict, match="at the same moment"):
        place.write(edit)
    assert git(tree.path, "rev-list", "--count", "main") == "3"
    assert status(tree) == ""


def test_who_and_why_cannot_forge_a_commits_header(tree: WorkTree, place: Place) -> None:
    author = Author("Eve <root@x>\nparent 0000\x1b[2J", "e ve>@x\ncommitter Root <r@x>")
    message = "Hello\n\nOnggi-Source: cli\nSigned-off-by: root\x00\u202e"
    place.writer.write(add("b"), message=message, author=author, trailers={"Onggi-Source": "api\nOnggi-Source: cli\r"})
    raw = git(tree.path, "cat-file", "commit", "HEAD")
    assert [line.partition(" ")[0] for line in raw.partition("\n\n")[0].splitlines()] == [
        "tree", "parent", "author", "committer",
    ]  # fmt: skip
    assert git(tree.path, "log", "-1", "--format=%(trailers:key=Onggi-Source,valueonly)") == "api Onggi-Source: cli"
    assert git(tree.path, "log", "-1", "--format=%(trailers:key=Signed-off-by)") == ""
    assert Author("<>", "\n") == Author("", "")


def test_a_lock_that_another_git_holds_is_waited_for_and_then_told(
    tree: WorkTree, place: Place, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(work_tree, "_LOCK_S", 0.05)
    monkeypatch.setattr("reconciler.writing.commits._LOCK_S", 0.05)
    for lock in (tree.path / ".git/index.lock", tree.path / ".git/refs/heads/main.lock"):
        lock.touch()
        with pytest.raises(Transient, match="nother git"):
            place.write(add("b"))
        assert lock.exists()
        lock.unlink()
        assert status(tree) == ""
    place.write(add("b"))
    assert sorted(path.name for path in (tree.path / "networks").iterdir()) == ["a.yaml", "b.yaml"]


def test_hooks_do_not_run(tree: WorkTree, place: Place, tmp_path: Path) -> None:
    for name in ("pre-commit", "commit-msg", "post-commit", "reference-transaction", "post-checkout"):
        hook = tree.path / ".git/hooks" / name
        hook.parent.mkdir(exist_ok=True)
        hook.write_text(f"#!/bin/sh\ntouch {tmp_path}/ran\n")
        hook.chmod(0o755)
    place.write(add("b"))
    assert not (tmp_path / "ran").exists()


def test_line_ends_that_git_converts_are_no_edits(tree: WorkTree, place: Place) -> None:
    git(tree.path, "config", "core.autocrlf", "true")
    (tree.path / "networks/a.yaml").unlink()
    git(tree.path, "checkout", "--quiet", "networks/a.yaml")
    assert b"\r\n" in (tree.path / "networks/a.yaml").read_bytes()
    place.write(change("a", "autostart", True))
    assert b"  autostart: true\r\n" in (tree.path / "networks/a.yaml").read_bytes()
    assert status(tree) == ""
    assert "\r" not in git(tree.path, "show", "HEAD:networks/a.yaml")


CRASH = """
import os, sys
from pathlib import Path
from reconciler.source.opening import open_source
from reconciler.writing import work_tree, inside
from reconciler.writing.commits import Commits
from reconciler.source.commit_text import Author
from reconciler.writing.opening import open_writer
sys.path.insert(0, sys.argv[3])
from tests.writing.writers import add, change, remove
where = sys.argv[2]
if where == "before the branch moves":
    Commits.move = lambda *_: os._exit(9)
elif where == "before the files follow":
    work_tree.WorkTree.finish = lambda *_: os._exit(9)
else:
    Path.rename = lambda *_: os._exit(9)
edit = lambda documents: [*add("b")(documents), *change("a", "autostart", True)(documents), *remove("c")(documents)]
writer = open_writer(open_source(sys.argv[1], state_dir=Path(sys.argv[1]).parent))
writer.write(edit, message="Change", author=Author("Ada", "ada@example.org"), trailers={})
"""


@pytest.mark.parametrize("where", ["before the branch moves", "before the files follow", "before the index follows"])
def test_after_a_crash_the_next_start_finishes_what_was_begun(tree: WorkTree, tmp_path: Path, where: str) -> None:
    tree.commit({"networks/c.yaml": network("c"), "networks/d.yaml": network("d")})
    command = [sys.executable, "-c", CRASH, str(tree.path), where, str(Path(__file__).parents[2])]
    assert subprocess.run(command, env=os.environ | ENV, check=False).returncode == 9
    moved = git(tree.path, "rev-list", "--count", "main") == "3"
    assert moved == (where != "before the branch moves")
    tree.write({"networks/d.yaml": network("d", "  # mine\n")})
    Place(str(tree.path), tmp_path / "state").write(add("e"))
    assert status(tree) == "M networks/d.yaml"
    assert (tree.path / "networks/b.yaml").exists() == moved
    assert (tree.path / "networks/c.yaml").exists() != moved
    assert ("autostart" in (tree.path / "networks/a.yaml").read_text()) == moved
    assert [path.name for path in (tree.path / "networks").iterdir() if path.name.startswith(".")] == []
    assert not (tree.path / ".git/index.lock").exists()


def test_an_edit_after_a_crash_stays(tree: WorkTree, tmp_path: Path) -> None:
    tree.commit({"networks/c.yaml": network("c")})
    command = [sys.executable, "-c", CRASH, str(tree.path), "before the files follow", str(Path(__file__).parents[2])]
    assert subprocess.run(command, env=os.environ | ENV, check=False).returncode == 9
    tree.write({"networks/a.yaml": network("a", "  # mine\n")})
    place = Place(str(tree.path), tmp_path / "state")
    assert (tree.path / "networks/a.yaml").read_text() == network("a", "  # mine\n")
    with pytest.raises(Conflict, match=r"networks/a\.yaml"):
        place.write(change("a", "active", True))


def test_two_writers_and_a_person_lose_nothing(tree: WorkTree, tmp_path: Path) -> None:
    git(tmp_path, "clone", "--quiet", "--bare", str(tree.path), "bare.git")
    bare = tmp_path / "bare.git"
    git(tree.path, "remote", "add", "origin", str(bare))
    rounds = 12

    def write(who: str) -> None:
        place = Place(str(bare), tmp_path / who)  # another process, in effect: nothing is shared
        for count in range(rounds):
            place.write(add(f"{who}{count}"))

    threads = [threading.Thread(target=write, args=(who,)) for who in ("x", "y")]
    for thread in threads:
        thread.start()
    for count in range(rounds):
        tree.commit({f"p{count}.yaml": network(f"p{count}")})
        while True:
            git(tree.path, "pull", "--quiet", "--rebase", "origin", "main")
            if (
                subprocess.run(["git", "push", "-q", "origin", "main"], cwd=tree.path, env=ENV, check=False).returncode
                == 0
            ):
                break
    for thread in threads:
        thread.join()
    names = set(git(bare, "ls-tree", "-r", "--name-only", "main").splitlines())
    assert len(names) == 2 + 3 * rounds
    assert git(bare, "rev-list", "--count", "main") == str(1 + 3 * rounds)
    assert_linear(bare)


FULL = """
import resource, sys
from pathlib import Path
sys.path.insert(0, sys.argv[2])
from reconciler.errors import SourceError
from tests.writing.writers import Place, add, change
place = Place(sys.argv[1], Path(sys.argv[1]).parent / "state")
place.source.read()
resource.setrlimit(resource.RLIMIT_FSIZE, (int(sys.argv[3]), resource.RLIM_INFINITY))
try:
    place.write(lambda documents: [*add("b")(documents), *change("a", "autostart", True)(documents)])
except SourceError as error:
    print(error)
"""


@pytest.mark.parametrize("room", [0, 70, 120, 400])
def test_a_full_disk_leaves_nothing_half_written(tree: WorkTree, room: int) -> None:
    before = git(tree.path, "rev-parse", "HEAD")
    command = [sys.executable, "-c", FULL, str(tree.path), str(Path(__file__).parents[2]), str(room)]
    done = subprocess.run(command, env=os.environ | ENV, check=True, capture_output=True, text=True)
    if "free some space" in done.stdout:
        assert git(tree.path, "rev-parse", "HEAD") == before
        assert (tree.path / "networks/a.yaml").read_text() == network("a")
    else:
        assert room == 400
    assert status(tree) == ""
    assert list((tree.path / "networks").glob(".*")) == []
    assert not (tree.path / ".git/index.lock").exists()
    git(tree.path, "fsck")


@pytest.mark.skipif(os.geteuid() != 0, reason="only root writes in somebody else's repository")
def test_what_root_writes_belongs_to_whom_the_repository_does(public_folder: Path, tmp_path: Path) -> None:
    tree = WorkTree(public_folder / "repo")
    tree.commit({"a.yaml": network("a")})
    for path in (tree.path, *tree.path.rglob("*")):
        os.lchown(path, 1234, 1234)
    machine = {"apiVersion": "onggi/v1", "kind": "VirtualMachine", "metadata": {"name": "m"}, "spec": {"memory": 512}}
    place = Place(str(tree.path), tmp_path / "state")
    place.write(lambda _: [*add("b")(_), Put(Ref("VirtualMachine", "m"), machine)])
    place.source.close()
    assert (tree.path / "vms/m.yaml").is_file()
    assert {path.lstat().st_uid for path in (tree.path, *tree.path.rglob("*"))} == {1234}
