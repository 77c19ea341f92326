"""A bad document is told with its place, and costs nobody anything: neither its neighbours nor what it stood for."""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path

import libvirt
import pytest

from tests.hostile.commands import mistakes, onggi, planned, told
from tests.hostile.documents import BAD, TOO_LARGE, Bad, alias_bomb, template, vm
from tests.lab.libvirtd import HostObjects
from tests.lab.repositories import Repository

EACH = pytest.mark.parametrize("bad", BAD.values(), ids=[name.replace(" ", "-") for name in BAD])


def write(folder: Path, files: Mapping[str, str | bytes]) -> None:
    for name, content in files.items():
        data = content.encode() if isinstance(content, str) else content
        (folder / name).write_bytes(data)


@EACH
def test_validate_tells_every_mistake_at_its_place(bad: Bad, tmp_path: Path) -> None:
    write(tmp_path, {**bad.files, "good.yaml": vm("good")})
    done = onggi("validate", tmp_path)
    assert done.returncode == 1
    assert {(file, line) for file, line, _, _ in mistakes(done)} == bad.places
    assert len(done.stdout) < 20_000, "a hostile file is not printed back"


@EACH
def test_a_plan_has_the_neighbours_and_ends_with_1(bad: Bad, repository: Repository, tmp_path: Path) -> None:
    repository.commit({**bad.files, "good.yaml": vm("good"), "more/other.yaml": vm("other")})
    done = onggi(
        "plan", repository.path, "--connect", "test:///default", "--state", tmp_path / "state",
        "-o", "json", "--detailed-exitcode",
    )  # fmt: skip
    assert done.returncode == 1
    plan = told(done)
    assert planned(plan) == {"good", "other"}
    assert {(problem["path"], problem["line"]) for problem in plan["problems"]} == bad.places


def test_all_mistakes_of_a_folder_are_told_at_once(tmp_path: Path) -> None:
    expected = set()
    for number, bad in enumerate(BAD.values()):
        folder = tmp_path / f"{number:02}"
        folder.mkdir()
        write(folder, bad.files)
        expected |= {(folder.name, name) for name in bad.files}
    done = onggi("validate", tmp_path)
    assert done.returncode == 1
    assert mistakes(done)
    told_of = {tuple(line.partition(":")[0].split("/")[-2:]) for line in done.stdout.splitlines()}
    assert told_of == expected


def test_a_single_bad_file_is_told_as_well(tmp_path: Path) -> None:
    file = tmp_path / "bad.yaml"
    with file.open("wb") as sparse:
        sparse.truncate(TOO_LARGE)
    done = onggi("validate", file)
    assert done.returncode == 1
    assert [line for _, line, _, _ in mistakes(done)] == [0]


def test_a_file_without_read_permission_or_that_is_a_pipe_hides_no_other(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe.yaml")
    write(tmp_path, {"bad.yaml": "kind: [", "good.yaml": vm("good")})
    done = onggi("validate", tmp_path, timeout_s=60)
    assert done.returncode == 1
    assert {file for file, *_ in mistakes(done)} == {"pipe.yaml", "bad.yaml"}


def test_an_apply_makes_the_neighbours_and_leaves_what_broken_documents_stood_for(
    qemu_system: str,
    qemu_connection: libvirt.virConnect,
    host_objects: HostObjects,
    repository: Repository,
    tmp_path: Path,
) -> None:
    def apply() -> int:
        return onggi("apply", repository.path, "--connect", qemu_system, "--state", tmp_path / "state", "-y").returncode

    def named(word: str) -> str:
        return host_objects.name(word)

    def definition(word: str) -> str:
        return str(qemu_connection.lookupByName(named(word)).XMLDesc())

    breaking: dict[str, str | bytes] = {
        "yaml": "kind: [",
        "bomb": alias_bomb(),
        "large": b"#" * (2 << 20),
        "types": vm(named("types"), memory="[1]"),
        "field": vm(named("field"), memroy=96),
        "kind": vm(named("kind")).replace("VirtualMachine", "VirtualMachina"),
        "twice": f"{vm(named('twice'), memory=96)}---\n{vm(named('twice'), memory=128)}",
        "key": vm(named("key")) + "  memory: 96\n",
        "circle": f"{vm(named('circle'), template=named('ring'))}---\n{template(named('ring'), named('ring'))}",
        "nobody": vm(named("nobody"), template=named("none")),
        "name": vm(f"{named('name')}/x"),
        "latin": vm(named("latin"), title="caf\xe9").encode("latin-1"),
        "nul": vm(named("nul"), title="a\0b"),
        "empty": "apiVersion: onggi/v1\n",
    }
    repository.commit({f"{word}.yaml": vm(named(word)) for word in (*breaking, "good", "leaving")})
    assert apply() == 0
    before = {word: definition(word) for word in breaking}

    repository.commit({f"{word}.yaml": content for word, content in breaking.items()}, "Break everything")
    repository.commit({"good.yaml": vm(named("good"), memory=96), "new.yaml": vm(named("new"))})
    repository.remove("leaving.yaml")
    assert apply() == 1
    assert {word: definition(word) for word in breaking} == before
    assert qemu_connection.lookupByName(named("good")).maxMemory() == 96 << 10
    assert qemu_connection.lookupByName(named("new"))
    expected = {f"domain {named(word)}" for word in (*breaking, "good", "new")}
    left = set(host_objects.left())
    assert expected <= left
    assert left <= expected | {f"domain {named('leaving')}"}

    repository.commit({f"{word}.yaml": vm(named(word), memory=80) for word in breaking}, "Repair everything")
    assert apply() == 0
    assert {qemu_connection.lookupByName(named(word)).maxMemory() for word in breaking} == {80 << 10}
    assert set(host_objects.left()) == expected
