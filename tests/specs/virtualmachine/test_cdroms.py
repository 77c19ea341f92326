"""The drive stays, the medium changes: no drive is swapped with another or added twice."""

from __future__ import annotations

from typing import Any

import pytest

from specs.binding import parse
from specs.effect import Effect
from tests.specs.virtualmachine.world import IMAGES, QEMU, changed, diff, rendered

DEBIAN, FEDORA, TOOLS = ({"path": f"/srv/iso/{name}.iso"} for name in ("debian", "fedora", "tools"))
SEED = {"name": "seed", "volume": "default/onggi-seed-web-000000000001.iso"}
NEW_SEED = {"name": "seed", "volume": "default/onggi-seed-web-000000000002.iso"}


def machine(*cdroms: dict[str, Any]) -> dict[str, Any]:
    return {"cdroms": list(cdroms)}


def media(text: str) -> dict[str, str]:
    """What is in each drive, by its device name."""
    drives = parse(text).findall("devices/disk[@device='cdrom']")
    return {drive.find("target").get("dev"): _file(drive) for drive in drives}


def _file(drive: Any) -> str:
    source = drive.find("source")
    return "" if source is None else source.get("file").rpartition("/")[2]


def after(before: dict[str, Any], spec: dict[str, Any]) -> dict[str, str]:
    return media(changed(rendered(before, QEMU), spec, QEMU, before))


def test_a_new_medium_goes_into_the_same_drive_of_the_running_machine() -> None:
    before, spec = machine(DEBIAN), machine(FEDORA)
    assert after(before, spec) == {"sda": "fedora.iso"}
    (change,) = diff(spec, rendered(before, QEMU), QEMU, before)
    assert (change.pointer, change.effect) == ("/cdroms/cdrom0/source", Effect.LIVE)
    assert change.old == {"file": "/srv/iso/debian.iso"}


def test_an_ejected_medium_is_put_back_into_its_drive() -> None:
    text = rendered(machine(DEBIAN), QEMU).replace('<source file="/srv/iso/debian.iso"/>', "")
    (change,) = diff(machine(DEBIAN), text, QEMU)
    assert change.old == {}
    assert media(changed(text, machine(DEBIAN), QEMU)) == {"sda": "debian.iso"}


def test_a_drive_that_is_declared_empty_is_emptied() -> None:
    assert after(machine(DEBIAN), machine({})) == {"sda": ""}


def test_removing_the_first_drive_leaves_the_second_alone() -> None:
    assert after(machine(DEBIAN, TOOLS), machine(TOOLS)) == {"sdb": "tools.iso"}


def test_a_drive_whose_name_moved_up_can_still_be_removed_later() -> None:
    both, second = machine(DEBIAN, TOOLS), machine(TOOLS)
    text = changed(rendered(both, QEMU), second, QEMU, both)
    assert media(changed(text, machine(), QEMU, second)) == {}


def test_a_new_first_drive_leaves_the_others_alone() -> None:
    assert after(machine(TOOLS), machine(DEBIAN, TOOLS)) == {"sda": "tools.iso", "sdb": "debian.iso"}


def test_named_drives_swap_their_media_and_not_themselves() -> None:
    before = machine({"name": "one", **DEBIAN}, {"name": "two", **TOOLS})
    spec = machine({"name": "one", **TOOLS}, {"name": "two", **DEBIAN})
    assert after(before, spec) == {"sda": "tools.iso", "sdb": "debian.iso"}


def test_a_declared_target_decides() -> None:
    before = machine({"target": "sdx", **DEBIAN}, {"target": "sdy", **TOOLS})
    spec = machine({"target": "sdy", **FEDORA}, {"target": "sdx", **TOOLS})
    assert after(before, spec) == {"sdx": "tools.iso", "sdy": "fedora.iso"}


def test_a_changed_seed_is_swapped_in_place() -> None:
    before, spec = machine(DEBIAN, SEED), machine(DEBIAN, NEW_SEED)
    assert after(before, spec) == {"sda": "debian.iso", "sdb": "onggi-seed-web-000000000002.iso"}
    (change,) = diff(spec, rendered(before, QEMU), QEMU, before)
    assert (change.pointer, change.effect) == ("/cdroms/seed/source", Effect.LIVE)


def test_a_seed_is_known_by_its_file_even_where_the_drive_has_lost_its_name() -> None:
    text = rendered(machine(SEED), QEMU).replace('<alias name="ua-onggi-cdrom-seed"/>', "")
    assert media(changed(text, machine(NEW_SEED), QEMU)) == {"sda": "onggi-seed-web-000000000002.iso"}


def test_a_first_seed_takes_nobodys_drive_and_a_new_drive_takes_no_seeds() -> None:
    assert after(machine({}), machine({}, SEED)) == {"sda": "", "sdb": "onggi-seed-web-000000000001.iso"}
    assert after(machine(SEED), machine(DEBIAN, SEED)) == {
        "sda": "onggi-seed-web-000000000001.iso",
        "sdb": "debian.iso",
    }


@pytest.mark.parametrize(("bus", "effect"), [("scsi", Effect.LIVE), ("sata", Effect.NEXT_BOOT)])
def test_cloud_init_that_is_no_longer_declared_takes_its_drive_along(bus: str, effect: Effect) -> None:
    before: dict[str, Any] = machine(SEED | {"bus": bus})
    assert after(before, {}) == {}
    (change,) = diff({}, rendered(before, QEMU), QEMU, before)
    assert (change.pointer, change.new, change.effect) == ("/cdroms/seed", None, effect)


def bus_of_the_seed(text: str) -> str:
    (alias,) = parse(text).iterfind("devices/disk/alias[@name='ua-onggi-cdrom-seed']")
    return str(alias.getparent().find("target").get("bus"))  # type: ignore[union-attr]


def test_a_new_seed_is_on_the_bus_that_kernels_made_for_clouds_know() -> None:
    text = rendered(machine(DEBIAN, SEED), QEMU)
    assert bus_of_the_seed(text) == "scsi"
    assert [each.get("model") for each in parse(text).iterfind("devices/controller[@type='scsi']")] == ["virtio-scsi"]
    (change,) = diff(machine(SEED), rendered({}, QEMU), QEMU)
    assert (change.pointer, change.effect) == ("/cdroms/seed", Effect.LIVE)


def test_a_seed_that_is_there_stays_on_its_bus_until_another_is_declared() -> None:
    before, new = machine(SEED | {"bus": "sata"}), machine(NEW_SEED)
    text = rendered(before, QEMU)
    assert diff(machine(SEED), text, QEMU, before) == []
    swapped = changed(text, new, QEMU, before)
    assert bus_of_the_seed(swapped) == "sata" and list(media(swapped).values()) == ["onggi-seed-web-000000000002.iso"]

    moved = machine(SEED | {"bus": "scsi"})
    (change,) = diff(moved, text, QEMU, before)
    assert (change.pointer, change.effect) == ("/cdroms/seed/bus", Effect.NEXT_BOOT)
    assert bus_of_the_seed(changed(text, moved, QEMU, before)) == "scsi"


def test_an_adopted_machines_drive_is_used_instead_of_a_second_one() -> None:
    text = rendered(machine(DEBIAN), QEMU).replace('<alias name="ua-onggi-cdrom-cdrom0"/>', "")
    assert media(changed(text, machine(FEDORA), QEMU)) == {"sda": "fedora.iso"}


def test_a_drive_that_somebody_else_attached_stays_when_ours_goes() -> None:
    before = machine(DEBIAN)
    text = rendered(before, QEMU).replace("ua-onggi-cdrom-cdrom0", "ua-theirs")
    assert media(changed(text, machine(), QEMU, before)) == {"sda": "debian.iso"}


def test_a_volume_of_a_known_pool_is_the_same_medium_as_its_path() -> None:
    text = rendered(machine({"path": f"{IMAGES}/x.iso"}), QEMU)
    assert diff(machine({"volume": "default/x.iso"}), text, QEMU) == []
