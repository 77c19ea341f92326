"""A host of the test driver with what the original's clients expect to find: a pool `default`, images, a network."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import libvirt
import pytest

from tests.api.kimchi.words import Kimchi
from tests.api.live import live_api
from tests.lab.repositories import Repository

_POOL = "<pool type='dir'><name>default</name><target><path>{path}</path></target></pool>"
_VOLUME = (
    "<volume><name>{name}</name><capacity unit='GiB'>{size}</capacity>"
    "<target><format type='{format}'/></target></volume>"
)


@pytest.fixture
def kimchi(hand: libvirt.virConnect, repository: Repository, tmp_path: Path) -> Iterator[Kimchi]:
    """Volumes base.qcow2 (3 GiB), data.qcow2 and installer.iso in the pool; a file some.iso in the folder `isos`."""
    (isos := tmp_path / "isos").mkdir()
    (isos / "some.iso").write_bytes(bytes(2048 * 20))
    pool = hand.storagePoolDefineXML(_POOL.format(path=tmp_path / "pool"), 0)
    pool.create(0)
    for name, size, form in (("base.qcow2", 3, "qcow2"), ("data.qcow2", 1, "qcow2"), ("installer.iso", 1, "iso")):
        pool.createXML(_VOLUME.format(name=name, size=size, format=form), 0)
    repository.commit({}, "Begin")
    with live_api(repository, tmp_path / "state", allowed_folders=(str(isos),)) as running:
        yield Kimchi(running, tmp_path)
