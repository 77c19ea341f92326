"""One change by hand is one repair, however many moments it has in libvirt, and nobody is blamed for a fight."""

from __future__ import annotations

import re
from pathlib import Path

import libvirt

from reconciler.ledger.ledger import Ledger
from specs.reference import Ref
from tests.lab.libvirtd import HostObjects
from tests.lab.repositories import Repository
from tests.lab.waiting import until
from tests.stories.agents import running_agent
from tests.stories.live_guest import document

NIC, CDROM = r"<interface .*?</interface>", r"<disk [^>]*device='cdrom'.*?</disk>"


def test_a_device_that_is_updated_by_hand_is_put_back_once(
    qemu_system: str,
    qemu_connection: libvirt.virConnect,
    host_objects: HostObjects,
    repository: Repository,
    dir_pool_folder: Path,
    tmp_path: Path,
) -> None:
    lan, other, name = (host_objects.name(what) for what in ("lan", "other", "vm"))
    images = [dir_pool_folder / f"{number}.iso" for number in (1, 2)]
    for image in images:
        image.write_bytes(bytes(1 << 20))
    machine = {
        "memory": 64, "domainType": "emulated", "runStrategy": "Always", "paused": True,
        "interfaces": [{"network": lan}], "cdroms": [{"name": "cd", "path": str(images[0])}],
    }  # fmt: skip
    repository.commit({
        "lan.yaml": document("Network", lan, {"mode": "isolated"}),
        "other.yaml": document("Network", other, {"mode": "isolated"}),
        "vm.yaml": document("VirtualMachine", name, machine),
    })  # fmt: skip
    state = tmp_path / "state"
    beside, ref = Ledger.open(state, readonly=True), Ref("VirtualMachine", name)

    def update(device: str, old: str, new: str) -> None:
        domain = qemu_connection.lookupByName(name)
        [found] = re.findall(device, domain.XMLDesc(), re.DOTALL)
        own = re.sub(r" (portid|bridge)='[^']*'", "", found)
        assert old in own
        domain.updateDeviceFlags(own.replace(old, new), libvirt.VIR_DOMAIN_AFFECT_LIVE)

    def repairs() -> list[str]:
        return [event.message.partition(": /")[2] for event in beside.history.events() if event.result == "configured"]

    folders = (str(dir_pool_folder),)
    with running_agent(repository.path, qemu_system, state, allowed_folders=folders, resync_s=3600.0) as agent:
        assert beside.drift.records(healed=True) == [], "making it is nobody's drift"
        update(NIC, f"'{lan}'", f"'{other}'")
        agent.queue.changed(Ref("Network", lan))  # where the port is missed; of the machine no event tells
        until(lambda: len(repairs()) == 1 and beside.drift.records(healed=True)[-1].healed_by, 60, "the NIC is back")
        for _ in range(2):
            done = len(repairs())
            update(CDROM, images[0].name, images[1].name)
            agent.queue.changed(ref)
            until(lambda done=done: len(repairs()) > done, 60, "the medium is back")  # type: ignore[misc]
        until(lambda: not beside.drift.records(), 60, "all is at rest")
    assert [repair.partition(" ")[0].rpartition("/")[2] for repair in repairs()] == ["network", "source", "source"]
    assert {event.result for event in beside.history.events(ref=ref)} == {"created", "configured"}
    assert {record.ref for record in beside.drift.records(healed=True)} == {ref}
