"""What a host's machines can be started with is asked of libvirt."""

from __future__ import annotations

import libvirt

from reconciler.hypervisor.host.starting import starts_with


def test_qemus_host_tells_its_firmware(qemu_connection: libvirt.virConnect) -> None:
    found = starts_with(qemu_connection, "x86_64", "q35")
    assert found is not None
    assert {"uefi", "secure-boot"} <= found
    assert "secure-boot" not in (starts_with(qemu_connection, "x86_64", "pc") or ())


def test_a_driver_that_doesnt_tell_leaves_it_open(private_test_uri: str) -> None:
    assert starts_with(libvirt.open(private_test_uri), "i686", None) is None
