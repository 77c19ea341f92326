"""What documents may say of consoles beside where they listen: ports, what they compress, what they share."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from specs.declared import (
    Declared,
    Keywords,
    has,
    is_one,
    items,
    mapping,
    number,
    on_off,
    only_with,
    text,
    where,
    word,
    yes_no,
)
from specs.effect import Effect
from specs.notations import HOST_PATH

_NEXT = Effect.NEXT_BOOT
_CHANNELS: Final = ("main", "display", "inputs", "cursor", "playback", "record", "smartcard", "usbredir")
_LOSSY: Final = ("auto", "never", "always")


def _yes(about: str, at: str, absent: bool | None = None) -> Declared:
    return yes_no(about, effect=_NEXT, at=at, absent=absent)


OPTIONS: Final[Mapping[str, Declared]] = {
    "port": number(
        "The port on which it listens. Default: a free one, chosen at each start.",
        1,
        65535,
        effect=_NEXT,
        at=".",
        codec="<graphics> port",
    ),
    "tlsPort": number(
        "Of spice: the port for what is encrypted. Default: a free one where the host has certificates.",
        1,
        65535,
        effect=_NEXT,
        at=".",
        codec="<graphics> tlsPort",
    ),
    "websocket": number(
        "Of vnc: the port for browsers; -1 for a free one. Default: none.", -1, 65535, effect=_NEXT, at="@websocket"
    ),
    "socket": HOST_PATH.but(
        "A socket of the host at which it listens instead of a port, in an allowed folder. Default: none.",
        effect=_NEXT,
        at=".",
        codec="<graphics> socket",
    ),
    "keymap": text(
        "The keyboard of viewers that don't tell keys by their places, such as de. Default: the viewer's own.",
        r"^[a-z0-9-]{1,32}$",
        examples=("de",),
        error="A keymap is named such as de or en-us; correct it.",
        effect=_NEXT,
        at="@keymap",
    ),
    "sharePolicy": word(
        "Of vnc: what comes of a second viewer. Default: allow-exclusive, so that a viewer can ask to be the only one.",
        *("allow-exclusive", "force-shared", "ignore"),
        effect=_NEXT,
        at="@sharePolicy",
    ),
    "powerControl": _yes("Of vnc: whether viewers may switch the machine off. Default: false.", "@powerControl"),
    "defaultMode": word(
        "Of spice: which channels are encrypted that aren't named. Default: any.",
        *("any", "secure", "insecure"),
        effect=_NEXT,
        at="@defaultMode",
        absent="any",
    ),
    "channels": items(
        "Of spice: channels that are encrypted, or never are. Default: as `defaultMode` says.",
        mapping(
            "One channel.",
            {
                "name": word("Which.", *_CHANNELS, effect=_NEXT, at="@name"),
                "mode": word("Whether it is encrypted.", "secure", "insecure", effect=_NEXT, at="@mode"),
            },
            required=("name", "mode"),
        ),
        at="channel",
        identity=("name",),
        effect=_NEXT,
    ),
    "imageCompression": word(
        "Of spice: how pictures are compressed. Default: auto_glz.",
        *("auto_glz", "auto_lz", "quic", "glz", "lz", "off"),
        effect=_NEXT,
        at="image/@compression",
    ),
    "jpegCompression": word(
        "Of spice: whether pictures lose detail on slow connections. Default: auto.",
        *_LOSSY,
        effect=_NEXT,
        at="jpeg/@compression",
    ),
    "zlibCompression": word(
        "Of spice: whether they are compressed once more on slow connections. Default: auto.",
        *_LOSSY,
        effect=_NEXT,
        at="zlib/@compression",
    ),
    "playbackCompression": on_off(
        "Of spice: whether sound is compressed. Default: true.", effect=_NEXT, at="playback/@compression"
    ),
    "streaming": word(
        "Of spice: what is taken for a video. Default: filter.",
        "filter",
        "all",
        "off",
        effect=_NEXT,
        at="streaming/@mode",
    ),
    "clipboard": _yes("Of spice: whether viewer and guest share a clipboard. Default: true.", "clipboard/@copypaste"),
    "fileTransfer": _yes("Of spice: whether files are dropped into the guest. Default: true.", "filetransfer/@enable"),
    "mouse": word(
        "Of spice: whose pointer moves. Default: chosen by QEMU.", "server", "client", effect=_NEXT, at="mouse/@mode"
    ),
    "gl": mapping(
        "Whether the host's GPU draws for it. Default: no.",
        {
            "enable": _yes("Of spice and sdl: whether it does. Default: false.", "gl/@enable"),
            "renderNode": HOST_PATH.but(
                "The GPU, such as /dev/dri/renderD128, which is allowed by allowed-folder. Default: the first.",
                effect=_NEXT,
                at="gl/@rendernode",
            ),
        },
    ),
    "audio": number(
        "The `id` of the audio backend that viewers hear. Default: 1.", 1, 255, effect=_NEXT, at="audio/@id"
    ),
}

_OF_SPICE: Final = (
    *("defaultMode", "channels", "imageCompression", "jpegCompression", "zlibCompression", "playbackCompression"),
    *("streaming", "clipboard", "fileTransfer", "mouse"),
)
_OF_TYPE: Final[Mapping[str, tuple[str, ...]]] = {
    "port": ("vnc", "spice"),
    "tlsPort": ("spice",),
    "websocket": ("vnc",),
    "socket": ("vnc", "spice"),
    "keymap": ("vnc", "spice"),
    "sharePolicy": ("vnc",),
    "powerControl": ("vnc",),
    **dict.fromkeys(_OF_SPICE, ("spice",)),
    "gl": ("spice", "sdl", "egl-headless", "dbus"),
    "audio": ("vnc", "spice", "dbus"),
    "listen": ("vnc", "spice"),
    "display": ("sdl",),
    "fullScreen": ("sdl",),
    "busAddress": ("dbus",),
    "peerToPeer": ("dbus",),
}


DRAWS: Final = where(
    {"properties": {"type": {"const": "spice"}, "gl": has("renderNode")}, "required": ["type", "gl"]},
    {
        "properties": {"gl": {"required": ["enable"]}},
        "errorMessage": "A GPU draws for spice with `enable: true`; write that below `gl` too.",
    },
)
# What the default type, vnc, doesn't have.
OF_SPICE: Final = tuple(
    where(
        has(name),
        {**is_one("type", "spice"), "errorMessage": f"`{name}` goes with `type: spice`; write that, or remove it."},
    )
    for name in ("tlsPort", *_OF_SPICE, "gl")
)


def type_rules(*names: str, types: tuple[str, ...]) -> tuple[Keywords, ...]:
    """The rules that a console has only what its type has, for consoles of some types."""
    return tuple(
        only_with(name, "type", *known, error=f"`{name}` only goes with the type {' or '.join(known)}; remove it.")
        for name in names
        if (known := tuple(each for each in _OF_TYPE[name] if each in types))
    )


_TYPES: Final = ("vnc", "spice", "egl-headless", "dbus", "sdl")
_OF_OTHERS: Final[Mapping[str, Declared]] = {
    "type": word(
        "What it is: a server for viewers (vnc, spice), a GPU of the host that draws and shows nothing (egl-headless), "
        "the host's D-Bus, or a window on the host (sdl).",
        *_TYPES,
        effect=_NEXT,
        at="@type",
    ),
    "listen": text(
        "IP address of the host on which it listens. Default: as the host's qemu.conf says, mostly 127.0.0.1.",
        "^[0-9A-Fa-f:.]{2,45}$",
        error="An IP address is written such as 127.0.0.1 or fd00::10; correct it.",
        effect=_NEXT,
        at="@listen",
        codec="address",
    ),
    **OPTIONS,
    "display": text(
        "Of sdl: the X server's display. Default: :0.",
        r"^[A-Za-z0-9.:-]{1,128}$",
        effect=_NEXT,
        error="A display is named such as :0; correct it.",
        at="@display",
    ),
    "fullScreen": _yes("Of sdl: whether it fills the screen. Default: false.", "@fullscreen", False),
    "busAddress": text(
        "Of dbus: the bus, such as unix:path=/run/a. Default: one of its own.",
        r"^[a-z]+:[A-Za-z0-9=,/_.-]{1,256}$",
        effect=_NEXT,
        error="A bus has an address such as unix:path=/run/a; correct it.",
        at="@address",
    ),
    "peerToPeer": _yes("Of dbus: whether viewers are handed to it without a bus. Default: false.", "@p2p", False),
}

MORE_GRAPHICS: Final = items(
    "Further consoles beside `graphics`, such as the egl-headless that draws for a vnc. Default: none.",
    mapping(
        "One console.",
        _OF_OTHERS,
        required=("type",),
        rules=(*type_rules(*(name for name in _OF_OTHERS if name != "type"), types=_TYPES), DRAWS),
    ),
    at="devices/graphics",
    identity=("type",),
    effect=_NEXT,
)
