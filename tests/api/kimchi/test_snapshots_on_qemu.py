"""Snapshots of a machine that runs: what was in its memory comes back, and it goes on from there."""

from __future__ import annotations

from pathlib import Path

import pytest
import yaml

from tests.api.test_vm_devices_on_qemu import Machine, machine
from tests.lab.serial_console import SerialConsole
from tests.stories.live_guest import BASE, BOOT_LIMIT_S

__all__ = ["machine"]

pytestmark = pytest.mark.qemu


def remembered(machine: Machine) -> str:
    """What the guest's shell has in its memory."""
    with SerialConsole("qemu:///system", machine.name) as console:
        console.wait_until_ready(BOOT_LIMIT_S)
        return console.command("cat /note")


def test_the_memory_of_a_machine_comes_back(guest_base: Path, machine: Machine) -> None:
    api, client = machine.api, machine.api.client
    machine.declare(disks=[{"size": "1GiB", "pool": machine.pool, "base": BASE}], runStrategy="Always")
    with SerialConsole("qemu:///system", machine.name) as console:
        console.wait_until_ready(BOOT_LIMIT_S)
        console.command("echo before > /note")  # its files are in its memory
        assert api.task(client.post(f"{machine.uri}/snapshots", json={"name": "alive"}))["status"] == "finished"
        console.command("echo after > /note")
    snapshot = machine.get("snapshots/alive")
    assert (snapshot["state"], snapshot["actions"]) == ("running", ["revert"])
    assert machine.get("snapshots/current") == snapshot

    assert client.post(f"{machine.uri}/snapshots/alive/revert").status_code == 303
    assert (client.get(machine.uri).json()["state"], remembered(machine)) == ("running", "before")

    assert client.post(f"{machine.uri}/poweroff").json()["state"] == "shutoff"
    assert client.post(f"{machine.uri}/snapshots/alive/revert").status_code == 303
    assert (client.get(machine.uri).json()["state"], remembered(machine)) == ("running", "before")
    assert yaml.safe_load(api.text("vm.yaml"))["spec"]["runStrategy"] == "RerunOnFailure"

    assert client.delete(f"{machine.uri}/snapshots/alive").status_code == 204
    assert machine.get("snapshots") == []
    assert client.get(machine.uri).json()["state"] == "running"


def test_a_running_machine_that_nothing_can_be_kept_of_is_told_why(machine: Machine) -> None:
    api, client = machine.api, machine.api.client
    machine.declare(disks=[{"size": "1GiB", "pool": machine.pool}], firmware="uefi", runStrategy="Always", paused=True)
    failed = api.task(client.post(f"{machine.uri}/snapshots", json={"name": "alive"}))
    assert (failed["status"], "firmware" in failed["message"]) == ("failed", True), failed
    machine.volume("raw.img", "raw")
    attached = client.post(f"{machine.uri}/storages", json={"type": "disk", "pool": machine.pool, "vol": "raw.img"})
    assert attached.status_code == 201, attached.text
    refused = client.post(f"{machine.uri}/snapshots", json={"name": "alive"}).json()["reason"]
    assert refused.startswith("KCHSNAP0010E: ") and attached.json()["dev"] in refused
    assert machine.get("snapshots") == []
