"""`onggi validate` for editors, pre-commit and CI."""

from __future__ import annotations

import re
from pathlib import Path

from tests.cli.command import Onggi
from tests.lab.repositories import git

EXAMPLES = Path(__file__).parents[2] / "examples"
LINE = re.compile(r"[^:]+:\d+:\d+: .+")

GOOD = "apiVersion: onggi/v1\nkind: Network\nmetadata: {name: tg-lan}\nspec: {mode: isolated}\n"
BAD = "apiVersion: onggi/v1\nkind: Network\nmetadata:\n  name: tg-lan\nspec:\n  mode: isolatd\n  colour: red\n"
VM = "apiVersion: onggi/v1\nkind: VirtualMachine\nmetadata: {name: %s}\nspec: {template: %s}\n"


def test_every_example_is_valid(onggi: Onggi) -> None:
    folders = sorted(path for path in EXAMPLES.iterdir() if path.name[:2].isdigit())
    done = onggi("validate", *folders)
    assert (done.code, done.out) == (0, "")
    assert done.err.endswith("documents, no mistakes\n")


def test_all_mistakes_of_all_files_are_told_at_once_with_their_places(onggi: Onggi, tmp_path: Path) -> None:
    (tmp_path / "net").mkdir()
    (tmp_path / "net/lan.yaml").write_text(BAD)
    (tmp_path / "broken.yaml").write_text("a: [1\n")
    (tmp_path / "good.yaml").write_text(GOOD.replace("tg-lan", "tg-other"))
    done = onggi("validate", tmp_path)
    assert done.code == 1
    lines = done.out.splitlines()
    assert all(LINE.fullmatch(line) for line in lines), lines
    places = [line.removeprefix(f"{tmp_path}/").rsplit(": ", 1)[0].split(": ")[0] for line in lines]
    assert places[0].startswith("broken.yaml:")
    assert places[1:] == ["net/lan.yaml:6:3", "net/lan.yaml:7:3"]
    assert re.fullmatch(r"onggi: \d documents?, 3 mistakes\n", done.err), "and no library says anything of its own"


def test_paths_are_told_as_they_were_given(onggi: Onggi, tmp_path: Path) -> None:
    (tmp_path / "docs").mkdir()
    (tmp_path / "docs/lan.yaml").write_text(BAD)
    assert onggi("validate", ".", cwd=tmp_path).out.startswith("docs/lan.yaml:6:3: ")
    assert onggi("validate", "docs", cwd=tmp_path).out.startswith("docs/lan.yaml:6:3: ")
    assert onggi("validate", "docs/lan.yaml", cwd=tmp_path).out.startswith("docs/lan.yaml:6:3: ")


def test_in_a_git_repository_the_files_of_the_work_tree_count(onggi: Onggi, tmp_path: Path) -> None:
    assert onggi("init", tmp_path / "repo").code == 0
    assert onggi("validate", tmp_path / "repo").code == 0
    (tmp_path / "repo/vms/new.yaml").write_text(BAD)  # nobody has committed it
    assert onggi("validate", tmp_path / "repo").code == 1


def test_what_documents_say_of_each_other_is_checked_in_a_folder(onggi: Onggi, tmp_path: Path) -> None:
    (tmp_path / "vm.yaml").write_text(VM % ("tg-a", "nowhere"))
    (tmp_path / "one.yaml").write_text(GOOD)
    (tmp_path / "two.yaml").write_text(GOOD)
    done = onggi("validate", tmp_path)
    assert done.code == 1
    assert [Path(line.split(":")[0]).name for line in done.out.splitlines()] == ["one.yaml", "two.yaml", "vm.yaml"]
    assert onggi("validate", tmp_path / "vm.yaml").code == 0  # by itself nobody can know


def test_scripts_get_every_part_by_itself(onggi: Onggi, tmp_path: Path) -> None:
    (tmp_path / "lan.yaml").write_text(BAD)
    done = onggi("validate", tmp_path, "-o", "json")
    assert done.code == 1
    first = done.json["problems"][0]
    assert {key: first[key] for key in ("path", "line", "column", "pointer", "kind", "name")} == {
        "path": str(tmp_path / "lan.yaml"),
        "line": 6,
        "column": 3,
        "pointer": "/spec/mode",
        "kind": "Network",
        "name": "tg-lan",
    }


def test_a_broken_onggi_yaml_is_a_mistake_too(onggi: Onggi, tmp_path: Path) -> None:
    (tmp_path / "onggi.yaml").write_text("apiVersion: onggi/v1\nrepositoryId: mine\n")
    assert onggi("validate", tmp_path).out.startswith(f"{tmp_path}/onggi.yaml:2:")
    assert onggi("validate", tmp_path / "onggi.yaml").out.startswith(f"{tmp_path}/onggi.yaml:2:")


def test_a_path_that_leads_nowhere_is_an_error_and_not_an_empty_folder(onggi: Onggi, tmp_path: Path) -> None:
    done = onggi("validate", tmp_path / "nowhere")
    assert (done.code, done.out) == (1, "")
    assert done.err.startswith("onggi: error: ")


def test_a_bare_repository_has_no_files_to_check(onggi: Onggi, tmp_path: Path) -> None:
    git(tmp_path, "init", "--quiet", "--bare", "bare.git")
    done = onggi("validate", tmp_path / "bare.git")
    assert done.code == 1
    assert "clone it" in done.err


def test_a_huge_file_is_refused_without_being_read(onggi: Onggi, tmp_path: Path) -> None:
    with (tmp_path / "huge.yaml").open("wb") as file:
        file.truncate(100 << 20)
    for path in (tmp_path, tmp_path / "huge.yaml"):
        done = onggi("validate", path)
        assert done.code == 1
        assert f"{tmp_path}/huge.yaml:0:0: The file has 104857600 bytes" in done.out
