"""What a document may say about the CPU that the guest sees."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from specs.declared import Declared, items, mapping, number, on_off, text, word
from specs.effect import Effect

_WORD = "^[A-Za-z0-9][A-Za-z0-9._+-]{0,63}$"
_BOOT = Effect.NEXT_BOOT

FEATURE = mapping(
    "A feature of the CPU.",
    {
        "name": text(
            "libvirt's name of it, such as vmx.",
            _WORD,
            error="A CPU's feature is a word such as vmx; correct it.",
            effect=_BOOT,
            at="@name",
        ),
        "policy": word(
            "Whether the guest has it: `require` and `disable` say so, and with `require` the machine isn't started on "
            "a host that can't; `force` has it claimed whatever the host can, `optional` leaves it to the host, with "
            "`forbid` the machine isn't started on a host that has it. Default: require.",
            *("force", "require", "optional", "disable", "forbid"),
            default="require",
            effect=_BOOT,
            at="@policy",
            absent="require",
        ),
    },
    required=("name",),
)

CPU = mapping(
    "What the CPU is, beside its `cpuMode`. Default: as the mode has it.",
    {
        "model": text(
            "The model by libvirt's name, with the `cpuMode` custom, such as Skylake-Server or qemu64. Default: none.",
            _WORD,
            examples=("Skylake-Server",),
            error="A CPU's model is a word such as Skylake-Server; `virsh cpu-models x86_64` lists them.",
            effect=_BOOT,
            at="cpu/model",
        ),
        "fallback": word(
            "Whether libvirt may take the nearest model that the hypervisor knows. Default: allow.",
            *("allow", "forbid"),
            default="allow",
            effect=_BOOT,
            at="cpu/model/@fallback",
            absent="allow",
        ),
        "vendorId": text(
            "The vendor's name of 12 characters that the guest reads, such as GenuineIntel. Default: the model's.",
            "^[^\\u0000-\\u001f,\\u007f-\\uffff]{12}$",
            error="A vendor's id has 12 characters, such as GenuineIntel, and no comma; correct it.",
            effect=_BOOT,
            at="cpu/model/@vendor_id",
        ),
        "vendor": text(
            "Whose CPU the host has to have, such as Intel or AMD. Default: anybody's.",
            _WORD,
            error="A CPU's vendor is a word such as Intel; correct it.",
            effect=_BOOT,
            at="cpu/vendor",
        ),
        "match": word(
            "How near the guest's CPU is to a custom model: at least that (`minimum`), just that (`exact`), or only "
            "on a host that is just that (`strict`). Default: exact.",
            *("minimum", "exact", "strict"),
            default="exact",
            effect=_BOOT,
            at="cpu/@match",
            absent="exact",
        ),
        "check": word(
            "What is checked before the machine starts: nothing (`none`), what libvirt knows of the host "
            "(`partial`), or that the guest gets it to the letter (`full`). Default: as the mode has it.",
            *("none", "partial", "full"),
            effect=_BOOT,
            at="cpu/@check",
        ),
        "migratable": on_off(
            "Whether what can't be migrated is left out, with the modes host-passthrough and maximum. Default: true.",
            effect=_BOOT,
            at="cpu/@migratable",
        ),
        "features": items(
            "Features that the guest has or hasn't beside those of its model. Default: none.",
            FEATURE,
            effect=_BOOT,
            at="cpu/feature",
            identity=("name",),
        ),
        "addressBits": mapping(
            "How wide addresses of physical memory are, which a machine with a lot of memory needs. Default: as the "
            "hypervisor has it.",
            {
                "mode": word(
                    "The host's own (`passthrough`) or others (`emulate`).",
                    *("passthrough", "emulate"),
                    effect=_BOOT,
                    at="cpu/maxphysaddr/@mode",
                ),
                "bits": number(
                    "How many bits, with the mode emulate. Default: the hypervisor's.",
                    32,
                    64,
                    effect=_BOOT,
                    at="cpu/maxphysaddr/@bits",
                ),
            },
            required=("mode",),
        ),
        "cache": word(
            "Which cache the guest sees: the host's own (`passthrough`, with the mode host-passthrough), one of level "
            "3 that the hypervisor makes up (`emulate`), or none (`disable`). Default: as the mode has it.",
            *("passthrough", "emulate", "disable"),
            effect=_BOOT,
            at="cpu/cache/@mode",
        ),
    },
)

FIELDS: Final[Mapping[str, Declared]] = {"cpu": CPU}
