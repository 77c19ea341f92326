"""The law of every StoragePool: what is declared, defined and read again agrees with what was declared."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

import libvirt
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from specs.host import Host
from specs.storagepool import KIND
from tests.lab.libvirtd import HostObjects
from tests.specs.rendering import assert_at_rest, lowered, new_xml, patch
from tests.specs.storagepool.generated import BY_TYPE

HOST = Host()
INACTIVE = libvirt.VIR_STORAGE_XML_INACTIVE
# iscsi-direct needs a part of libvirt that isn't on every host. libvirtd itself makes no difference between the others
# and refuses two pools with one source, so they are only defined.
ON_QEMU = [each for each in BY_TYPE if each not in ("iscsi-direct", "zfs", "rbd", "gluster")]


def kept(spec: dict[str, Any]) -> dict[str, Any]:
    """What the test driver keeps of it: it has no word for how something is mounted."""
    return {key: value for key, value in spec.items() if key != "mountOptions"}


several = settings(deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow])


@contextmanager
def defined(connection: libvirt.virConnect, xml: str) -> Iterator[libvirt.virStoragePool]:
    pool = connection.storagePoolDefineXML(xml)
    try:
        yield pool
    finally:
        with suppress(libvirt.libvirtError):
            pool.destroy()
        pool.undefine()


@pytest.fixture
def test_driver(private_test_uri: str) -> Iterator[libvirt.virConnect]:
    connection = libvirt.open(private_test_uri)
    yield connection
    connection.close()


@settings(several, max_examples=200)
@given(spec=st.one_of(*BY_TYPE.values()))
def test_what_is_defined_on_the_test_driver_agrees(test_driver: libvirt.virConnect, spec: dict[str, Any]) -> None:
    concrete = lowered(KIND, kept(spec), name="tc-law", host=HOST)
    with defined(test_driver, new_xml(KIND, concrete, name="tc-law", host=HOST)) as pool:
        assert_at_rest(KIND, concrete, pool.XMLDesc())


@settings(several, max_examples=60)
@given(spec=st.one_of(*(BY_TYPE[each] for each in ON_QEMU)))
def test_what_is_defined_on_qemu_agrees(
    qemu_connection: libvirt.virConnect, host_objects: HostObjects, spec: dict[str, Any]
) -> None:
    name = host_objects.name("tc-law")
    concrete = lowered(KIND, spec, name=name, host=HOST)
    with defined(qemu_connection, new_xml(KIND, concrete, name=name, host=HOST)) as pool:
        assert_at_rest(KIND, concrete, pool.XMLDesc(INACTIVE))


@pytest.mark.parametrize("type_", BY_TYPE)
def test_a_pool_can_be_changed_into_any_other_of_its_type(test_driver: libvirt.virConnect, type_: str) -> None:
    @settings(deadline=None, max_examples=30, suppress_health_check=[HealthCheck.too_slow])
    @given(before=BY_TYPE[type_], after=BY_TYPE[type_])
    def law(before: dict[str, Any], after: dict[str, Any]) -> None:
        start = lowered(KIND, kept(before), name="tc-law", host=HOST)
        goal = lowered(KIND, kept(after), name="tc-law", host=HOST)
        with defined(test_driver, new_xml(KIND, start, name="tc-law", host=HOST)) as pool:
            test_driver.storagePoolDefineXML(patch(KIND, goal, pool.XMLDesc()))
            assert_at_rest(KIND, goal, pool.XMLDesc())

    law()


def test_a_started_folder_agrees_too(
    qemu_connection: libvirt.virConnect, host_objects: HostObjects, dir_pool_folder: Path
) -> None:
    name = host_objects.name("tc-dir")
    spec = {"type": "dir", "path": f"{dir_pool_folder}//deep/er/"}
    concrete = lowered(KIND, spec, name=name, host=HOST)
    with defined(qemu_connection, new_xml(KIND, concrete, name=name, host=HOST)) as pool:
        pool.build()
        pool.create()
        assert (dir_pool_folder / "deep/er").is_dir()
        assert_at_rest(KIND, concrete, pool.XMLDesc())
        assert_at_rest(KIND, concrete, pool.XMLDesc(INACTIVE))
