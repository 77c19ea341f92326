"""What a document may say about what a machine is kept from, and what is kept from its host."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from specs.declared import Declared, items, mapping, number, text, word, yes_no
from specs.effect import Effect

BOOT: Final = Effect.NEXT_BOOT
EVENTS: Final = (
    *("cmt", "mbmt", "mbml", "cpu_cycles", "instructions", "cache_references", "cache_misses"),
    *("branch_instructions", "branch_misses", "bus_cycles", "stalled_cycles_frontend", "stalled_cycles_backend"),
    *("ref_cpu_cycles", "cpu_clock", "task_clock", "page_faults", "context_switches", "cpu_migrations"),
    *("page_faults_min", "page_faults_maj", "alignment_faults", "emulation_faults"),
)
_BASE64 = "^[A-Za-z0-9+/=_-]+$"

CONFINEMENT: Final[Mapping[str, Declared]] = {
    "launchSecurity": mapping(
        "Memory that the host can't read, where its processor can do that. Default: none.",
        {
            "type": word(
                "AMD's SEV, or the protected virtualisation of s390x.",
                "sev",
                "s390-pv",
                effect=BOOT,
                at="launchSecurity/@type",
            ),
            "policy": number(
                "What the guest's owner allows, a number of bits as AMD describes them; for sev. Default: 3, neither "
                "debugging nor keys that are shared.",
                0,
                4294967295,
                effect=BOOT,
                at="launchSecurity/policy",
                codec="hex",
            ),
            "cbitpos": number(
                "Which bit of an address marks a page as encrypted. Default: the host's.",
                0,
                63,
                effect=BOOT,
                at="launchSecurity/cbitpos",
            ),
            "reducedPhysBits": number(
                "How many bits of an address that costs. Default: the host's.",
                0,
                63,
                effect=BOOT,
                at="launchSecurity/reducedPhysBits",
            ),
            "dhCert": text(
                "The owner's Diffie-Hellman certificate, in Base64. Default: none.",
                _BASE64,
                at_most=65536,
                error="Write it in Base64, on one line.",
                effect=BOOT,
                at="launchSecurity/dhCert",
            ),
            "session": text(
                "The owner's session, in Base64. Default: none.",
                _BASE64,
                at_most=65536,
                error="Write it in Base64, on one line.",
                effect=BOOT,
                at="launchSecurity/session",
            ),
            "kernelHashes": yes_no(
                "Whether what `kernelBoot` starts is measured. Default: false.",
                effect=BOOT,
                at="launchSecurity/@kernelHashes",
            ),
        },
        required=("type",),
    ),
    "securityLabels": items(
        "How the host confines the machine, by the security model (apparmor, selinux, dac). Less confinement than "
        "usual needs the area security of the setting allow-xml. Default: as the host confines every machine.",
        mapping(
            "The label of one model.",
            {
                "model": text(
                    "The security model, such as dac. Default: the host's first.",
                    "^[a-z][a-z0-9]{0,31}$",
                    examples=("dac",),
                    error="A security model is a word such as apparmor, selinux or dac; correct it.",
                    effect=BOOT,
                    at="@model",
                ),
                "type": word(
                    "`dynamic`: a label of its own that the host makes; `static`: `label`; `none`: not confined.",
                    "dynamic",
                    "static",
                    "none",
                    effect=BOOT,
                    at="@type",
                ),
                "relabel": yes_no(
                    "Whether the machine's files get its label. Default: true, but for `none`.",
                    effect=BOOT,
                    at="@relabel",
                ),
                "label": text(
                    "The label of its process; for static. Default: none.", at_most=4096, effect=BOOT, at="label"
                ),
                "baselabel": text(
                    "What a dynamic label is made from. Default: the host's choice.",
                    at_most=4096,
                    effect=BOOT,
                    at="baselabel",
                ),
            },
            required=("type",),
        ),
        effect=BOOT,
        at="seclabel",
        identity=("model",),
    ),
    "resourcePartition": text(
        "The control group of the host below which the machine runs; needs the area security of the setting allow-xml. "
        "Default: /machine.",
        "^/[A-Za-z0-9_.@-]+(?:/[A-Za-z0-9_.@-]+)*$",
        examples=("/machine/production",),
        error="A partition is an absolute path such as /machine/production; correct it.",
        effect=BOOT,
        at="resource/partition",
    ),
    "perfEvents": items(
        "What the host's processor counts about the machine, as `virsh domstats --perf` shows it. Default: nothing.",
        text(
            "One event.",
            f"^(?:{'|'.join(EVENTS)})$",
            error=f"What can be counted is {', '.join(EVENTS)}; write one of them.",
        ),
        unique=True,
        examples=(["cpu_cycles", "instructions"],),
        effect=BOOT,
        at="perf/event[@enabled='yes']/@name",
    ),
}
