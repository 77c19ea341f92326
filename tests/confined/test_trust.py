"""Who may write a place is seen from names, owners and modes alone."""

from __future__ import annotations

import os
import struct
from pathlib import Path

import pytest

from reconciler.confined.identity import Identity, is_private
from reconciler.confined.trust import others_on_the_way, others_than_us
from tests.lab.other_user import OTHER, THIRD


@pytest.fixture
def folder(public_folder: Path) -> Path:
    folder = public_folder / "above/folder"
    folder.mkdir(parents=True)
    return folder


def test_what_is_ours_is_ours_also_below_a_sticky_folder(folder: Path, public_folder: Path) -> None:
    assert others_than_us(folder) is None
    public_folder.chmod(0o1777)
    assert others_than_us(folder) is None
    assert others_than_us(public_folder) is not None, "everybody may put something into it"
    public_folder.chmod(0o777)
    assert others_than_us(folder) is not None, "everybody may exchange what lies in it"


@pytest.mark.parametrize("where", ["above", "above/folder"])
def test_an_owner_on_the_way_counts(folder: Path, public_folder: Path, where: str) -> None:
    os.chown(public_folder / where, OTHER, 0)
    found = others_than_us(folder)
    assert found is not None and (found.identity.uid, found.several, found.where) == (
        OTHER,
        False,
        public_folder / where,
    )


def test_two_owners_are_several_and_nobody_stands_for_them(folder: Path, public_folder: Path) -> None:
    os.chown(public_folder / "above", OTHER, 0)
    os.chown(folder, THIRD, 0)
    found = others_than_us(folder)
    assert found is not None and found.several
    assert found.identity == Identity.nobody()


def test_a_group_that_may_write_counts_unless_it_is_the_owners_own(folder: Path) -> None:
    folder.chmod(0o775)
    assert others_than_us(folder) is None, "root's group is root's own"
    os.chown(folder, 0, OTHER)
    found = others_than_us(folder)
    assert found is not None and (found.several, found.identity.gid) == (True, OTHER)
    assert is_private(0, 0)
    assert not is_private(OTHER, OTHER), "of a user whom nobody knows nobody knows the group"


def test_links_are_walked_and_who_could_exchange_them_counts(folder: Path, public_folder: Path) -> None:
    theirs = public_folder / "theirs"
    theirs.mkdir()
    (theirs / "link").symlink_to(folder)
    (public_folder / "link").symlink_to("above/folder")
    assert others_than_us(public_folder / "link") is None
    os.chown(theirs, OTHER, OTHER)
    found = others_than_us(theirs / "link")
    assert found is not None and found.identity.uid == OTHER
    (public_folder / "round").symlink_to("round")
    with pytest.raises(OSError, match="links"):
        others_than_us(public_folder / "round")


def test_a_place_that_isnt_there_yet_is_judged_by_its_way(folder: Path, public_folder: Path) -> None:
    assert others_on_the_way(folder / "new/below") is None
    os.chown(public_folder / "above", OTHER, 0)
    assert others_on_the_way(folder / "new/below") is not None
    with pytest.raises(FileNotFoundError):
        others_than_us(folder / "new")


def test_an_access_list_counts_as_several(folder: Path) -> None:
    nobody = 0xFFFFFFFF
    entries = ((1, 7, nobody), (2, 7, OTHER), (4, 5, nobody), (16, 7, nobody), (32, 5, nobody))  # as acl(5) counts them
    content = struct.pack("<I", 2) + b"".join(struct.pack("<HHI", *entry) for entry in entries)
    os.setxattr(folder, "system.posix_acl_access", content)
    found = others_than_us(folder)
    assert found is not None and found.several
