"""A new machine of other processors than a PC's has what fits those, and nothing that they don't know."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from specs.binding import parse, text_at
from specs.effect import Effect
from specs.problem import Unrenderable
from tests.specs.virtualmachine.world import KVM, QEMU, diff, lowered, rendered

FOREIGN = replace(KVM, emulators={arch: f"/usr/bin/qemu-system-{arch}" for arch in ("x86_64", "aarch64", "s390x")})


def tags(spec: dict[str, Any], path: str) -> set[str]:
    return {str(each.tag) for each in parse(rendered(spec, FOREIGN)).iterfind(path)}


@pytest.mark.parametrize(
    ("arch", "machine", "firmware"),
    [("aarch64", "virt", "efi"), ("s390x", "s390-ccw-virtio", None), ("ppc64le", "pseries", None),
     ("riscv64", "virt", None), ("i686", "q35", None)],
)  # fmt: skip
def test_each_has_its_own_machine_type_and_firmware(arch: str, machine: str, firmware: str | None) -> None:
    root = parse(rendered({"arch": arch}, replace(FOREIGN, emulators={})))
    assert text_at(root, "os/type/@arch") == arch
    assert text_at(root, "os/type/@machine") == machine
    assert text_at(root, "os/@firmware") == firmware


def test_what_others_processors_dont_have_isnt_there() -> None:
    mainframe = {"arch": "s390x"}
    assert tags(mainframe, "features") == tags(mainframe, "pm") == set()
    assert tags(mainframe, "devices/controller") == set()
    buses = {each.get("bus") for each in parse(rendered(mainframe, FOREIGN)).iterfind("devices/input")}
    assert buses == {"virtio"}


def test_arm_has_acpi_from_uefi_alone() -> None:
    assert tags({"arch": "aarch64"}, "features/acpi") == {"acpi"}
    assert tags({"arch": "aarch64", "firmware": "bios"}, "features/acpi") == set()
    kernel = {"arch": "aarch64", "kernelBoot": {"kernel": "/srv/boot/Image"}}
    assert tags(kernel, "features/acpi") == set()


def test_other_processors_than_the_hosts_are_emulated() -> None:
    assert parse(rendered({"arch": "aarch64"}, FOREIGN)).get("type") == "qemu"
    assert parse(rendered({"arch": "x86_64"}, FOREIGN)).get("type") == "kvm"


def test_a_host_without_an_emulator_says_so() -> None:
    with pytest.raises(Unrenderable, match="no emulator for riscv64, only for aarch64, s390x, x86_64; install"):
        lowered({"arch": "riscv64"}, FOREIGN)


def test_a_machine_that_exists_keeps_its_processors() -> None:
    (change,) = diff({"arch": "aarch64"}, rendered({}, QEMU), QEMU)
    assert change.effect is Effect.FORBIDDEN
    assert "made for x86_64" in change.note
