"""What documents may say of a machine's picture: its video cards, and further ways to see it beside `graphics`."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from specs.declared import Declared, has, items, mapping, number, only_with, where, word, yes_no
from specs.effect import Effect
from specs.notations import HOST_PATH, SIZE
from specs.virtualmachine.devices.common_fields import DRIVER
from specs.virtualmachine.devices.place_fields import PLACE

_NEXT = Effect.NEXT_BOOT
# What one model knows and another doesn't, and where it is, which another has elsewhere.
_OF_MODEL: Final = (
    *(f"model/@{name}" for name in ("ram", "vram", "vram64", "vgamem", "heads")),
    *("model/acceleration", "model/resolution", "driver", "address"),
)


def _memory(what: str, name: str) -> Declared:
    return SIZE.but(f"{what} Default: chosen by libvirt.", effect=_NEXT, at=f"model/@{name}", codec="KiB")


VIDEOS: Final = items(
    "Video cards, in order: the machine begins on the first. Default: one where there is a console, of a model that "
    "every guest knows.",
    mapping(
        "One video card.",
        {
            "model": word(
                "The card; `none` for a machine without one. `virtio` is the one for Linux, `qxl` goes with SPICE, "
                "`bochs` with UEFI, `ramfb` with a mediated device.",
                *("vga", "virtio", "qxl", "bochs", "cirrus", "vmvga", "ramfb", "none"),
                effect=_NEXT,
                at="model/@type",
                takes_along=_OF_MODEL,
            ),
            "heads": number("How many screens it has. Default: 1.", 1, 16, effect=_NEXT, at="model/@heads"),
            "vram": _memory("Its memory.", "vram"),
            "ram": _memory("Of qxl: memory for commands.", "ram"),
            "vgamem": _memory("Of qxl: memory for the picture itself.", "vgamem"),
            "vram64": _memory("Of qxl: memory above 4GiB.", "vram64"),
            "accel3d": yes_no(
                "Of virtio: whether the guest draws in three dimensions with the host's help; needs `gl`. Default: "
                "false.",
                effect=_NEXT,
                at="model/acceleration/@accel3d",
            ),
            "renderNode": HOST_PATH.but(
                "Of vhost-user: the host's GPU that draws, such as /dev/dri/renderD128, which is allowed by "
                "allowed-folder. Default: none.",
                effect=_NEXT,
                at="model/acceleration/@rendernode",
            ),
            "resolution": mapping(
                "The size of the screen that it tells the guest. Default: the guest's choice.",
                {
                    "x": number("Its width.", 1, 16384, effect=_NEXT, at="model/resolution/@x"),
                    "y": number("Its height.", 1, 16384, effect=_NEXT, at="model/resolution/@y"),
                },
                required=("x", "y"),
            ),
            "backend": word(
                "What stands behind it: QEMU itself, or a process of its own (`vhostuser`). Default: qemu.",
                *("qemu", "vhostuser"),
                effect=_NEXT,
                at="driver/@name",
            ),
            **DRIVER,
            **PLACE,
        },
        required=("model",),
        rules=(
            only_with("ram", "model", "qxl", error="Only qxl has `ram`; remove it."),
            only_with("vgamem", "model", "qxl", error="Only qxl has `vgamem`; remove it."),
            only_with("vram64", "model", "qxl", error="Only qxl has `vram64`; remove it."),
            only_with("accel3d", "model", "virtio", "vmvga", error="Of these cards virtio draws so; choose it."),
            only_with("driver", "model", "virtio", error="Only virtio's card has a `driver`; remove it."),
            only_with("renderNode", "backend", "vhostuser", error="Only vhostuser has a `renderNode`; remove it."),
            where(
                has("renderNode"),
                {**has("backend"), "errorMessage": "A GPU of the host draws for `backend: vhostuser`; write it."},
            ),
        ),
    ),
    at="devices/video",
    effect=_NEXT,
)

FIELDS: Final[Mapping[str, Declared]] = {"videos": VIDEOS}
