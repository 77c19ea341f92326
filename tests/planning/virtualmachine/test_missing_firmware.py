"""A host without the firmware that a machine wants holds up that machine's start, and nothing else of it."""

from __future__ import annotations

from dataclasses import replace

import pytest

from specs.problem import Unrenderable
from tests.planning.machines import PLAIN, off, world
from tests.planning.worlds import World, check, table, wanted
from tests.specs.virtualmachine.world import QEMU, lowered

NOTHING, INSECURE = replace(QEMU, starts_with=frozenset()), replace(QEMU, starts_with=frozenset({"uefi"}))
UEFI = wanted(firmware="uefi", machine="q35")
SECURE = wanted(firmware="uefi", machine="q35", secureBoot=True)
NO_UEFI = (
    "! web DependencyNotReady: The host has no UEFI for machines; install OVMF (Debian's package ovmf) there, or write "
    "`firmware: bios`. Until then VirtualMachine/web isn't started."
)
NO_SECURE = (
    "! web DependencyNotReady: The host has no UEFI that can boot securely; install one there (Debian's package ovmf "
    "has it), or remove `secureBoot`. Until then VirtualMachine/web isn't started."
)


@table(
    ("a new one is defined and waits", world(UEFI, host=NOTHING),
     "+ web /memory /firmware /machine: define (declared, and not on the host)", NO_UEFI),
    ("so does one that is to boot securely", world(SECURE, host=INSECURE),
     "+ web /memory /firmware /machine /secureBoot: define (declared, and not on the host)", NO_SECURE),
    ("where there is one it is started", world(UEFI, host=INSECURE),
     "+ web /memory /firmware /machine: define, start (declared, and not on the host)"),
    ("one of which nothing is known is tried", world(UEFI),
     "+ web /memory /firmware /machine: define, start (declared, and not on the host)"),
    ("what is there is changed all the same",
     world(wanted(memory=1024, firmware="uefi", machine="q35"), off(UEFI), last=UEFI, host=NOTHING),
     "~ web /memory: define (its document changed)", NO_UEFI),
    ("others don't mind", world(PLAIN, off(), last=PLAIN, host=NOTHING)),
)  # fmt: skip
def test_what_is_done_without_it(world: World, expected: list[str]) -> None:
    check(world.plan(), *expected)


def test_a_host_that_cant_protect_memory_says_so() -> None:
    with pytest.raises(Unrenderable, match="can't keep a machine's memory from itself by sev; enable"):
        lowered({"launchSecurity": {"type": "sev"}}, NOTHING)
    assert lowered({"launchSecurity": {"type": "sev"}}, replace(QEMU, starts_with=frozenset({"sev"})))
