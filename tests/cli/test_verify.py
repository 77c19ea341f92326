"""`onggi verify`: whether the documents would make the host again, found out without touching it."""

from __future__ import annotations

from pathlib import Path

import libvirt
import pytest

from tests.cli.command import Onggi

CONNECT = ("--connect", "test:///default", "--allow-xml", "files", "--allow-xml", "network")


@pytest.fixture
def exported(onggi: Onggi, tmp_path: Path) -> Path:
    folder = tmp_path / "documents"
    done = onggi("export", folder, *CONNECT)
    assert done.code == 0, done.err
    return folder


def test_an_exported_host_would_be_the_same_again(onggi: Onggi, exported: Path) -> None:
    done = onggi("verify", exported, *CONNECT)
    assert (done.code, done.err) == (0, "")
    assert done.out.startswith("3 of 3 objects would be made again as they are. The documents hold ")
    assert done.out.endswith("that its definitions say (100 %).\n")


def test_an_export_tells_how_much_of_the_host_the_documents_hold(onggi: Onggi, tmp_path: Path) -> None:
    done = onggi("export", tmp_path / "documents", *CONNECT)
    assert done.out.splitlines()[-1].endswith("that its definitions say (100 %).")
    done = onggi("export", tmp_path / "others", *CONNECT, "--minimal")
    assert len(done.out.splitlines()) == 1


def test_what_is_in_no_document_is_told_by_its_path(onggi: Onggi, tmp_path: Path) -> None:
    assert onggi("export", tmp_path / "documents", *CONNECT, "--minimal").code == 0
    done = onggi("verify", tmp_path / "documents", *CONNECT, "--all")
    assert done.code == 1
    assert "  - devices/disk[vda]/source/@file = /guest/diskimage1" in done.out.splitlines()
    found = onggi("verify", tmp_path / "documents", *CONNECT, "-o", "json").json
    machine = next(each for each in found["objects"] if each["kind"] == "VirtualMachine")
    assert {"path": "devices/disk[vda]/source/@file", "value": "/guest/diskimage1"} in machine["lost"]
    assert found["equal"] is machine["equal"] is False
    assert found["kept"] < found["total"]


def test_what_a_document_makes_beside_is_told_too(onggi: Onggi, exported: Path) -> None:
    file = exported / "vms/test.yaml"
    file.write_text(file.read_text() + "  title: Another\n")
    done = onggi("verify", exported, *CONNECT)
    assert done.code == 1
    assert "  + title = Another" in done.out.splitlines()


def test_objects_without_a_document_and_documents_without_an_object_are_told(onggi: Onggi, exported: Path) -> None:
    (exported / "vms/test.yaml").rename(exported / "vms/other.yaml")
    text = (exported / "vms/other.yaml").read_text()
    (exported / "vms/other.yaml").write_text(text.replace("  name: test\n", "  name: other\n"))
    done = onggi("verify", exported, *CONNECT)
    assert done.code == 1
    assert "VirtualMachine/test: no document declares it" in done.out
    assert "VirtualMachine/other is declared and isn't on this host" in done.out


def test_documents_with_errors_prove_nothing(onggi: Onggi, exported: Path) -> None:
    (exported / "broken.yaml").write_text("kind: Nothing\n")
    done = onggi("verify", exported, *CONNECT, "-o", "json")
    assert done.code == 1
    assert done.json["problems"]


def test_the_host_is_not_touched(onggi: Onggi, exported: Path) -> None:
    connection = libvirt.open(CONNECT[1])
    try:
        before = [domain.XMLDesc() for domain in connection.listAllDomains()]
        onggi("verify", exported, *CONNECT)
        assert [domain.XMLDesc() for domain in connection.listAllDomains()] == before
    finally:
        connection.close()
