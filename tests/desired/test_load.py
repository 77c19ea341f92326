"""Loading: what is good is taken, what isn't is told and held."""

from __future__ import annotations

from reconciler.desired.load import Loader
from reconciler.source import files
from specs.reference import Ref
from tests.desired.documents import document, together, tree_of, vm

WEB, DB = Ref("VirtualMachine", "web"), Ref("VirtualMachine", "db")


def test_a_bad_document_holds_up_no_other() -> None:
    loaded = Loader().load(
        tree_of({"a.yaml": together(vm("web"), vm("db", {"memory": "much"})), "b.yaml": vm("cache", {"nonsense": 1})})
    )
    assert [document.ref for document in loaded.documents] == [WEB]
    assert loaded.held == {DB, Ref("VirtualMachine", "cache")}
    assert loaded.held_paths == frozenset()
    assert {(problem.path, problem.ref) for problem in loaded.problems} == {
        ("a.yaml", DB),
        ("b.yaml", Ref("VirtualMachine", "cache")),
    }


def test_a_file_that_cant_be_read_is_held_as_a_whole() -> None:
    loaded = Loader().load(tree_of({"a.yaml": vm("web"), "bad.yaml": "{", "bytes.yaml": b"\xff\xfe\xff"}))
    assert [document.ref for document in loaded.documents] == [WEB]
    assert loaded.held_paths == {"bad.yaml", "bytes.yaml"}
    assert {problem.path for problem in loaded.problems} == {"bad.yaml", "bytes.yaml"}


def test_what_the_source_refused_is_held_too() -> None:
    refused = (files.symlink_problem("link.yaml"), files.size_problem("huge.yaml", 1 << 30))
    assert Loader().load(tree_of({"a.yaml": vm("web")}, refused)).held_paths == {"link.yaml", "huge.yaml"}


def test_of_two_documents_with_one_name_none_is_taken() -> None:
    loaded = Loader().load(tree_of({"a.yaml": vm("web"), "b.yaml": together(vm("db"), vm("web", {"memory": 1024}))}))
    assert [document.ref for document in loaded.documents] == [DB]
    assert loaded.held == {WEB}
    assert [(problem.path, problem.ref) for problem in loaded.problems] == [("a.yaml", WEB), ("b.yaml", WEB)]
    assert "b.yaml:" in loaded.problems[0].message


def test_a_good_document_isnt_taken_when_a_broken_one_has_its_name() -> None:
    loaded = Loader().load(tree_of({"a.yaml": vm("web"), "b.yaml": vm("web", {"memory": "much"})}))
    assert loaded.documents == ()
    assert loaded.held == {WEB}
    assert {problem.path for problem in loaded.problems} == {"a.yaml", "b.yaml"}


def test_one_volume_name_may_be_in_two_pools() -> None:
    volumes = [document("StorageVolume", "root", {"pool": pool, "capacity": "1GiB"}) for pool in ("one", "two")]
    loaded = Loader().load(tree_of({"a.yaml": together(*volumes)}))
    assert {str(document.ref) for document in loaded.documents} == {"StorageVolume/one/root", "StorageVolume/two/root"}


def test_documents_are_the_same_objects_until_their_file_changes() -> None:
    loader = Loader()
    first = loader.load(tree_of({"a.yaml": vm("web"), "b.yaml": vm("db")}))
    second = loader.load(tree_of({"a.yaml": vm("web"), "b.yaml": vm("db", {"cpus": 2})}))
    assert second.documents[0] is first.documents[0]
    assert second.documents[1] is not first.documents[1]
    moved = loader.load(tree_of({"c.yaml": vm("web")}))
    assert [document.path for document in moved.documents] == ["c.yaml"]


def test_an_empty_file_is_nothing_and_no_mistake() -> None:
    loaded = Loader().load(tree_of({"a.yaml": "", "b.yaml": "# only a comment\n"}))
    assert (loaded.documents, loaded.problems, loaded.held_paths) == ((), (), frozenset())
