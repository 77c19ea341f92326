"""Secrets on qemu:///system: handed over, set again when they have changed, and in nothing that anybody reads."""

from __future__ import annotations

import base64
import json
from collections.abc import Iterator
from pathlib import Path

import libvirt
import pytest

from reconciler.line.line import Line
from reconciler.reporting.plan_text import plan_text
from reconciler.settings.settings import Settings
from specs.reference import SECRET, Ref
from tests.lab.approving import converge_approved
from tests.lab.libvirtd import HostObjects
from tests.lab.repositories import Repository

pytestmark = pytest.mark.qemu

REST = "apiVersion: onggi/v1\nkind: Template\nmetadata: {name: rest}\nspec: {}\n"


class World:
    """One secret's document, the file that has its value, and the secret as libvirt has it."""

    def __init__(self, line: Line, repository: Repository, folder: Path, name: str) -> None:
        self.line = line
        self.repository = repository
        self.file = folder / "value"
        self.name = name
        self.keep("first-value")

    def keep(self, value: str) -> None:
        self.file.write_text(f"{value}\n")
        self.file.chmod(0o600)

    def declare(self, **spec: object) -> None:
        spec = {"usage": {"type": "ceph"}, "valueFrom": {"file": str(self.file)}, **spec}
        body = {"apiVersion": "onggi/v1", "kind": "Secret", "metadata": {"name": self.name}, "spec": spec}
        self.repository.commit({"secret.yaml": json.dumps(body), "rest.yaml": REST})

    def apply(self) -> None:
        assert self.line.converge().succeeded
        assert self.line.plan().empty

    def made(self, connection: libvirt.virConnect) -> libvirt.virSecret:
        return connection.secretLookupByUsage(libvirt.VIR_SECRET_USAGE_TYPE_CEPH, self.name)


@pytest.fixture
def world(qemu_system: str, host_objects: HostObjects, repository: Repository, tmp_path: Path) -> Iterator[World]:
    kept = tmp_path / "kept"
    kept.mkdir(mode=0o700)
    settings = Settings(
        repository=str(repository.path), connect=qemu_system, state=tmp_path / "s", allowed_secret_folders=(str(kept),)
    )
    with Line.open(settings, exclusive=True) as line:
        yield World(line, repository, kept, host_objects.name("key"))


def test_a_value_is_handed_over_and_again_once_it_is_another_one(
    world: World, qemu_connection: libvirt.virConnect, tmp_path: Path
) -> None:
    world.declare(description="of the lab")
    world.apply()
    assert world.made(qemu_connection).value() == b"first-value"
    world.keep("second-value")
    plan = world.line.plan()
    text = plan_text(plan, colour=False, width=120)
    assert "valueFrom" in text
    assert "second" not in text
    world.apply()
    assert world.made(qemu_connection).value() == b"second-value"
    assert all(
        b"first-value" not in file.read_bytes() and b"second-value" not in file.read_bytes()
        for file in (tmp_path / "s").rglob("*")
        if file.is_file()
    ), "what is remembered is a digest"


def test_a_key_in_base64_is_handed_over_as_it_is_meant(world: World, qemu_connection: libvirt.virConnect) -> None:
    world.keep(base64.b64encode(b"\x00\xffkey").decode())
    world.declare(encoding="base64")
    world.apply()
    assert world.made(qemu_connection).value() == b"\x00\xffkey"


def test_a_private_secret_is_healed_and_stays_private(world: World, qemu_connection: libvirt.virConnect) -> None:
    world.declare(private=True)
    world.apply()
    made = world.made(qemu_connection)
    with pytest.raises(libvirt.libvirtError, match="private"):
        made.value()
    made.undefine()
    world.apply()
    assert "private='yes'" in world.made(qemu_connection).XMLDesc()
    world.declare(private=False)
    assert [each.reason for each in world.line.plan().blocked] == ["ChangeRefused"]


def test_what_is_for_something_else_has_the_name_of_its_document_and_leaves_with_it(
    world: World, qemu_connection: libvirt.virConnect, host_objects: HostObjects
) -> None:
    world.declare(usage={"type": "ceph", "id": f"client/{world.name} key"})
    world.apply()
    assert Ref(SECRET, world.name) in world.line.observe().objects
    world.repository.remove("secret.yaml")
    assert converge_approved(world.line).succeeded
    assert host_objects.left() == []


def test_a_value_that_isnt_to_be_had_holds_up_its_secret_alone(world: World) -> None:
    world.declare(valueFrom={"file": "/etc/shadow"})
    (blocked,) = world.line.plan().blocked
    assert blocked.reason == "NotAllowed"
    world.declare(valueFrom={"file": str(world.file.with_name("missing"))})
    for _ in range(2):
        found = world.line.converge()
        assert not found.succeeded, "as long as it has no value"
        assert "can't be used as a secret" in str(found.outcomes)
    world.declare()
    world.apply()
