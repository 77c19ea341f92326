"""The running machine that a module's tests share."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.lab.libvirtd import pool_folder
from tests.live.machine import LiveMachine, live_machine


@pytest.fixture(scope="module")
def machine(qemu_system: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[LiveMachine]:
    """A machine, whose document each test begins with `machine.start(...)`."""
    with pool_folder() as folder, live_machine(qemu_system, tmp_path_factory.mktemp("live"), folder) as made:
        yield made
