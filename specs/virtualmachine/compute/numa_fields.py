"""What a document may say about a machine's NUMA cells, and about the host's nodes that its memory comes from."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from specs.declared import Declared, items, mapping, number, word, yes_no
from specs.effect import Effect
from specs.virtualmachine.compute.amounts import AMOUNT, IN_KIB
from specs.virtualmachine.compute.ranges import NODES, PROCESSORS

_BOOT = Effect.NEXT_BOOT
_MODES = ("strict", "preferred", "interleave", "restrictive")
_HOW = (
    "Whether it only comes from these nodes (`strict`), from others too when they are full (`preferred`), from all of "
    "them in turn (`interleave`), or as the host's own limits have it (`restrictive`)."
)

CELL = mapping(
    "A NUMA cell of the machine.",
    {
        "id": number("Its number, counted from 0 without a gap.", 0, 1023, effect=_BOOT, at="@id"),
        "cpus": PROCESSORS.but(
            "Which of the machine's CPUs are in it, such as 0-3. Each is in one cell. Default: none.",
            effect=_BOOT,
            at="@cpus",
        ),
        "memory": AMOUNT.but("How much of the machine's memory is in it.", effect=_BOOT, at="@memory", codec=IN_KIB),
        "memAccess": word(
            "Whether the host's other processes may share its memory. Default: as memoryBacking.access says.",
            *("shared", "private"),
            effect=_BOOT,
            at="@memAccess",
        ),
        "discard": yes_no(
            "Whether its memory is thrown away unwritten when the machine stops. Default: as memoryBacking says.",
            effect=_BOOT,
            at="@discard",
        ),
        "distances": items(
            "How far other cells are. Default: 10 to itself and 20 to any other.",
            mapping(
                "How far one cell is.",
                {
                    "cell": number("The other cell's number.", 0, 1023, effect=_BOOT, at="@id"),
                    "value": number("How far it is: 10 is here, 20 twice as far.", 10, 255, effect=_BOOT, at="@value"),
                },
                required=("cell", "value"),
            ),
            effect=_BOOT,
            at="distances/sibling",
            identity=("cell",),
        ),
    },
    required=("id", "memory"),
)

_BETWEEN: Final[Mapping[str, Declared]] = {
    "initiator": number("The cell whose CPUs ask.", 0, 1023, effect=_BOOT, at="@initiator"),
    "target": number("The cell whose memory answers.", 0, 1023, effect=_BOOT, at="@target"),
    "type": word("What is done.", *("access", "read", "write"), effect=_BOOT, at="@type"),
}
_BY_ENDS = ("initiator", "target", "type")

FIELDS: Final[Mapping[str, Declared]] = {
    "numa": mapping(
        "NUMA cells: how the machine's CPUs and memory are divided. Default: one, without a name.",
        {
            "cells": items(
                "All cells. Their CPUs are all that the machine may have, and their memory with its memory modules is "
                "`maximumMemory`, or `memory` without one. Default: none.",
                CELL,
                least=1,
                effect=_BOOT,
                at="cpu/numa/cell",
                identity=("id",),
            ),
            "latencies": items(
                "How long memory takes to answer. Default: the guest isn't told.",
                mapping(
                    "Between two cells.",
                    {**_BETWEEN, "value": number("Nanoseconds.", 1, 65535, effect=_BOOT, at="@value")},
                    required=("initiator", "target", "type", "value"),
                ),
                effect=_BOOT,
                at="cpu/numa/interconnects/latency",
                identity=_BY_ENDS,
            ),
            "bandwidths": items(
                "How much memory answers in a second. Default: the guest isn't told.",
                mapping(
                    "Between two cells.",
                    {
                        **_BETWEEN,
                        "value": AMOUNT.but("How much in a second.", effect=_BOOT, at="@value", codec=IN_KIB),
                    },
                    required=("initiator", "target", "type", "value"),
                ),
                effect=_BOOT,
                at="cpu/numa/interconnects/bandwidth",
                identity=_BY_ENDS,
            ),
        },
    ),
    "numaTune": mapping(
        "Which of the host's NUMA nodes the machine's memory comes from. Default: any, as the host likes.",
        {
            "mode": word(f"{_HOW} Default: strict.", *_MODES, effect=_BOOT, at="numatune/memory/@mode"),
            "nodes": NODES.but(
                "The nodes, such as 0-1. Default: any.", effect=Effect.LIVE, at="numatune/memory/@nodeset"
            ),
            "placement": word(
                "Whether the nodes are those that are written (`static`) or chosen by numad (`auto`). Default: static.",
                *("static", "auto"),
                default="static",
                effect=_BOOT,
                at="numatune/memory/@placement",
                absent="static",
            ),
            "cells": items(
                "The nodes of single cells. Default: as for the machine.",
                mapping(
                    "Where one cell's memory comes from.",
                    {
                        "cell": number("The cell's number.", 0, 1023, effect=_BOOT, at="@cellid"),
                        "mode": word(_HOW, *_MODES, effect=_BOOT, at="@mode"),
                        "nodes": NODES.but("The nodes.", effect=_BOOT, at="@nodeset"),
                    },
                    required=("cell", "mode", "nodes"),
                ),
                effect=_BOOT,
                at="numatune/memnode",
                identity=("cell",),
            ),
        },
    ),
}
