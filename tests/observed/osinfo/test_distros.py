"""Where images can be had: osinfo's list for one architecture, with what people added."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from reconciler.observed.osinfo import Database, Distro, distributions


def test_the_list_is_of_one_architecture_and_each_name_is_one_image(database: Database) -> None:
    found = distributions(database, "x86_64")
    assert len(found) > 300
    assert all(name == distro.name and "/" not in name for name, distro in found.items())
    assert {distro.os_arch for distro in found.values()} == {"x86_64"}
    paths = {distro.path for distro in found.values()}
    assert all(path.endswith(".iso") and path.startswith(("http://", "https://", "ftp://")) for path in paths)
    netinst = [each for each in found.values() if each.path.endswith("amd64-netinst.iso") and each.os_version == "11"]
    assert [(each.os_distro, each.name.startswith("Debian 11 (")) for each in netinst] == [("debian", True)]
    assert {distro.os_arch for distro in distributions(database, "aarch64").values()} == {"aarch64"}
    assert distributions(database, "vax") == {}


def test_images_of_one_system_are_told_apart(write_definition: Callable[..., Path]) -> None:
    media = "".join(
        f"<media arch='{arch}'>{variant}<url>http://example.org/{file}</url></media>"
        for arch, variant, file in (
            ("x86_64", "<variant id='netinst'/>", "small.iso"),
            ("all", "", "one%2Fbig.iso"),
            ("x86_64", "", "two/big.iso"),
            ("i686", "", "old.iso"),
            ("x86_64", "", "disk.img"),
            ("x86_64", "", "../with space.iso"),
        )
    )
    found = distributions(Database((write_definition(media),)), "x86_64")
    assert list(found) == ["One 1 (big)", "One 1 (netinst)"]


def test_peoples_own_entries_join_and_take_the_place_of_others(write_definition: Callable[..., Path]) -> None:
    media = "<media arch='x86_64'><url>http://example.org/one.iso</url></media>"
    database = Database((write_definition(media),))
    one = Distro("One 1", "unknown", "unknown", "all", "/isos/one.iso")
    own = Distro("Own 1", "own", "1", "x86_64", "https://example.org/own.iso")
    other = Distro("Else", "else", "1", "vax", "/e")
    assert distributions(database, "x86_64", [own, one, other]) == {"One 1": one, "Own 1": own}
