"""What a document may say about a machine's processors and memory."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from specs.declared import IN_CODE, Declared, mapping, number, shared, word
from specs.effect import Effect
from specs.notations import MEMORY
from specs.virtualmachine.compute.cpu_fields import FIELDS as CPU
from specs.virtualmachine.compute.memory_fields import FIELDS as MEMORY_DETAILS
from specs.virtualmachine.compute.numa_fields import FIELDS as NUMA
from specs.virtualmachine.compute.tuning_fields import FIELDS as TUNING

CPU_TOPOLOGY = shared(
    "cpuTopology",
    mapping(
        "How the virtual CPUs are arranged: sockets × dies × cores × threads has to equal `cpus`, "
        "or `maximumCpus` where that is written.",
        {
            "sockets": number("Number of CPU sockets.", 1, 4096),
            "dies": number("Dies of each socket. Default: 1.", 1, 64),
            "cores": number("Cores of each die.", 1, 4096),
            "threads": number("Threads of each core.", 1, 4096),
        },
        required=("sockets", "cores", "threads"),
    ),
)


FIELDS: Final[Mapping[str, Declared]] = {
    "cpus": number(
        "Number of virtual CPUs. More come true in the running machine as far as its "
        "definition allows, fewer at the next boot. Default: 1.",
        1,
        4096,
        default=1,
        effect=Effect.NEXT_BOOT,
        at=IN_CODE,
    ),
    "maximumCpus": number(
        "How many virtual CPUs the machine can have while it runs: room for `cpus` to grow "
        "without a boot. Default: the same as `cpus`.",
        1,
        4096,
        effect=Effect.NEXT_BOOT,
        at=IN_CODE,
    ),
    "cpuTopology": CPU_TOPOLOGY.but(
        "How the virtual CPUs are arranged: sockets × dies × cores × threads has to equal "
        "`maximumCpus`, or `cpus` without one. Default: chosen by the hypervisor.",
        effect=Effect.NEXT_BOOT,
        at=IN_CODE,
    ),
    "cpuMode": word(
        "Which CPU the guest sees: like the host's (`host-model`), the host's itself "
        "(`host-passthrough`), all that the hypervisor can do (`maximum`), the one that `cpu.model` "
        "names (`custom`), or a plain one (`default`). Default: host-model with KVM, maximum with emulation.",
        "host-model",
        "host-passthrough",
        "maximum",
        "custom",
        "default",
        effect=Effect.NEXT_BOOT,
        at=IN_CODE,
    ),
    **CPU,
    **TUNING,
    "memory": MEMORY.but(
        "Memory in MiB, or a size with a unit such as 2GiB. It changes in the running "
        "machine up to what it was started with. Default: 1024.",
        default=1024,
        examples=(2048, "2GiB"),
        effect=Effect.LIVE,
        at=IN_CODE,
    ),
    "maximumMemory": MEMORY.but(
        "Up to how much memory the machine can have while it runs, in MiB or with a unit: "
        "room for `memory` to grow without a boot. Default: the same as `memory`.",
        examples=("8GiB",),
        effect=Effect.NEXT_BOOT,
        at=IN_CODE,
    ),
    **MEMORY_DETAILS,
    **NUMA,
}
