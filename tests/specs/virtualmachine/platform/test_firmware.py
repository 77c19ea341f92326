"""What boots a machine: chosen by the host, securely or not, or a certain file."""

from __future__ import annotations

from typing import Any

import libvirt
import pytest

from specs.binding import parse, text_at
from tests.lab.libvirtd import HostObjects
from tests.specs.virtualmachine.world import QEMU, changed, defined, diff, inactive, observed, rendered, unchanged

SECURE = {"firmware": "uefi", "machine": "q35", "secureBoot": True}
OVMF = "/usr/share/OVMF/OVMF_CODE_4M.fd"
OWN: dict[str, Any] = {"firmware": "uefi", "loader": {"path": OVMF, "type": "pflash", "readonly": True}}


def test_secure_boot_brings_all_that_it_takes() -> None:
    root = parse(rendered(SECURE, QEMU))
    assert text_at(root, "os/@firmware") == "efi"
    assert text_at(root, "os/loader/@secure") == "yes"
    assert text_at(root, "features/smm/@state") == "on"
    enabled = {each.get("name"): each.get("enabled") for each in root.iterfind("os/firmware/feature")}
    assert enabled == {"secure-boot": "yes", "enrolled-keys": "yes"}


def test_its_keys_can_be_others() -> None:
    spec = {**SECURE, "firmwareFeatures": {"enrolledKeys": False}}
    assert observed(rendered(spec, QEMU))["firmwareFeatures"] == {"secureBoot": True, "enrolledKeys": False}
    assert diff(spec, rendered(spec, QEMU), QEMU) == []


def test_it_can_be_switched_off_and_on_again() -> None:
    off = {**SECURE, "secureBoot": False}
    without = changed(rendered(SECURE, QEMU), off, QEMU)
    assert observed(without)["secureBoot"] is False
    assert diff(off, without, QEMU) == []
    assert diff(SECURE, changed(without, SECURE, QEMU), QEMU) == []


def test_a_certain_file_takes_the_place_of_the_hosts_choice() -> None:
    chosen = rendered(SECURE, QEMU)
    text = changed(chosen, {**OWN, "secureBoot": False}, QEMU)
    root = parse(text)
    assert (text_at(root, "os/@firmware"), root.find("os/firmware")) == (None, None)
    assert text_at(root, "os/loader") == OVMF
    assert diff(OWN, text, QEMU) == []
    back = changed(text, {"firmware": "bios"}, QEMU)
    assert parse(back).find("os/loader") is None


def test_a_file_beside_uefi_is_flash_memory() -> None:
    text = rendered({"firmware": "uefi", "loader": {"path": OVMF}}, QEMU)
    loader = parse(text).find("os/loader")
    assert loader is not None
    assert dict(loader.attrib) == {"readonly": "yes", "type": "pflash"}


def test_what_a_running_machine_tells_of_the_hosts_choice_is_no_documents() -> None:
    told = (
        "<domain><os firmware='efi'><type>hvm</type><loader readonly='yes' type='pflash'>/x</loader>"
        "<nvram template='/y'>/z</nvram></os><devices/></domain>"
    )
    assert "path" not in observed(told).get("loader", {})


@pytest.mark.parametrize("spec", [SECURE, OWN, {**SECURE, "secureBoot": False}])
def test_qemu_starts_with_it_and_it_stays_as_declared(
    qemu_connection: libvirt.virConnect, host_objects: HostObjects, spec: dict[str, Any]
) -> None:
    name = host_objects.name("firmware")
    whole = {**spec, "memory": 64, "graphics": {"type": "none"}}
    with defined(qemu_connection, rendered(whole, QEMU, name)) as domain:
        domain.createWithFlags(libvirt.VIR_DOMAIN_START_PAUSED)
        live = domain.XMLDesc()
        assert observed(live)["firmware"] == "uefi"
        assert bool(observed(live).get("secureBoot")) is bool(spec.get("secureBoot"))
        for text in (inactive(domain), live):
            assert diff(whole, text, QEMU, name=name) == []
        assert changed(inactive(domain), whole, QEMU, name=name) == unchanged(inactive(domain))
