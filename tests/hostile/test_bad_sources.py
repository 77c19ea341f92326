"""What a repository, or the words that name one, may try: to lead outside, to run something, to take what isn't its."""

from __future__ import annotations

import uuid
from pathlib import Path

import libvirt
import pytest

from tests.hostile.commands import error, mistakes, onggi, planned, told
from tests.hostile.documents import vm
from tests.lab.libvirtd import HostObjects
from tests.lab.repositories import Repository, git

TEST = ("--connect", "test:///default")


@pytest.fixture
def state(tmp_path: Path) -> Path:
    return tmp_path / "state"


def test_what_refers_to_nothing_is_told_and_waits_while_all_else_is_made(
    qemu_system: str, host_objects: HostObjects, repository: Repository, state: Path
) -> None:
    def named(word: str) -> str:
        return host_objects.name(word)

    nowhere = named("nowhere")
    lost = {
        "pool": vm(named("pool"), disks=f"[{{name: root, size: 1GiB, pool: {nowhere}}}]"),
        "volume": vm(named("volume"), disks=f"[{{volume: {nowhere}/x.qcow2}}]"),
        "base": vm(named("base"), disks=f"[{{name: root, size: 1GiB, pool: {nowhere}, base: none.qcow2}}]"),
        "medium": vm(named("medium"), cdroms=f"[{{volume: {nowhere}/x.iso}}]"),
        "network": vm(named("network"), interfaces=f"[{{network: {nowhere}}}]"),
        "device": vm(named("device"), hostDevices="[{device: usb_9_9}]"),
        "seed": vm(named("seed"), cloudInit=f"{{pool: {nowhere}, userData: '#cloud-config'}}"),
    }
    repository.commit({f"{word}.yaml": text for word, text in lost.items()} | {"good.yaml": vm(named("good"))})
    words = (repository.path, "--connect", qemu_system, "--state", state, "-o", "json")
    plan = told(onggi("plan", *words))
    # Machines that are to be off lack nothing but what isn't there; without their disks they would be others.
    made = {named(word) for word in ("good", "medium", "network", "device", "seed")}
    assert planned(plan) == made
    blocked = {item["name"]: item for item in plan["blocked"]}
    assert {named(word) for word in lost} <= blocked.keys()
    assert all(item["message"] and item["path"] and item["line"] for item in plan["blocked"])
    assert onggi("apply", *words).returncode == 1
    assert set(host_objects.left()) == {f"domain {name}" for name in made}


def test_a_template_that_nobody_declares_is_a_mistake_offline(tmp_path: Path) -> None:
    (tmp_path / "vm.yaml").write_text(vm("lost", template="none"))
    done = onggi("validate", tmp_path)
    assert done.returncode == 1
    assert [(file, line) for file, line, *_ in mistakes(done)] == [("vm.yaml", 9)]


def test_links_and_submodules_are_told_and_not_followed(repository: Repository, tmp_path: Path, state: Path) -> None:
    (tmp_path / "outside.yaml").write_text(vm("outside"))
    other = Repository(tmp_path / "other")
    other.commit({"vm.yaml": vm("below")})
    (repository.path / "link.yaml").symlink_to(tmp_path / "outside.yaml")
    (repository.path / "folder").symlink_to(tmp_path / "other")
    (repository.path / "inside.yaml").symlink_to("good.yaml")
    git(repository.path, "-c", "protocol.file.allow=always", "submodule", "--quiet", "add", str(other.path), "sub")
    repository.commit({"good.yaml": vm("good")})
    done = onggi("plan", repository.path, *TEST, "--state", state, "-o", "json", "--detailed-exitcode")
    assert done.returncode == 1
    plan = told(done)
    assert planned(plan) == {"good"}
    assert {problem["path"] for problem in plan["problems"]} == {"link.yaml", "folder", "inside.yaml", "sub"}
    validated = onggi("validate", repository.path)
    assert validated.returncode == 1
    assert {file for file, *_ in mistakes(validated)} >= {"link.yaml", "folder", "inside.yaml"}


def test_nothing_leaves_with_a_folder_whose_place_a_link_took(
    qemu_system: str, host_objects: HostObjects, repository: Repository, tmp_path: Path, state: Path
) -> None:
    names = [host_objects.name(word) for word in "abcde"]
    repository.commit({f"vms/{name}.yaml": vm(name) for name in names} | {"keep.yaml": vm(host_objects.name("keep"))})
    words = (repository.path, "--connect", qemu_system, "--state", state, "-y")
    assert onggi("apply", *words).returncode == 0
    before = sorted(host_objects.left())
    (repository.path / "vms").rename(tmp_path / "moved")
    (repository.path / "vms").symlink_to(tmp_path / "moved")
    repository.commit({})
    assert onggi("apply", *words).returncode == 1
    assert sorted(host_objects.left()) == before


@pytest.mark.parametrize(
    "path",
    [
        "/etc/shadow",
        "/srv/iso/../../etc/shadow",
        "/srv/isolated/x.iso",
        "/srv/iso",
        "/srv/iso/",
        "/srv/iso/.",
        "//srv/iso/../x",
        "srv/iso/x.iso",
        "/dev/sda",
        "/proc/self/mem",
    ],
)
def test_a_medium_outside_the_allowed_folders_is_refused(repository: Repository, state: Path, path: str) -> None:
    repository.commit({"bad.yaml": vm("bad", cdroms=f'[{{path: "{path}"}}]'), "good.yaml": vm("good")})
    words = (repository.path, *TEST, "--state", state, "-o", "json", "--detailed-exitcode")
    done = onggi("plan", *words, "--allowed-folder", "/srv/iso")
    assert done.returncode == 1
    plan = told(done)
    assert planned(plan) == {"good"}
    assert [problem["path"] for problem in plan["problems"]] == ["bad.yaml"]
    assert planned(told(onggi("plan", *words))) == {"good"}, "without an allowed folder there is none"


def test_a_link_in_an_allowed_folder_that_leads_out_of_it_is_refused(
    qemu_system: str,
    qemu_connection: libvirt.virConnect,
    host_objects: HostObjects,
    repository: Repository,
    dir_pool_folder: Path,
    state: Path,
) -> None:
    allowed, secret = dir_pool_folder / "iso", dir_pool_folder / "secret"
    (allowed / "below").mkdir(parents=True)
    secret.mkdir()
    for file in (allowed / "fine.iso", secret / "key.iso"):
        file.write_bytes(b"\0" * 4096)
    (allowed / "out.iso").symlink_to(secret / "key.iso")
    (allowed / "folder").symlink_to(secret)
    (allowed / "below/in.iso").symlink_to(allowed / "fine.iso")
    (dir_pool_folder / "alias").symlink_to(allowed)
    media = {
        "out": allowed / "out.iso",
        "through": allowed / "folder/key.iso",
        "fine": allowed / "fine.iso",
        "in": allowed / "below/in.iso",
        "alias": dir_pool_folder / "alias/fine.iso",
    }
    repository.commit(
        {f"{word}.yaml": vm(host_objects.name(word), cdroms=f"[{{path: {path}}}]") for word, path in media.items()}
    )
    words = (repository.path, "--connect", qemu_system, "--state", state, "-o", "json")
    done = onggi("apply", *words, "--allowed-folder", allowed, "--allowed-folder", dir_pool_folder / "alias")
    assert done.returncode == 1
    assert set(host_objects.left()) == {f"domain {host_objects.name(word)}" for word in ("fine", "in", "alias")}
    failed = {item["name"]: item["message"] for item in told(done)["outcomes"] if item["result"] == "failed"}
    assert failed.keys() == {host_objects.name("out"), host_objects.name("through")}
    assert all("allowed" in message for message in failed.values())

    # A medium that is swapped later is looked at just the same.
    repository.commit({"fine.yaml": vm(host_objects.name("fine"), cdroms=f"[{{path: {allowed / 'out.iso'}}}]")})
    onggi("apply", *words, "--allowed-folder", allowed, "--allowed-folder", dir_pool_folder / "alias")
    assert str(allowed / "fine.iso") in qemu_connection.lookupByName(host_objects.name("fine")).XMLDesc()


@pytest.mark.parametrize("path", ["../..", "/etc", "a/../../b", "vms/../..", "a\nb", "nowhere", ".git"])
def test_a_path_that_leads_outside_or_nowhere_is_refused(repository: Repository, state: Path, path: str) -> None:
    repository.commit({"vms/good.yaml": vm("good")})
    assert error(onggi("plan", repository.path, *TEST, "--state", state, "--path", path))


@pytest.mark.parametrize(
    "branch",
    [
        "--upload-pack=touch pwned",
        "-x",
        "main..other",
        "refs/heads/main",
        "a b",
        "main:other",
        "main@{1}",
        "../main",
        "a\nb",
        "HEAD~1",
        "nowhere",
        "$(touch pwned)",
    ],
)
@pytest.mark.parametrize("where", ["local", "remote"])
def test_a_hostile_branch_is_refused_and_runs_nothing(
    pushed_repository: Repository, tmp_path: Path, state: Path, branch: str, where: str
) -> None:
    pushed_repository.commit({"good.yaml": vm("good")})
    pushed_repository.push()
    place = pushed_repository.path if where == "local" else f"file://{tmp_path / 'remote.git'}"
    before = set(tmp_path.iterdir()) | {state}
    assert error(onggi("plan", place, *TEST, "--state", state, f"--branch={branch}"))
    assert set(tmp_path.iterdir()) <= before
    assert not Path("pwned").exists()


@pytest.mark.parametrize(
    "location",
    [
        "--upload-pack=touch {marker}",
        "ext::sh -c 'touch {marker}'",
        "EXT::sh -c 'touch {marker}'",
        "fd::3",
        "ssh://-oProxyCommand=touch%20{marker}/x",
        "-oProxyCommand=touch@host:x",
        "git@-oProxyCommand=touch:x",
        "file:///nowhere/at/all.git",
        "file://elsewhere/etc",
        "http://127.0.0.1:1/x.git",
        "git://127.0.0.1:1/x.git",
        "https://user:secret-word@127.0.0.1:1/x.git",
        "https://user:secret-word@127.0.0.1:1/x.git?a#b",
        "https://[::1/x",
        "/nowhere/at/all",
        "",
        "a\nb",
        "/etc/passwd",
    ],
)
def test_a_hostile_location_is_refused_and_runs_nothing(tmp_path: Path, state: Path, location: str) -> None:
    marker = tmp_path / "pwned"
    done = onggi("plan", *TEST, "--state", state, "--", location.format(marker=marker))
    assert error(done)
    assert not marker.exists()
    assert "secret-word" not in done.stdout + done.stderr
    assert not any(b"secret-word" in file.read_bytes() for file in tmp_path.rglob("*") if file.is_file())


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"apiVersion: [",
        b"apiVersion: onggi/v1\nrepositoryId: no-uuid\n",
        b"apiVersion: onggi/v9\nrepositoryId: 0c2a8c3e-64a5-4d5a-9a51-9f6a8b1f3d55\n",
        b"- 1\n",
        b"\xff\xfe\x00",
        b"[" * 4000,
        b"#" * 2_000_000,
        None,
    ],
    ids=["empty", "yaml", "no-uuid", "version", "list", "bytes", "nested", "long", "link"],
)
def test_nothing_is_done_while_nobody_knows_whose_objects_these_are(
    qemu_system: str, host_objects: HostObjects, repository: Repository, state: Path, content: bytes | None
) -> None:
    identity = f"apiVersion: onggi/v1\nrepositoryId: {uuid.uuid4()}\n"
    repository.commit({"onggi.yaml": identity, "a.yaml": vm(host_objects.name("a"))})
    words = (repository.path, "--connect", qemu_system, "--state", state, "-o", "json")
    assert onggi("apply", *words).returncode == 0
    before = sorted(host_objects.left())
    if content is None:
        (repository.path / "onggi.yaml").unlink()
        (repository.path / "onggi.yaml").symlink_to("/etc/hostname")
        content_files: dict[str, str | bytes] = {}
    else:
        content_files = {"onggi.yaml": content}
    git(repository.path, "rm", "--quiet", "a.yaml")
    repository.commit({**content_files, "b.yaml": vm(host_objects.name("b"))})
    done = onggi("apply", *words)
    assert done.returncode == 1
    assert [problem["path"] for problem in told(done)["problems"]] == ["onggi.yaml"]
    assert sorted(host_objects.left()) == before


def test_a_repository_without_a_commit_says_what_to_do(repository: Repository, state: Path) -> None:
    assert "commit" in error(onggi("plan", repository.path, *TEST, "--state", state))


def test_an_empty_commit_plans_nothing(repository: Repository, state: Path) -> None:
    repository.commit({})
    done = onggi("plan", repository.path, *TEST, "--state", state, "-o", "json", "--detailed-exitcode")
    assert done.returncode == 0
    assert planned(told(done)) == set()
