"""The law of every StorageVolume: what is declared, made and read again agrees with what was declared."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import libvirt
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from specs.host import Host, VolumeSource
from specs.reference import Ref
from specs.storagevolume import KIND
from tests.lab.libvirtd import HostObjects
from tests.specs.rendering import assert_at_rest, drift, lowered, new_xml

MIB = 1 << 20
CAPACITIES = st.integers(MIB, 64 * MIB).map("{}B".format) | st.sampled_from(["1MiB", "1.333 MiB", "10M", "3GiB"])
FORMATS = st.sampled_from(["qcow2", "raw", "iso", "qcow", "qed", "vmdk", "vdi", "vpc"])
VOLUMES = st.fixed_dictionaries({"pool": st.just("tc"), "capacity": CAPACITIES}, optional={"format": FORMATS})

several = settings(deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow])


class Pool:
    """A running folder pool, which specs call `tc`, and the host as it is with it."""

    def __init__(self, connection: libvirt.virConnect, name: str, folder: str) -> None:
        self.folder = folder
        self.volumes: dict[Ref, VolumeSource] = {}
        self.pool = connection.storagePoolDefineXML(
            f"<pool type='dir'><name>{name}</name><target><path>{folder}</path></target></pool>"
        )
        self.pool.create()

    def lowered(self, spec: dict[str, Any], name: str = "disk") -> dict[str, Any]:
        host = Host(pool_paths={"tc": self.folder}, volumes=self.volumes)
        return lowered(KIND, {"pool": "tc"} | spec, name=name, host=host)

    def make(self, concrete: dict[str, Any], name: str = "disk") -> libvirt.virStorageVol:
        volume = self.pool.createXML(new_xml(KIND, concrete, name=name, host=Host(pool_paths={"tc": self.folder})))
        image_format = concrete.get("format", "qcow2")
        self.volumes[Ref.volume("tc", name)] = VolumeSource(volume.path(), "file", image_format)
        return volume

    def look(self, name: str = "disk") -> str:
        """A volume's XML after libvirt looked into the file."""
        self.pool.refresh()
        return str(self.pool.storageVolLookupByName(name).XMLDesc())

    def end(self) -> None:
        self.pool.destroy()
        self.pool.undefine()


@pytest.fixture
def real_pool(qemu_connection: libvirt.virConnect, host_objects: HostObjects, dir_pool_folder: Path) -> Iterator[Pool]:
    pool = Pool(qemu_connection, host_objects.name("tc-volumes"), str(dir_pool_folder))
    yield pool
    pool.end()


@pytest.fixture
def fake_pool(private_test_uri: str) -> Iterator[Pool]:
    connection = libvirt.open(private_test_uri)
    yield Pool(connection, "tc", "/srv/onggi-law")
    connection.close()


@settings(several, max_examples=100)
@given(spec=VOLUMES)
def test_what_is_made_on_the_test_driver_agrees(fake_pool: Pool, spec: dict[str, Any]) -> None:
    concrete = fake_pool.lowered(spec)
    volume = fake_pool.make(concrete)
    try:
        assert_at_rest(KIND, concrete, fake_pool.look())
    finally:
        volume.delete()


@settings(several, max_examples=25)
@given(spec=VOLUMES)
def test_what_is_made_on_qemu_agrees(real_pool: Pool, spec: dict[str, Any]) -> None:
    concrete = real_pool.lowered(spec)
    volume = real_pool.make(concrete)
    try:
        assert_at_rest(KIND, concrete, real_pool.look())
    finally:
        volume.delete()


@pytest.mark.parametrize("base_format", ["qcow2", "raw"])
def test_a_volume_with_a_base_agrees_and_keeps_the_bases_format(real_pool: Pool, base_format: str) -> None:
    real_pool.make(real_pool.lowered({"capacity": "8MiB", "format": base_format}, "base"), "base")
    concrete = real_pool.lowered({"capacity": "16MiB", "format": "qcow2", "backingVolume": "base"})
    real_pool.make(concrete)
    assert concrete["backingVolume"] == {"path": f"{real_pool.folder}/base", "format": base_format}
    assert_at_rest(KIND, concrete, real_pool.look())
    assert f"<format type='{base_format}'/>" in real_pool.look().partition("<backingStore>")[2]
    for name in ("disk", "base"):
        real_pool.pool.storageVolLookupByName(name).delete()


@pytest.mark.parametrize("image_format", ["qcow2", "raw"])
def test_growing_a_volume_settles_it(real_pool: Pool, image_format: str) -> None:
    volume = real_pool.make(real_pool.lowered({"capacity": "8MiB", "format": image_format}))
    wanted = real_pool.lowered({"capacity": "12.5MiB", "format": image_format})
    (change,) = drift(KIND, wanted, real_pool.look())
    volume.resize(change.new)
    assert_at_rest(KIND, wanted, real_pool.look())
    volume.delete()


def test_a_raw_volume_takes_no_room_before_it_is_written(real_pool: Pool) -> None:
    volume = real_pool.make(real_pool.lowered({"capacity": "1GiB", "format": "raw"}))
    assert Path(volume.path()).stat().st_blocks == 0
    volume.delete()


def test_a_volume_for_given_bytes_has_exactly_their_length(real_pool: Pool) -> None:
    seed = KIND.xml.lower(
        {"pool": "tc", "format": "raw"}, name="seed", uid="", host=Host(pool_paths={"tc": real_pool.folder})
    )
    volume = real_pool.make({**seed, "capacity": 374_785}, "seed")
    assert Path(volume.path()).stat().st_size == 374_785
    volume.delete()
