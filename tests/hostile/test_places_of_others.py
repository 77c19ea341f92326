"""State, media and exports in places that others may write are refused with a sentence that says what to do."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

import pytest
from lxml import etree

from reconciler.confined.trust import others_than_us
from reconciler.errors import StateError, Terminal
from reconciler.hypervisor.links import check_links
from reconciler.ledger.ledger import Ledger
from reconciler.ledger.lock import StateFolder
from tests.hostile.commands import ENVIRONMENT, ONGGI, error, mistakes, onggi
from tests.hostile.documents import vm
from tests.lab.other_user import OTHER, THIRD, give
from tests.lab.repositories import Repository, git

TEST = ("--connect", "test:///default")


def opened(folder: Path) -> None:
    StateFolder.open(folder, exclusive=True).close()


def test_a_state_folder_that_others_may_write_is_refused(public_folder: Path) -> None:
    mine = public_folder / "mine"
    opened(mine)
    theirs = public_folder / "theirs"
    theirs.mkdir()
    give(theirs)
    writable = public_folder / "writable"
    writable.mkdir()
    writable.chmod(0o777)
    for folder in (theirs, theirs / "new", writable, writable / "new"):
        with pytest.raises(StateError, match=r"may be changed by .* --state"):
            opened(folder)
    assert list(theirs.iterdir()) == list(writable.iterdir()) == []


def test_a_link_as_state_folder_is_refused_but_for_that_of_a_systemd_service(public_folder: Path) -> None:
    (public_folder / "elsewhere").mkdir()
    link = public_folder / "onggi"
    link.symlink_to("elsewhere")
    with pytest.raises(StateError, match=r"is a link to elsewhere; .* --state"):
        opened(link)
    link.unlink()
    (public_folder / "private/onggi").mkdir(parents=True)
    link.symlink_to("private/onggi")  # as DynamicUser= with StateDirectory=onggi makes it
    opened(link)
    assert (public_folder / "private/onggi/lock").is_file()


@pytest.mark.parametrize("name", ["lock", "state.db", "state.db-shm", "mirrors"])
def test_what_another_has_put_into_the_state_folder_is_refused(public_folder: Path, name: str) -> None:
    folder, victim = public_folder / "state", public_folder / "victim"
    folder.mkdir()
    victim.write_text("ours\n")
    (folder / name).symlink_to(victim)
    for use in (opened, lambda place: Ledger.open(place, readonly=True).ownership.all()):
        with pytest.raises(StateError, match=name):
            use(folder)
    assert victim.read_text() == "ours\n"
    (folder / name).unlink()
    (folder / name).write_text("")
    os.chown(folder / name, OTHER, OTHER)
    with pytest.raises(StateError, match=r"remove it .* --state"):
        opened(folder)


def test_the_usual_places_of_state_are_fine(tmp_path: Path) -> None:
    opened(tmp_path / "below/a/sticky/folder")
    assert others_than_us("/var/lib") is None


def test_a_medium_that_others_could_exchange_is_refused(public_folder: Path) -> None:
    folder = public_folder / "iso"
    folder.mkdir()
    (folder / "a.iso").write_bytes(b"\0" * 4096)
    disk = etree.fromstring(f'<d><disk device="cdrom"><source file="{folder}/a.iso"/></disk></d>')
    check_links(disk, [str(folder)], lambda _path: False)
    os.chown(folder / "a.iso", OTHER, OTHER)  # as libvirt does while a guest has it
    check_links(disk, [str(folder)], lambda _path: False)
    give(folder)
    with pytest.raises(Terminal, match=r"could be exchanged by .*chown root"):
        check_links(disk, [str(folder)], lambda _path: False)


def test_nothing_is_exported_or_begun_where_others_could_lead_it_elsewhere(public_folder: Path, tmp_path: Path) -> None:
    folder, victim = public_folder / "theirs", tmp_path / "victim"
    folder.mkdir()
    victim.mkdir()
    (folder / "vms").symlink_to(victim)
    give(folder)
    assert "choose a folder" in error(onggi("export", folder, *TEST, "--state", tmp_path / "state"))
    assert "choose a folder" in error(onggi("init", folder / "new"))
    assert list(victim.iterdir()) == []
    assert sorted(folder.iterdir()) == [folder / "vms"]


def test_their_folder_is_validated_as_them(public_folder: Path) -> None:
    folder = public_folder / "theirs"
    folder.mkdir()
    (folder / "a.yaml").write_text(vm("a"))
    (folder / "hard.yaml").write_text("secret: only root's")
    give(folder)
    os.chown(folder / "hard.yaml", 0, 0)
    (folder / "hard.yaml").chmod(0o600)
    found = mistakes(onggi("validate", folder))
    assert [name for name, *_ in found] == ["hard.yaml"]
    assert "can't be read" in found[0][3]


@pytest.mark.parametrize("words", [[], ["."], ["../theirs"]])
def test_their_repository_around_the_current_folder_is_the_one_that_is_validated(
    public_folder: Path, words: list[str]
) -> None:
    theirs = Repository(public_folder / "theirs")
    theirs.commit({"a.yaml": vm("a")})
    give(theirs.path)
    done = subprocess.run(
        [*ONGGI, "validate", *words],
        cwd=theirs.path, capture_output=True, text=True, timeout=120,
        env=ENVIRONMENT | {"PYTHONPATH": str(Path(__file__).parents[2])},
    )  # fmt: skip
    assert done.returncode == 0 and "1 document," in done.stderr, done.stdout[-300:] + done.stderr


def test_a_repository_that_anybody_may_put_together_around_a_folder_isnt_its(
    public_folder: Path, tmp_path: Path
) -> None:
    """In a place such as /tmp: its HEAD, objects and refs may each be another's, whoever the place belongs to."""
    around = public_folder / "around"
    Repository(tmp_path / "another").commit({"b.yaml": vm("b")})
    git(tmp_path, "clone", "--quiet", "--bare", "another", str(around))
    for entry in around.iterdir():
        give(entry, THIRD)
    around.chmod(0o1777)
    theirs, ours, broken = (around / name for name in ("theirs", "ours", "broken"))
    for folder in (theirs, ours, broken):
        folder.mkdir()
        (folder / "a.yaml").write_text(vm("a"))
    give(theirs)
    (broken / ".git").mkdir()  # what git passes by on its way up
    for folder in (theirs, ours, broken):
        said = error(onggi("plan", folder, "--connect", "test:///default", "--state", tmp_path / "state"))
        assert str(around) in said


def test_root_isnt_commanded_by_the_settings_of_another_users_home(public_folder: Path, tmp_path: Path) -> None:
    (public_folder / "a.yaml").write_text(vm("a"))
    home = public_folder / "home"
    settings = home / ".config/onggi/onggi.toml"
    settings.parent.mkdir(parents=True)
    settings.write_text(f'connect = "test:///default"\nstate = "{tmp_path}/believed"\n')
    give(home)
    kept = {key: value for key, value in ENVIRONMENT.items() if not key.startswith("XDG_")} | {"HOME": str(home)}
    words = [*ONGGI, "plan", str(public_folder)]
    done = subprocess.run(words, capture_output=True, text=True, env=kept, timeout=120)
    assert "isn't read by root" in error(done) and not (tmp_path / "believed").exists()
    meant = subprocess.run([*words, "--config", str(settings)], capture_output=True, text=True, env=kept, timeout=120)
    assert meant.returncode in (0, 2), meant.stderr
