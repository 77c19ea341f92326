"""Where the two drivers can't but differ: what is right on each, and why. No test asks on which one it runs."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True)
class Difference:
    """`test` and `qemu` are named as the drivers are."""

    why: str
    test: Any
    qemu: Any


SOURCES_THAT_ARENT_THERE = Difference(
    "the test driver's pools are of nothing, so nobody is asked whether their source exists",
    test={},
    qemu={
        "netfs": "400 KCHPOOL0013E",
        "iscsi": "400 KCHISCSI0002E",
        "disks": "400 KCHPOOL0027E",
        "group": "400 KCHPOOL0038E",
    },
)
HOT_PLUG = Difference(
    "the test driver attaches and changes nothing of a machine that runs",
    test={"storages": [501, 501], "ifaces": [501]},
    qemu={"storages": [201, 200], "ifaces": [201]},
)
VOLUME_DATA = Difference(
    "the test driver's volumes hold nothing, and stay as large as they are",
    test={"upload": [501, 404, 404], "there": [], "resize": (501, 1 << 20), "wipe": 501},
    qemu={"upload": [202, 200, 200], "there": ["up.img"], "resize": (200, 2 << 20), "wipe": 200},
)
VIEWER = Difference(
    "the test driver gives a console no port, so there is nothing to open",
    test=(400, "application/json"),
    qemu=(200, "application/x-virt-viewer"),
)
