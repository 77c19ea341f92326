"""What documents may say of a guest's serial lines, parallel ports, text consoles and channels."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from specs.declared import Declared, items, mapping, number, text, word, yes_no
from specs.effect import Effect
from specs.virtualmachine.devices.character_fields import end_rules, other_end
from specs.virtualmachine.devices.place_fields import PLACE

_NEXT = Effect.NEXT_BOOT


_ENDS: Final = ("pty", "dev", "file", "pipe", "unix", "tcp", "udp", "null", "stdio", "vc", "spiceport", "dbus")


def _line(about: str, fields: Mapping[str, Declared], *required: str) -> Declared:
    return mapping(about, fields, required=required, rules=end_rules(fields, own_socket="name" in fields))


SERIALS: Final = items(
    "Serial lines of the machine, in order, the first of which is the console. Default: as `serialConsole` says.",
    _line(
        "One serial line.",
        {
            **other_end(*_ENDS),
            "target": word(
                "What the guest sees: isa-serial and pci-serial for x86, usb-serial for any, system-serial for ARM and "
                "RISC-V, spapr-vio-serial for POWER, sclp-serial for s390x, isa-debug for the firmware's own messages. "
                "Default: what is usual for the machine type.",
                *(
                    "isa-serial",
                    "usb-serial",
                    "pci-serial",
                    "spapr-vio-serial",
                    "system-serial",
                    "sclp-serial",
                    "isa-debug",
                ),
                effect=_NEXT,
                at="target/@type",
                takes_along=("target/model", "address"),
            ),
            "model": word(
                "The device's model, which has to go with `target`. Default: the one of its target.",
                *(
                    "isa-serial",
                    "usb-serial",
                    "pci-serial",
                    "spapr-vty",
                    "pl011",
                    "16550a",
                    "sclpconsole",
                    "sclplmconsole",
                    "isa-debugcon",
                ),
                effect=_NEXT,
                at="target/model/@name",
            ),
            "port": number(
                "Its number among the serial lines: 0 is COM1. Default: the next one.",
                0,
                31,
                effect=_NEXT,
                at="target/@port",
            ),
            **PLACE,
        },
        "type",
    ),
    at="devices/serial",
    effect=_NEXT,
)

_OF_PARALLEL: Final = other_end("pty", "dev", "file", "pipe", "unix", "tcp", "udp", "null", "stdio", "vc")
PARALLELS: Final = items(
    "Parallel ports of the machine, in order. Default: none.",
    _line(
        "One parallel port.",
        {
            **{name: each for name, each in _OF_PARALLEL.items() if name != "channel"},
            "port": number("Its number. Default: the next one.", 0, 31, effect=_NEXT, at="target/@port"),
            **PLACE,
        },
        "type",
    ),
    at="devices/parallel",
    effect=_NEXT,
)

CONSOLES: Final = items(
    "Text consoles of the machine beside its first serial line, such as virtio's (hvc0 in the guest). Default: none.",
    _line(
        "One console.",
        {
            "target": word(
                "What the guest sees: virtio's console, or the two of s390x.",
                *("virtio", "sclp", "sclplm"),
                effect=_NEXT,
                at="target/@type",
            ),
            **other_end(*_ENDS),
            **PLACE,
        },
        "target",
        "type",
    ),
    at="devices/console[target/@type!='serial']",
    identity=("target",),
    effect=_NEXT,
)

CHANNELS: Final = items(
    "Channels between programs of the guest and of the host, each of which the guest finds by its name. Default: a new "
    "machine has that of the guest agent.",
    _line(
        "One channel.",
        {
            "name": text(
                "Its name in the guest: org.qemu.guest_agent.0 is the guest agent's, com.redhat.spice.0 that of the "
                "viewer's agent (clipboard, size of the screen).",
                r"^[A-Za-z0-9_.:-]{1,128}$",
                examples=("org.qemu.guest_agent.0",),
                error="A channel's name has letters, digits, `.`, `_`, `:` and `-`; correct it.",
                effect=_NEXT,
                at="target/@name",
            ),
            **other_end(),
            "clipboard": yes_no(
                "Of qemu-vdagent: whether the viewer and the guest share a clipboard. Default: false.",
                effect=_NEXT,
                at="source/clipboard/@copypaste",
            ),
            "mouse": word(
                "Of qemu-vdagent: whose pointer moves. Default: chosen by QEMU.",
                *("server", "client"),
                effect=_NEXT,
                at="source/mouse/@mode",
            ),
            **PLACE,
        },
        "name",
        "type",
    ),
    at="devices/channel[target/@type='virtio']",
    identity=("name",),
    effect=Effect.LIVE,
)

FIELDS: Final[Mapping[str, Declared]] = {
    "channels": CHANNELS,
    "serials": SERIALS,
    "consoles": CONSOLES,
    "parallels": PARALLELS,
}
