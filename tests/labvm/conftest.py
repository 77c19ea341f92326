"""The lab for the tests in this folder: one machine for all of them, an agent with its API for each."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import libvirt
import pytest

from tests.api.live import LiveApi, live_api
from tests.lab.libvirtd import HostObjects
from tests.lab.repositories import Repository
from tests.labvm.image import cached_image
from tests.labvm.machine import Lab, running_lab


@pytest.fixture(scope="package")
def lab(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Lab]:
    with running_lab(cached_image(), tmp_path_factory.mktemp("lab")) as running:
        yield running


@pytest.fixture
def on_lab(lab: Lab) -> Iterator[libvirt.virConnect]:
    """A connection of the test's own, for looking at what is really there."""
    connection = libvirt.open(lab.uri)
    yield connection
    connection.close()


@pytest.fixture
def objects(on_lab: libvirt.virConnect) -> Iterator[HostObjects]:
    """Names that nobody else has. What a test made under them has to be gone at its end."""
    made = HostObjects(on_lab)
    yield made
    left = made.left()
    made.remove_all()
    assert not left, f"a test left behind: {', '.join(left)}"


@pytest.fixture
def api(lab: Lab, objects: HostObjects, repository: Repository, tmp_path: Path) -> Iterator[LiveApi]:
    repository.commit({}, "Begin")
    with live_api(repository, tmp_path / "state", lab.uri) as running:
        yield running
