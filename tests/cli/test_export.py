"""`onggi export`: a folder of documents, in which nothing that was there is lost."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest
import yaml

from tests.cli.command import Onggi

CONNECT = ("--connect", "test:///default")
FILES = ["networks/default.yaml", "onggi.yaml", "pools/default-pool.yaml", "vms/test.yaml"]


def files(folder: Path) -> list[str]:
    return sorted(str(file.relative_to(folder)) for file in folder.rglob("*") if file.is_file())


@pytest.fixture
def exported(onggi: Onggi, tmp_path: Path) -> Path:
    folder = tmp_path / "documents"
    done = onggi("export", folder, *CONNECT)
    assert done.code == 0, done.err
    return folder


def test_a_host_becomes_a_folder_whose_plan_is_empty(onggi: Onggi, exported: Path) -> None:
    assert files(exported) == FILES
    assert onggi("validate", exported).code == 0
    done = onggi("plan", exported, *CONNECT, "--detailed-exitcode", "-o", "json")
    assert done.code == 0, done.err
    assert [done.json[key] for key in ("steps", "blocked", "drifted", "problems")] == [[], [], [], []]


# dmacvicar/terraform-provider-libvirt#254, #790, #1090: can't import, or after import everything "must be replaced".
def test_after_an_export_nothing_must_be_replaced(onggi: Onggi, exported: Path) -> None:
    done = onggi("apply", exported, *CONNECT, "-o", "json")
    assert done.code == 0, done.err
    assert done.json["outcomes"] == []


def test_what_no_document_can_say_is_told_on_stderr_and_in_the_file(onggi: Onggi, tmp_path: Path) -> None:
    done = onggi("export", tmp_path / "documents", *CONNECT, "--minimal")
    assert "VirtualMachine/test: not declared, and left as it is: the disk (file: /guest/diskimage1" in done.err
    assert "# - the disk (file: /guest/diskimage1" in (tmp_path / "documents/vms/test.yaml").read_text()


def test_what_is_declared_already_is_left_as_it_is(onggi: Onggi, exported: Path) -> None:
    moved = exported / "my-own-place.yaml"
    shutil.move(exported / "vms/test.yaml", moved)
    before = {name: (exported / name).read_bytes() for name in files(exported)}
    done = onggi("export", exported, *CONNECT)
    assert done.code == 0
    assert "VirtualMachine/test is declared in my-own-place.yaml already" in done.err
    assert {name: (exported / name).read_bytes() for name in files(exported)} == before


def test_a_file_in_the_way_is_kept_and_its_neighbours_are_written(onggi: Onggi, tmp_path: Path) -> None:
    folder = tmp_path / "documents"
    (folder / "vms").mkdir(parents=True)
    (folder / "vms/test.yaml").write_text("# mine\n")
    done = onggi("export", folder, *CONNECT)
    assert done.code == 1
    assert "vms/test.yaml; --force writes them anew" in done.err
    assert (folder / "vms/test.yaml").read_text() == "# mine\n"
    assert files(folder) == FILES
    assert onggi("export", folder, *CONNECT, "--force").code == 0
    assert "kind: VirtualMachine" in (folder / "vms/test.yaml").read_text()


def test_the_repositorys_id_is_kept_when_it_is_exported_again(onggi: Onggi, exported: Path) -> None:
    before = (exported / "onggi.yaml").read_text()
    assert onggi("export", exported, *CONNECT, "--force").code == 0
    assert (exported / "onggi.yaml").read_text() == before


def test_a_link_in_the_folder_is_never_written_through(onggi: Onggi, tmp_path: Path) -> None:
    folder, elsewhere = tmp_path / "documents", tmp_path / "elsewhere.yaml"
    (folder / "vms").mkdir(parents=True)
    elsewhere.write_text("precious\n")
    (folder / "vms/test.yaml").symlink_to(elsewhere)
    assert onggi("export", folder, *CONNECT).code == 1
    assert onggi("export", folder, *CONNECT, "--force").code == 0
    assert elsewhere.read_text() == "precious\n"
    assert not (folder / "vms/test.yaml").is_symlink()


def test_scripts_get_what_was_written_and_what_was_left(onggi: Onggi, tmp_path: Path) -> None:
    done = onggi("export", tmp_path / "documents", *CONNECT, "-o", "json", "--minimal")
    assert {item["path"]: item["written"] for item in done.json["documents"]} == {
        name: True for name in FILES if name != "onggi.yaml"
    }
    assert any(item["left"] for item in done.json["documents"])


def test_a_folder_that_is_a_file_is_refused_with_a_sentence(onggi: Onggi, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    done = onggi("export", tmp_path / "file", *CONNECT)
    assert done.code == 1
    assert "isn't a folder; choose another" in done.err


def test_a_machine_by_name_is_printed_with_what_it_needs(onggi: Onggi, tmp_path: Path) -> None:
    done = onggi("export", "vm/test", *CONNECT)
    assert done.code == 0, done.err
    documents = list(yaml.safe_load_all(done.out))
    assert [(each["kind"], each["metadata"]["name"]) for each in documents] == [
        ("Network", "default"), ("VirtualMachine", "test")
    ]  # fmt: skip
    (tmp_path / "all.yaml").write_text(done.out)
    assert onggi("validate", tmp_path / "all.yaml").code == 0
    assert onggi("export", "vm/test", tmp_path / "documents", *CONNECT).code == 0
    assert files(tmp_path / "documents") == ["networks/default.yaml", "onggi.yaml", "vms/test.yaml"]


def test_a_name_that_nothing_has_ends_with_1_and_writes_nothing(onggi: Onggi, tmp_path: Path) -> None:
    done = onggi("export", tmp_path / "documents", "vm/nobody", *CONNECT)
    assert (done.code, "VirtualMachine/nobody isn't on this host" in done.err) == (1, True)
    assert not (tmp_path / "documents").exists()


def test_a_second_folder_is_refused_with_a_sentence(onggi: Onggi) -> None:
    done = onggi("export", "one", "two", *CONNECT)
    assert (done.code, "are two folders" in done.err) == (1, True)


def test_a_kind_without_a_name_is_not_taken_for_a_new_folder(onggi: Onggi) -> None:
    done = onggi("export", "vm", *CONNECT)
    assert (done.code, "vm is a kind: name objects, as in vm/NAME, or a folder, as in ./vm" in done.err) == (1, True)
    assert not (onggi.home / "vm").exists()
    assert onggi("export", "./vm", *CONNECT).code == 0
    assert (onggi.home / "vm").is_dir()


def test_a_folder_of_a_repository_gets_no_identity_of_its_own(onggi: Onggi) -> None:
    assert onggi("init", "infra").code == 0
    root = onggi.home / "infra"
    done = onggi("export", "kvm1", *CONNECT, cwd=root)
    assert done.code == 0, done.err
    assert (root / "kvm1/vms/test.yaml").is_file()
    assert not (root / "kvm1/onggi.yaml").exists()
    assert onggi("validate", cwd=root).code == 0
    again = onggi("export", "kvm1", *CONNECT, cwd=root)
    assert (again.code, again.out.strip()) == (0, "Nothing was written.")
    (root / "kvm1/vms/test.yaml").write_text("")
    assert onggi("export", "kvm1", "--force", *CONNECT, cwd=root).code == 0
    assert "name: test" in (root / "kvm1/vms/test.yaml").read_text()
