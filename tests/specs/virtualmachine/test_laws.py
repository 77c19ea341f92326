"""define → read → nothing differs; a change → define → read → nothing differs; on the test driver and on QEMU."""

from __future__ import annotations

from typing import Any

import libvirt
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from specs.host import Host
from tests.lab.libvirtd import HostObjects
from tests.specs.virtualmachine.machines import specs
from tests.specs.virtualmachine.world import (
    QEMU,
    TEST_DRIVER,
    changed,
    defined,
    diff,
    filled,
    inactive,
    rendered,
    unchanged,
)

# A host is the same for all examples: each defines its machine and takes it away again.
SAME_HOST = [HealthCheck.function_scoped_fixture, HealthCheck.too_slow]
# The chipset decides which buses there are: pc has IDE, and two USB ports only.
Q35, PC = specs("q35"), specs("pc", ("virtio", "scsi", "sata", "ide"))
EITHER = specs("q35", ("virtio", "scsi", "sata")) | specs("pc", ("virtio", "scsi", "sata"))


@pytest.fixture
def test_driver(private_test_uri: str) -> libvirt.virConnect:
    return libvirt.open(private_test_uri)


def check_definition(connection: libvirt.virConnect, host: Host, name: str, spec: dict[str, Any]) -> None:
    with defined(connection, filled(rendered(spec, host, name), spec)) as domain:
        text = inactive(domain)
        assert diff(spec, text, host, name=name) == []
        assert changed(text, spec, host, name=name) == unchanged(text)


def check_change(
    connection: libvirt.virConnect, host: Host, name: str, before: dict[str, Any], after: dict[str, Any]
) -> None:
    with defined(connection, filled(rendered(before, host, name), before)) as domain:
        wanted = changed(inactive(domain), after, host, before, name)
        text = inactive(connection.defineXML(filled(wanted, after)))
        assert diff(after, text, host, before, name) == []
        assert changed(text, after, host, before, name) == unchanged(text)


@given(spec=specs())
@settings(max_examples=150, deadline=None, suppress_health_check=SAME_HOST)
def test_what_was_defined_on_the_test_driver_reads_as_declared(test_driver: libvirt.virConnect, spec: Any) -> None:
    check_definition(test_driver, TEST_DRIVER, "web", spec)


@given(before=specs(), after=specs())
@settings(max_examples=150, deadline=None, suppress_health_check=SAME_HOST)
def test_what_was_changed_on_the_test_driver_reads_as_declared(
    test_driver: libvirt.virConnect, before: Any, after: Any
) -> None:
    check_change(test_driver, TEST_DRIVER, "web", before, after)


@given(spec=Q35 | PC)
@settings(max_examples=25, deadline=None, suppress_health_check=SAME_HOST)
def test_what_was_defined_on_qemu_reads_as_declared(
    qemu_connection: libvirt.virConnect, host_objects: HostObjects, spec: Any
) -> None:
    check_definition(qemu_connection, QEMU, host_objects.name("law"), spec)


@given(change=st.tuples(Q35, Q35) | st.tuples(PC, PC) | st.tuples(EITHER, EITHER))
@settings(max_examples=25, deadline=None, suppress_health_check=SAME_HOST)
def test_what_was_changed_on_qemu_reads_as_declared(
    qemu_connection: libvirt.virConnect, host_objects: HostObjects, change: Any
) -> None:
    check_change(qemu_connection, QEMU, host_objects.name("law"), *change)
