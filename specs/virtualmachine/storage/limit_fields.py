"""What a document may say about how fast a guest may use its disks."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from specs.declared import Declared, has, mapping, never, number, quantity, shared
from specs.effect import Effect
from specs.notations import NAME, SIZE

BYTE_RATE = shared(
    "byteRate",
    quantity(
        "Bytes in a second.",
        512,
        1000000000000000,
        unit="bytes",
        pattern=r"^[0-9]{1,12}(?:\.[0-9]{1,3})? ?(?:[KkMmGgTt](?:[Ii]?[Bb])?|[Bb])$",
        error="A rate is a number of bytes in a second, at least 512, or a size with a unit such as 50MiB; correct it.",
    ),
)


OPERATION_RATE = shared("operationRate", number("Operations in a second.", 1, 1000000000))


IO_LIMITS = shared(
    "ioLimits",
    mapping(
        "How fast the guest may read and write a disk.",
        {
            "bytesPerSecond": BYTE_RATE.but(
                "Bytes read and written in a second, such as 50MiB. Default: unlimited.", effect=Effect.LIVE
            ),
            "readBytesPerSecond": BYTE_RATE.but("Bytes read in a second. Default: unlimited.", effect=Effect.LIVE),
            "writeBytesPerSecond": BYTE_RATE.but("Bytes written in a second. Default: unlimited.", effect=Effect.LIVE),
            "iops": OPERATION_RATE.but("Reads and writes in a second. Default: unlimited.", effect=Effect.LIVE),
            "readIops": OPERATION_RATE.but("Reads in a second. Default: unlimited.", effect=Effect.LIVE),
            "writeIops": OPERATION_RATE.but("Writes in a second. Default: unlimited.", effect=Effect.LIVE),
        },
        rules=(
            never(
                {
                    **has("bytesPerSecond"),
                    "anyOf": [has("readBytesPerSecond"), has("writeBytesPerSecond")],
                },
                "`bytesPerSecond` limits reading and writing together; write either it, or "
                "`readBytesPerSecond` and `writeBytesPerSecond`.",
            ),
            never(
                {**has("iops"), "anyOf": [has("readIops"), has("writeIops")]},
                "`iops` limits reading and writing together; write either it, or `readIops` and `writeIops`.",
            ),
        ),
    ),
)


# Beside a limit: a document's word for what it is of, and how libvirt's element begins.
_OF: Final[Mapping[str, str]] = {
    "bytesPerSecond": "total_bytes_sec",
    "readBytesPerSecond": "read_bytes_sec",
    "writeBytesPerSecond": "write_bytes_sec",
    "iops": "total_iops_sec",
    "readIops": "read_iops_sec",
    "writeIops": "write_iops_sec",
}


def _burst(word: str, tag: str) -> Declared:
    about, place = f"Up to so much where `ioLimits/{word}` is less. Default: no more than that.", f"iotune/{tag}_max"
    if "ytes" in word:
        return BYTE_RATE.but(about, effect=Effect.LIVE, at=place, codec="bytes")
    return OPERATION_RATE.but(about, effect=Effect.LIVE, at=place)


def _seconds(word: str, tag: str) -> Declared:
    about = f"How many seconds `{word}` may take. Default: 1."
    return number(about, 1, 86400, effect=Effect.LIVE, at=f"iotune/{tag}_max_length")


IO_BURSTS: Final[Mapping[str, Declared]] = {
    "ioBurst": mapping(
        "How much faster than `ioLimits` a guest may be for a short time. Default: not at all; left as it is.",
        {
            **{word: _burst(word, tag) for word, tag in _OF.items()},
            "seconds": mapping(
                "For how long each. Default: 1 second.", {word: _seconds(word, tag) for word, tag in _OF.items()}
            ),
        },
    ),
    "ioSize": SIZE.but(
        "A longer request counts as several of this size, such as 64KiB. Default: each is one.",
        examples=("64KiB",),
        effect=Effect.LIVE,
        at="iotune/size_iops_sec",
        codec="bytes",
    ),
    "ioGroup": NAME.but(
        "A group of disks of one machine that have their limits together. Default: each has its own.",
        effect=Effect.LIVE,
        at="iotune/group_name",
    ),
}
