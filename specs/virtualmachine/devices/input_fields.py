"""What documents may say of keyboards, mice and tablets."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from specs.declared import Declared, has, is_one, items, mapping, never, on_off, only_with, where, word, yes_no
from specs.effect import Effect
from specs.notations import HOST_PATH
from specs.virtualmachine.devices.common_fields import DRIVER
from specs.virtualmachine.devices.place_fields import PLACE

_NEXT = Effect.NEXT_BOOT

INPUTS: Final = items(
    "Keyboards, pointers and the like. Default: what libvirt gives a machine of its type; with a console a tablet, "
    "whose pointer is where the viewer's is.",
    mapping(
        "One of them.",
        {
            "type": word(
                "What the guest sees: a mouse, a tablet, a keyboard, a device of the host (`passthrough`), or events "
                "of one (`evdev`).",
                *("tablet", "mouse", "keyboard", "passthrough", "evdev"),
                effect=_NEXT,
                at="@type",
            ),
            "bus": word(
                "What it hangs on. The keyboard and the mouse that a PC has anyway, on PS/2, aren't told here.",
                *("usb", "virtio"),
                effect=_NEXT,
                at="@bus",
            ),
            "model": word(
                "Of virtio: the device's generation. Default: virtio.",
                *("virtio", "virtio-transitional", "virtio-non-transitional"),
                effect=_NEXT,
                at="@model",
                takes_along=("address",),
            ),
            "evdev": HOST_PATH.but(
                "Of passthrough: the host's device, such as /dev/input/event3, which is allowed by allowed-folder. "
                "Default: none.",
                effect=_NEXT,
                at="source/@evdev",
            ),
            "device": HOST_PATH.but(
                "Of evdev: the host's device, likewise. Default: none.", effect=_NEXT, at="source/@dev"
            ),
            "grab": yes_no(
                "Of evdev: whether this keyboard takes all other devices of the host along. Default: false.",
                effect=_NEXT,
                at="source",
                absent=False,
                codec="<source> grab",
            ),
            "grabToggle": word(
                "Of evdev: the keys by which it goes between host and guest. Default: ctrl-ctrl.",
                *("ctrl-ctrl", "alt-alt", "shift-shift", "meta-meta", "scrolllock", "ctrl-scrolllock"),
                effect=_NEXT,
                at="source/@grabToggle",
            ),
            "repeat": on_off(
                "Of evdev: whether a key that stays down repeats. Default: false.", effect=_NEXT, at="source/@repeat"
            ),
            **DRIVER,
            **PLACE,
        },
        required=("type",),
        rules=(
            only_with("evdev", "type", "passthrough", error="Only `type: passthrough` has an `evdev`; remove it."),
            *(
                only_with(name, "type", "evdev", error=f"Only `type: evdev` has a `{name}`; remove it.")
                for name in ("device", "grab", "grabToggle", "repeat")
            ),
            only_with("driver", "bus", "virtio", error="Only `bus: virtio` has a `driver`; remove it."),
            only_with("model", "type", "passthrough", error="Only `type: passthrough` has a `model`; remove it."),
            never(has("device", "bus"), "Events of a device hang on no bus; remove `bus`."),
            where(
                is_one("type", "tablet", "mouse", "keyboard"),
                {"required": ["bus"], "errorMessage": "Write what it hangs on as `bus`: usb or virtio."},
            ),
            where(
                is_one("type", "passthrough"),
                {
                    **has("bus", "evdev"),
                    "errorMessage": "A host's device has `bus: virtio` and its path as `evdev`; write both.",
                },
            ),
            where(
                is_one("type", "evdev"),
                {**has("device"), "errorMessage": "Events come from a device of the host; write its path as `device`."},
            ),
        ),
    ),
    at="devices/input[@bus!='ps2']",
    identity=("type", "bus"),
    effect=Effect.LIVE,
)

FIELDS: Final[Mapping[str, Declared]] = {"inputs": INPUTS}
