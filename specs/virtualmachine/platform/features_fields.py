"""What a document may say about the features of the machine itself: what the hypervisor shows of itself and how."""

from __future__ import annotations

from typing import Final

from specs.declared import IN_CODE, Declared, mapping, number, on_off, present, text, word
from specs.effect import Effect
from specs.notations import SIZE

BOOT: Final = Effect.NEXT_BOOT


def _state(about: str, at: str, *, absent: bool | None = None) -> Declared:
    """A feature that has a state of its own in the definition."""
    return on_off(about, effect=BOOT, at=f"{at}/@state", absent=absent)


HYPERV: Final = mapping(
    "What Windows guests are told of the hypervisor, in the words of Hyper-V, so that they run faster. Default: none "
    "of it.",
    {
        "mode": word(
            "`custom`: what is declared here; `passthrough`: all that the host can do, which no other host may take "
            "over. Default: custom.",
            "custom",
            "passthrough",
            effect=BOOT,
            at="features/hyperv/@mode",
            absent="custom",
            takes_along=("/features/hyperv/*",),
        ),
        "relaxed": _state("Guests don't mind a late timer. Default: false.", "features/hyperv/relaxed", absent=False),
        "vapic": _state("A virtual APIC. Default: false.", "features/hyperv/vapic", absent=False),
        "spinlocks": number(
            "How often a guest tries a spinlock before it tells the hypervisor, from 4095; 0 switches this off. "
            "Default: 0.",
            0,
            4294967295,
            effect=BOOT,
            at=IN_CODE,
        ),
        "vpindex": _state("The number of a virtual CPU. Default: false.", "features/hyperv/vpindex", absent=False),
        "runtime": _state("How long a CPU has run. Default: false.", "features/hyperv/runtime", absent=False),
        "synic": _state(
            "The synthetic interrupt controller; needs `vpindex`. Default: false.",
            "features/hyperv/synic",
            absent=False,
        ),
        "stimer": _state(
            "Synthetic timers; need `synic` and the timer hypervclock. Default: false.",
            "features/hyperv/stimer",
            absent=False,
        ),
        "stimerDirect": _state(
            "Whether they interrupt directly. Default: false.", "features/hyperv/stimer/direct", absent=False
        ),
        "reset": _state("Guests can reset the machine. Default: false.", "features/hyperv/reset", absent=False),
        "vendorId": text(
            "What the hypervisor calls itself, at most 12 characters; nothing for its own name. Default: its own name.",
            "^[^,\u0000-\u001f\u007f-\uffff]{0,12}$",
            examples=("KVM Hv",),
            error="A vendor's name has at most 12 ASCII characters, and no comma; correct it.",
            effect=BOOT,
            at=IN_CODE,
        ),
        "frequencies": _state(
            "The frequencies of the clocks. Default: false.", "features/hyperv/frequencies", absent=False
        ),
        "reenlightenment": _state(
            "Word of a migration to guests of the guest. Default: false.",
            "features/hyperv/reenlightenment",
            absent=False,
        ),
        "tlbflush": _state(
            "Flushes of other CPUs' address caches; needs `vpindex`. Default: false.",
            "features/hyperv/tlbflush",
            absent=False,
        ),
        "ipi": _state("Interrupts between CPUs; needs `vpindex`. Default: false.", "features/hyperv/ipi", absent=False),
        "evmcs": _state(
            "For guests of the guest, on Intel's processors; needs `vapic`. Default: false.",
            "features/hyperv/evmcs",
            absent=False,
        ),
        "avic": _state("Interrupts in hardware. Default: false.", "features/hyperv/avic", absent=False),
    },
)

KVM: Final = mapping(
    "What guests are told of KVM. Default: KVM's own choice.",
    {
        "hidden": _state(
            "Whether the guest can't tell that it runs on KVM. Default: false.", "features/kvm/hidden", absent=False
        ),
        "hintDedicated": _state(
            "Whether the guest may count on its CPUs being its alone. Default: false.",
            "features/kvm/hint-dedicated",
            absent=False,
        ),
        "pollControl": _state(
            "Whether an idle guest waits a while by itself. Default: false.", "features/kvm/poll-control", absent=False
        ),
        "pvIpi": _state("Whether its CPUs can interrupt each other by a call. Default: true.", "features/kvm/pv-ipi"),
        "dirtyRing": number(
            "How many pages per CPU are remembered as written, a power of two from 1024 to 65536; 0 for all of them in "
            "a map. Default: 0.",
            0,
            65536,
            effect=BOOT,
            at=IN_CODE,
        ),
    },
)

FEATURES: Final = mapping(
    "Features of the machine itself. Default: acpi and apic for a new machine on x86, else the hypervisor's choice.",
    {
        "acpi": present(
            "Whether the machine describes itself by ACPI, by which guests also learn that they shall shut down. "
            "Default: true for a new machine.",
            effect=BOOT,
            at="features/acpi",
            absent=False,
        ),
        "apic": present(
            "Whether it has an APIC. Default: true for a new machine on x86.",
            effect=BOOT,
            at="features/apic",
            absent=False,
            takes_along=("/features/apic",),
        ),
        "apicEoi": on_off(
            "Whether guests can tell the end of an interrupt without leaving to the hypervisor. Default: the "
            "hypervisor's choice.",
            effect=BOOT,
            at="features/apic/@eoi",
        ),
        "pae": present(
            "Whether 32-bit guests can have more than 4 GiB. Default: false.",
            effect=BOOT,
            at="features/pae",
            absent=False,
        ),
        "hap": _state("Whether the hardware's paging is used. Default: the hypervisor's choice.", "features/hap"),
        "hyperv": HYPERV,
        "kvm": KVM,
        "pvspinlock": _state(
            "Whether guests wait for locks by a call; needs KVM. Default: the hypervisor's choice.",
            "features/pvspinlock",
        ),
        "pmu": _state(
            "Whether guests see the processor's counters of performance. Default: the hypervisor's choice.",
            "features/pmu",
        ),
        "vmport": _state(
            "Whether VMware's port answers, for its drivers. Default: the hypervisor's choice.", "features/vmport"
        ),
        "smm": _state(
            "System management mode, which secure boot needs. Default: the hypervisor's choice.", "features/smm"
        ),
        "smmTseg": SIZE.but(
            "How much memory that has for itself, with a unit; needs `smm`. Default: the hypervisor's choice.",
            examples=("48MiB",),
            effect=BOOT,
            at="features/smm/tseg",
            codec="KiB@unit",
        ),
        "ioapic": word(
            "Who has the I/O APIC: QEMU, as an Intel IOMMU with interrupt remapping needs it, or KVM. Default: kvm.",
            "qemu",
            "kvm",
            effect=BOOT,
            at="features/ioapic/@driver",
        ),
        "gic": word(
            "The version of ARM's interrupt controller, in quotes. Default: the hypervisor's choice.",
            "host",
            "2",
            "3",
            effect=BOOT,
            at="features/gic/@version",
        ),
        "vmcoreinfo": _state(
            "Whether the guest's kernel leaves word of itself for dumps. Default: false.", "features/vmcoreinfo"
        ),
        "msrs": word(
            "What happens when a guest asks for a register that isn't known: nothing (`ignore`), or it is told "
            "(`fault`). Default: the host's choice.",
            "ignore",
            "fault",
            effect=BOOT,
            at="features/msrs/@unknown",
        ),
        "hptResizing": word(
            "Whether a POWER guest may change the size of its page table. Default: the hypervisor's choice.",
            "enabled",
            "disabled",
            "required",
            effect=BOOT,
            at="features/hpt/@resizing",
        ),
        "hptMaxPageSize": SIZE.but(
            "The largest page of a POWER guest, with a unit. Default: the hypervisor's choice.",
            examples=("16MiB",),
            effect=BOOT,
            at="features/hpt/maxpagesize",
            codec="KiB@unit",
        ),
        "htm": _state("Transactional memory of POWER. Default: the hypervisor's choice.", "features/htm"),
        "nestedHv": _state("Guests of a POWER guest. Default: the hypervisor's choice.", "features/nested-hv"),
        "ccfAssist": _state(
            "Help of POWER's count cache flush. Default: the hypervisor's choice.", "features/ccf-assist"
        ),
        "cfpc": word(
            "What a POWER guest is told of its cache's flush. Default: the hypervisor's choice.",
            *("broken", "workaround", "fixed"),
            effect=BOOT,
            at="features/cfpc/@value",
        ),
        "sbbc": word(
            "What a POWER guest is told of bounds and speculation. Default: the hypervisor's choice.",
            *("broken", "workaround", "fixed"),
            effect=BOOT,
            at="features/sbbc/@value",
        ),
        "ibs": word(
            "What a POWER guest is told of indirect branches. Default: the hypervisor's choice.",
            *("broken", "workaround", "fixed-ibs", "fixed-ccd", "fixed-na"),
            effect=BOOT,
            at="features/ibs/@value",
        ),
        "tcgTbCache": SIZE.but(
            "How much memory emulation may use for translated code, with a unit; needs `domainType: emulated`. "
            "Default: the hypervisor's choice.",
            examples=("512MiB",),
            effect=BOOT,
            at="features/tcg/tb-cache",
            codec="KiB@unit",
        ),
    },
)
