"""What a document may say about where a machine's memory comes from, and about the modules that are plugged into it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from specs.declared import Declared, has, is_one, items, mapping, never, number, present, word, yes_no
from specs.effect import Effect
from specs.notations import HOST_PATH
from specs.virtualmachine.compute.amounts import AMOUNT, IN_KIB
from specs.virtualmachine.compute.ranges import NODES
from specs.virtualmachine.devices.place_fields import PLACE

_BOOT, _LIVE = Effect.NEXT_BOOT, Effect.LIVE

BACKING = mapping(
    "Where the host has the machine's memory. Default: in ordinary pages of its own.",
    {
        "hugePages": present(
            "Whether it is in huge pages, of which the host has to have set enough aside. Default: false.",
            default=False,
            effect=_BOOT,
            at="memoryBacking/hugepages",
            absent=False,
        ),
        "pages": items(
            "The sizes of huge pages, for the whole machine or for cells of it. Default: the host's size.",
            mapping(
                "One size.",
                {
                    "size": AMOUNT.but(
                        "The pages' size, such as 2MiB or 1GiB.", effect=_BOOT, at="@size", codec=IN_KIB
                    ),
                    "cells": NODES.but(
                        "The NUMA cells of the machine that have it. Default: all others.", effect=_BOOT, at="@nodeset"
                    ),
                },
                required=("size",),
            ),
            effect=_BOOT,
            at="memoryBacking/hugepages/page",
            identity=("size", "cells"),
        ),
        "noSharePages": present(
            "Whether the host leaves equal pages of different machines apart. Default: false.",
            default=False,
            effect=_BOOT,
            at="memoryBacking/nosharepages",
            absent=False,
        ),
        "locked": present(
            "Whether it is never swapped out; give `memoryTune.hardLimit` too, or the machine can lock all that the "
            "host has. Default: false.",
            default=False,
            effect=_BOOT,
            at="memoryBacking/locked",
            absent=False,
        ),
        "source": word(
            "What it is: memory of the process (`anonymous`), a file in the hypervisor's folder for it (`file`), or a "
            "file without a name (`memfd`), which virtiofs and vhost-user need. Default: anonymous.",
            *("anonymous", "file", "memfd"),
            effect=_BOOT,
            at="memoryBacking/source/@type",
        ),
        "access": word(
            "Whether other processes may share it, as virtiofs and vhost-user do. Default: private.",
            *("private", "shared"),
            effect=_BOOT,
            at="memoryBacking/access/@mode",
        ),
        "allocation": mapping(
            "How it is taken from the host. Default: on demand.",
            {
                "mode": word(
                    "All when the machine starts (`immediate`), or what it needs (`ondemand`). Default: ondemand.",
                    *("immediate", "ondemand"),
                    effect=_BOOT,
                    at="memoryBacking/allocation/@mode",
                ),
                "threads": number(
                    "How many threads do that at once. Default: 1.",
                    1,
                    1024,
                    effect=_BOOT,
                    at="memoryBacking/allocation/@threads",
                ),
            },
        ),
        "discard": present(
            "Whether it is thrown away unwritten when the machine stops. Default: false.",
            default=False,
            effect=_BOOT,
            at="memoryBacking/discard",
            absent=False,
        ),
    },
)

TUNE = mapping(
    "How much of the host's memory the machine may take, all that the hypervisor needs included. Default: no limit.",
    {
        "hardLimit": AMOUNT.but(
            "At most so much; a machine that needs more is ended by the host. Default: no limit.",
            effect=_LIVE,
            at="memtune/hard_limit",
            codec=IN_KIB,
        ),
        "softLimit": AMOUNT.but(
            "At most so much while the host is short of memory. Default: no limit.",
            effect=_LIVE,
            at="memtune/soft_limit",
            codec=IN_KIB,
        ),
        "swapHardLimit": AMOUNT.but(
            "At most so much with what is swapped out. Default: no limit.",
            effect=_LIVE,
            at="memtune/swap_hard_limit",
            codec=IN_KIB,
        ),
    },
)

MODULE = mapping(
    "A module of memory.",
    {
        "model": word(
            "A plain one (`dimm`), one that keeps its contents in a file (`nvdimm`, or `virtio-pmem`), or one that the "
            "guest gives and takes in small parts (`virtio-mem`).",
            *("dimm", "nvdimm", "virtio-mem", "virtio-pmem"),
            effect=_BOOT,
            at="@model",
        ),
        "size": AMOUNT.but("How much it has, in whole MiB.", effect=_BOOT, at="target/size", codec=IN_KIB),
        "node": number(
            "The NUMA cell of the machine that has it. A virtio-pmem has none.", 0, 1023, effect=_BOOT, at="target/node"
        ),
        "requested": AMOUNT.but(
            "How much of a virtio-mem the guest is asked to use.", effect=_LIVE, at="target/requested", codec=IN_KIB
        ),
        "block": AMOUNT.but(
            "The parts that the guest gives and takes of a virtio-mem: a power of two, not smaller than a huge page, "
            "such as 2MiB.",
            effect=_BOOT,
            at="target/block",
            codec=IN_KIB,
        ),
        "path": HOST_PATH.but(
            "The file of the host that keeps the contents of an nvdimm or a virtio-pmem, in a folder of the setting "
            "allowed-folder. Default: none.",
            effect=_BOOT,
            at="source/path",
        ),
        "access": word(
            "Whether other processes may share it. Default: as memoryBacking.access says.",
            *("private", "shared"),
            effect=_BOOT,
            at="@access",
        ),
        "discard": yes_no(
            "Whether it is thrown away unwritten when the machine stops. Default: false.",
            default=False,
            effect=_BOOT,
            at="@discard",
            absent=False,
        ),
        "alignSize": AMOUNT.but(
            "What the file's parts are aligned to. Default: the host's page.",
            effect=_BOOT,
            at="source/alignsize",
            codec=IN_KIB,
        ),
        "persistent": present(
            "Whether the file is on persistent memory itself. Default: false.",
            default=False,
            effect=_BOOT,
            at="source/pmem",
            absent=False,
        ),
        "pageSize": AMOUNT.but(
            "The size of the host's pages for it. Default: as for the machine.",
            effect=_BOOT,
            at="source/pagesize",
            codec=IN_KIB,
        ),
        "nodes": NODES.but(
            "The host's NUMA nodes that it comes from. Default: as numaTune says.", effect=_BOOT, at="source/nodemask"
        ),
        "label": AMOUNT.but(
            "Of an nvdimm, how much is kept for labels. Default: none.",
            effect=_BOOT,
            at="target/label/size",
            codec=IN_KIB,
        ),
        "readOnly": present(
            "Whether the guest may only read an nvdimm. Default: false.",
            default=False,
            effect=_BOOT,
            at="target/readonly",
            absent=False,
        ),
        **PLACE,
    },
    required=("model", "size"),
    rules=(
        never(
            {**is_one("model", "nvdimm", "virtio-pmem"), "not": has("path")},
            "An nvdimm and a virtio-pmem keep what they have in a file; write its `path`.",
        ),
        never(
            {**is_one("model", "dimm", "virtio-mem"), **has("model", "path")},
            "Only an nvdimm and a virtio-pmem keep what they have in a file; remove `path`.",
        ),
        never(
            {**is_one("model", "dimm", "nvdimm", "virtio-pmem"), "anyOf": [has("requested"), has("block")]},
            "Only a virtio-mem has `requested` and `block`; remove them.",
        ),
        never(
            {**is_one("model", "virtio-mem"), "not": has("requested", "block")},
            "A virtio-mem needs `requested` and `block`; add them, such as 0B and 2MiB.",
        ),
    ),
)

FIELDS: Final[Mapping[str, Declared]] = {
    "memoryBacking": BACKING,
    "memoryTune": TUNE,
    "memoryRoom": mapping(
        "Room for memory modules, which needs `numa.cells`. Default: none.",
        {
            "size": AMOUNT.but(
                "How much memory there can be with all of them.", effect=_BOOT, at="maxMemory", codec=IN_KIB
            ),
            "slots": number(
                "How many there can be; a virtio-mem takes none.", 1, 256, effect=_BOOT, at="maxMemory/@slots"
            ),
        },
        required=("size", "slots"),
    ),
    "memoryModules": items(
        "Modules of memory, which come and go while the machine runs; `memory` counts them too. Default: none.",
        MODULE,
        effect=_LIVE,
        at="devices/memory",
        identity=("model", "size", "node", "path"),
    ),
}
