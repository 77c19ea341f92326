"""What looks like a document that was put aside, and what only lies beside it."""

from __future__ import annotations

import pytest

from reconciler.desired.state import DesiredState
from reconciler.planning.ownership import Fact, Owned
from reconciler.planning.unread_documents import unread_document
from reconciler.source.tree import Unread
from tests.planning.values import REPOSITORY, REVISION, vm

WEB = vm("web")


def why(path: str, *, unread: tuple[Unread, ...] = (), emptied: str = "", read: tuple[str, ...] = ("lan.yaml",)) -> str:
    files = dict.fromkeys((*read, *filter(None, [emptied])), "another")
    desired = DesiredState(
        REVISION, REPOSITORY, {}, blobs=files, emptied=frozenset(filter(None, [emptied])), unread=unread
    )
    found = unread_document(Owned(WEB, "u", path, facts={Fact.BLOB: "b1"}), desired)
    return f"{found.reason}: {found.message}" if found is not None else ""


@pytest.mark.parametrize(
    "name",
    [
        "vms/web.YAML", "vms/web.Yml", "vms/web.yml.bak", "vms/web.yaml.disabled", "vms/.web.yaml", "vms/web.yaml~",
        "vms/web.txt", "vms/web", "vms/_web.yaml.off", "vms/Web.yaml.orig", "vms/web (copy).YAML", ".vms/",
        "vms/web.bak",
    ],
)  # fmt: skip
def test_a_document_under_a_name_that_is_not_read_is_recognised(name: str) -> None:
    told = why("vms/web.yaml", unread=(Unread("vms/README.md", "r"), Unread(name, "edited")))
    assert told.startswith(f"FileNotRead: {name} isn't read")
    assert "vms/web.yaml, which declared VirtualMachine/web" in told


@pytest.mark.parametrize(
    "name",
    ["vms/web.md", "vms/web.png", "vms/website.YAML", "vms/db.YAML", "other/web.YAML", "web.yaml.bak", ".old/"],
)
def test_what_only_lies_beside_it_holds_nothing(name: str) -> None:
    assert not why("vms/web.yaml", unread=(Unread(name, "b2"),))


def test_the_same_content_under_any_name_in_its_folder_is_the_document() -> None:
    assert why("vms/web.yaml", unread=(Unread("vms/retired-web.md", "b1"),))
    assert not why("vms/web.yaml", unread=(Unread("other/retired-web.md", "b1"),))


def test_a_document_that_left_a_file_which_is_still_read_was_removed() -> None:
    assert not why("vms/web.yaml", read=("vms/web.yaml",), unread=(Unread("vms/web.yaml.bak", "b1"),))


def test_a_hidden_folder_beside_one_that_is_read_is_another_one() -> None:
    assert not why("vms/web.yaml", read=("vms/db.yaml",), unread=(Unread(".vms/"),))


def test_an_emptied_file_is_named_with_both_ways_out() -> None:
    told = why("vms/web.yaml", emptied="vms/web.yaml")
    assert told.startswith("FileEmptied: vms/web.yaml holds no document any more")
    assert "remove the file" in told
    assert not why("vms/web.yaml", emptied="vms/db.yaml")
    assert why("", emptied="vms/db.yaml"), "nobody knows which file it was in"
