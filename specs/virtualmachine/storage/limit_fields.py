"""What a document may say about how fast a guest may use its disks."""

from __future__ import annotations

from specs.declared import has, mapping, never, number, quantity, shared
from specs.effect import Effect

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
