"""What devices may not have in common is told by the file that says so, before libvirt is asked."""

from __future__ import annotations

from typing import Any

import pytest

from specs.virtualmachine.devices.rules import check_devices

SPICE = {"graphics": {"type": "spice"}}
VNC = {"graphics": {"type": "vnc"}}
CHANNEL = {"name": "org.example.a", "type": "unix"}
SOUND = {"model": "ich9"}

BROKEN: list[tuple[dict[str, Any], str]] = [
    (
        {"sounds": [{**SOUND, "address": "pci 0000:00:05.0"}], "rngs": [{"address": "pci 00:05.0 multifunction"}]},
        "/rngs/0/address",
    ),
    ({"tpm": {"address": "spapr-vio 0x3000"}, "nvramDevice": {"address": "spapr-vio 0x03000"}}, "/nvramDevice/address"),
    (
        {
            "channels": [{**CHANNEL, "address": "virtio-serial 0:0:1"}],
            "consoles": [{"address": "virtio-serial 0:0:1"}],
        },
        "/consoles/0/address",
    ),
    ({"sounds": [{**SOUND, "alias": "ua-a"}], "watchdog": {"alias": "ua-a"}}, "/watchdog/alias"),
    ({"channels": [CHANNEL, CHANNEL]}, "/channels/1/name"),
    ({"serials": [{"type": "pty", "port": 0}, {"type": "null", "port": 0}]}, "/serials/1/port"),
    ({"audios": [{"id": 1, "type": "none"}, {"id": 1, "type": "alsa"}]}, "/audios/1/id"),
    ({**VNC, "redirdevs": [{"type": "spicevmc"}]}, "/redirdevs/0/type"),
    ({**VNC, "audios": [{"id": 1, "type": "spice"}]}, "/audios/0/type"),
    ({"sounds": [{**SOUND, "audio": 2}], "audios": [{"id": 1, "type": "none"}]}, "/sounds/0/audio"),
    ({"iommu": {"model": "intel"}, "machine": "pc"}, "/iommu/model"),
    ({"filesystems": [{"target": "a", "source": "/srv/a", "type": "virtiofs"}]}, "/filesystems/0/type"),
]
GOOD: list[dict[str, Any]] = [
    {},
    {"sounds": [{**SOUND, "address": "pci"}], "rngs": [{"address": "pci"}]},
    {"sounds": [{**SOUND, "address": "pci 0000:00:05.0"}], "rngs": [{"address": "pci 0000:00:05.1"}]},
    {"disks": [{"bus": "sata", "address": "drive 0:0:0:0"}, {"bus": "scsi", "address": "drive 0:0:0:0"}]},
    {**SPICE, "redirdevs": [{"type": "spicevmc"}]},
    {**VNC, "moreGraphics": [{"type": "spice"}], "redirdevs": [{"type": "spicevmc"}]},
    {"redirdevs": [{"type": "spicevmc"}]},
    {"iommu": {"model": "intel"}, "machine": "q35"},
    {
        "filesystems": [{"target": "a", "source": "/srv/a", "type": "virtiofs"}],
        "memoryBacking": {"source": "memfd", "access": "shared"},
    },
]


@pytest.mark.parametrize(("spec", "pointer"), BROKEN, ids=lambda each: each if isinstance(each, str) else "")
def test_what_is_wrong_is_told_at_its_place_with_a_remedy(spec: Any, pointer: str) -> None:
    ((found, sentence),) = check_devices(spec)
    assert found == pointer
    assert any(word in sentence for word in ("choose", "write"))


@pytest.mark.parametrize("spec", GOOD, ids=str)
def test_what_is_right_is_let_through(spec: Any) -> None:
    assert list(check_devices(spec)) == []
