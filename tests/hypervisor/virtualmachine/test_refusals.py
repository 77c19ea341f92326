"""What a running machine was told in vain is remembered for that run, and for nothing else."""

from __future__ import annotations

import libvirt
import pytest

from reconciler.hypervisor.virtualmachine import refusals
from reconciler.hypervisor.virtualmachine.refusals import Refusals, is_refusal
from reconciler.observed.snapshot import Observed
from reconciler.planning.operations import EditLive
from specs.reference import VIRTUAL_MACHINE, Ref

WEB = Ref(VIRTUAL_MACHINE, "web")
CARD = EditLive(WEB, "attach", "<interface/>")
MORE = EditLive(WEB, "memory", str(96 * 1024))


def running(mebibytes: int) -> Observed:
    memory = f"<memory unit='MiB'>128</memory><currentMemory unit='MiB'>{mebibytes}</currentMemory>"
    xml = f"<domain id='3'><name>web</name>{memory}</domain>"
    return Observed(WEB, "", xml, live_xml=xml, state="running")


def test_a_refusal_counts_for_the_run_in_which_it_was_made() -> None:
    known = Refusals()
    known.refused(CARD, "3", "no more slots")
    assert known.known()[(CARD, "3")].until_boot
    assert "no more slots" in known.known()[(CARD, "3")].why
    known.refused(MORE, "4", "no balloon")
    assert list(known.known()) == [(MORE, "4")], "the run before is over"


def test_a_guest_that_has_followed_will_have_to_be_told_again() -> None:
    known = Refusals()
    known.told(MORE, "3", "slow")
    known.look({WEB: running(64)})
    assert not known.known()[(MORE, "3")].until_boot
    known.look({WEB: running(96)})
    assert known.known() == {}


def test_of_two_amounts_of_memory_the_last_one_counts() -> None:
    known, less = Refusals(), EditLive(WEB, "memory", str(64 * 1024))
    known.refused(CARD, "3", "no more slots")
    known.told(MORE, "3", "slow")
    known.told(less, "3", "slow")
    assert set(known.known()) == {(CARD, "3"), (less, "3")}


def test_a_slow_guest_is_told_once_more_after_a_while(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(refusals, "TOLD_AGAIN_S", 0.0)
    known = Refusals()
    known.told(MORE, "3", "slow")
    assert known.known() == {}


def error(text: str, code: int = libvirt.VIR_ERR_INTERNAL_ERROR) -> libvirt.libvirtError:
    raised = libvirt.libvirtError(text)
    raised.err = (code, libvirt.VIR_FROM_QEMU, text, libvirt.VIR_ERR_ERROR, text, None, None, -1, -1)
    return raised


@pytest.mark.parametrize(
    ("text", "code", "refusal"),
    [
        ("internal error: No more available PCI slots", libvirt.VIR_ERR_INTERNAL_ERROR, True),
        ("Bus 'pcie.0' does not support hotplugging", libvirt.VIR_ERR_INTERNAL_ERROR, True),
        ("device type cannot be detached", libvirt.VIR_ERR_OPERATION_UNSUPPORTED, True),
        ("unsupported configuration: vcpu count", libvirt.VIR_ERR_CONFIG_UNSUPPORTED, True),
        ("Could not open '/x': Permission denied", libvirt.VIR_ERR_INTERNAL_ERROR, False),
        ("Network not found", libvirt.VIR_ERR_NO_NETWORK, False),
    ],
)
def test_a_refusal_is_told_from_a_failure(text: str, code: int, refusal: bool) -> None:
    assert is_refusal(error(text, code)) is refusal
