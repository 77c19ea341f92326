"""What documents may say of a machine's sound: its cards, and where on the host they play."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from specs.declared import Declared, Keywords, has, items, mapping, never, number, only_with, text, where, word, yes_no
from specs.effect import Effect
from specs.notations import HOST_PATH
from specs.virtualmachine.devices.place_fields import PLACE

_NEXT = Effect.NEXT_BOOT

SOUNDS: Final = items(
    "Sound cards. Default: none.",
    mapping(
        "One sound card.",
        {
            "model": word(
                "The card: ich9 for q35, ich6 for pc, usb for any, ac97, es1370 and sb16 for old guests, pcspk the "
                "beeper.",
                *("ich9", "ich6", "ac97", "usb", "es1370", "sb16", "pcspk"),
                effect=_NEXT,
                at="@model",
            ),
            "codecs": items(
                "Of ich6 and ich9: what hangs on it, a line in and out (`duplex`), a line out (`output`), or a "
                "microphone and a speaker (`micro`). Default: duplex.",
                word("One of them.", "duplex", "output", "micro"),
                effect=_NEXT,
                at="codec/@type",
            ),
            "audio": number(
                "The `id` of the backend that it plays through. Default: 1.", 1, 255, effect=_NEXT, at="audio/@id"
            ),
            **PLACE,
        },
        required=("model",),
    ),
    at="devices/sound",
    identity=("model",),
    effect=_NEXT,
)


def _stream(way: str) -> Mapping[str, Declared]:
    """The settings of one direction, `input` or `output`."""
    return {
        "mixingEngine": yes_no("Whether QEMU mixes. Default: true.", effect=_NEXT, at=f"{way}/@mixingEngine"),
        "fixedSettings": yes_no(
            "Whether the settings below count, whatever the guest asks for. Default: false.",
            effect=_NEXT,
            at=f"{way}/@fixedSettings",
        ),
        "voices": number("How many sounds at a time. Default: 1.", 1, 1024, effect=_NEXT, at=f"{way}/@voices"),
        "bufferLength": number(
            "Microseconds that are kept. Default: chosen by QEMU.",
            1,
            10_000_000,
            effect=_NEXT,
            at=f"{way}/@bufferLength",
        ),
        "frequency": number(
            "Samples per second. Default: 44100.", 1000, 768000, effect=_NEXT, at=f"{way}/settings/@frequency"
        ),
        "channels": number(
            "1 for mono, 2 for stereo. Default: 2.", 1, 16, effect=_NEXT, at=f"{way}/settings/@channels"
        ),
        "format": word(
            "What a sample is. Default: s16.",
            "s8",
            "u8",
            "s16",
            "u16",
            "s32",
            "u32",
            "f32",
            effect=_NEXT,
            at=f"{way}/settings/@format",
        ),
        "device": text(
            "Of alsa and oss: the host's device. Default: default.",
            r"^[A-Za-z0-9_.:,=/-]{1,256}$",
            error="A sound device is named as ALSA does, such as hw:0,0; correct it.",
            effect=_NEXT,
            at=f"{way}/@dev",
        ),
        "name": text(
            "Of pulseaudio: the sink or source. Default: the server's own choice.",
            at_most=256,
            effect=_NEXT,
            at=f"{way}/@name",
        ),
        "streamName": text(
            "Of pulseaudio: how the stream is called. Default: chosen by QEMU.",
            at_most=256,
            effect=_NEXT,
            at=f"{way}/@streamName",
        ),
        "latency": number(
            "Of pulseaudio: microseconds. Default: chosen by QEMU.", 1, 10_000_000, effect=_NEXT, at=f"{way}/@latency"
        ),
    }


def _streams(*names: str, types: tuple[str, ...]) -> tuple[Keywords, ...]:
    """The rules that only backends of some types have these settings of a direction."""
    return tuple(
        never(
            {
                "required": ["type", way],
                "properties": {"type": {"not": {"enum": list(types)}}, way: {"required": [name]}},
            },
            f"Only the type {' or '.join(types)} has `{name}`; remove it from `{way}`.",
        )
        for way in ("input", "output")
        for name in names
    )


def _needs(name: str, other: str, *, true: bool = False) -> Keywords:
    return where(
        {"required": [name], "properties": {name: {"const": True}}} if true else has(name),
        {
            "required": [other],
            "properties": {other: {"const": True}},
            "errorMessage": f"`{name}` counts with `{other}: true`; write it too.",
        },
    )


_FIXED: Final = (
    *(_needs(name, "fixedSettings") for name in ("frequency", "channels", "format")),
    _needs("fixedSettings", "mixingEngine", true=True),
)

AUDIOS: Final = items(
    "Where on the host sound is played and recorded. Default: one that libvirt chooses by the console.",
    mapping(
        "One backend.",
        {
            "id": number("Its number, which sound cards and consoles name.", 1, 255, effect=_NEXT, at="@id"),
            "type": word(
                "What plays: nothing, the console's viewer (`spice`, `dbus`), a server or a driver of the host, or a "
                "file.",
                *("none", "spice", "dbus", "alsa", "pulseaudio", "jack", "oss", "sdl", "file"),
                effect=_NEXT,
                at="@type",
                takes_along=(
                    "input",
                    "output",
                    "@serverName",
                    "@driver",
                    "@path",
                    "@tryMMap",
                    "@exclusive",
                    "@dspPolicy",
                ),
            ),
            "timerPeriod": number(
                "Microseconds between two looks at the timer. Default: chosen by QEMU.",
                1,
                1_000_000,
                effect=_NEXT,
                at="@timerPeriod",
            ),
            "serverName": text(
                "Of pulseaudio: the server. Default: the host's own.", at_most=256, effect=_NEXT, at="@serverName"
            ),
            "path": HOST_PATH.but("Of file: the file, in an allowed folder. Default: none.", effect=_NEXT, at="@path"),
            "input": mapping("What is recorded. Default: chosen by QEMU.", _stream("input"), rules=_FIXED),
            "output": mapping("What is played. Default: chosen by QEMU.", _stream("output"), rules=_FIXED),
        },
        required=("id", "type"),
        rules=(
            *_streams("device", types=("alsa", "oss")),
            *_streams("name", "streamName", "latency", types=("pulseaudio",)),
            only_with("serverName", "type", "pulseaudio", error="Only pulseaudio has a server; remove `serverName`."),
            only_with("path", "type", "file", error="Only a file has a `path`; remove it."),
        ),
    ),
    at="devices/audio",
    identity=("id",),
    effect=_NEXT,
)

FIELDS: Final[Mapping[str, Declared]] = {"sounds": SOUNDS, "audios": AUDIOS}
