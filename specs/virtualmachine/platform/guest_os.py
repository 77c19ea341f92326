"""What a new machine gets for a guest of some system: what osinfo recommends for it, in the words of documents.

Only a machine's birth goes by it, and whatever its document says wins. See docs/adr/0062-a-preset-is-for-birth.md.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, Final

from specs.plain import NewSpec, Spec

if TYPE_CHECKING:
    from specs.virtualmachine.spec import VirtualMachineSpec

Preset = Mapping[str, Any]

_TICKS: Final = (
    {"name": "rtc", "tickpolicy": "catchup"},
    {"name": "pit", "tickpolicy": "delay"},
    {"name": "hpet", "present": False},
)
_LINUX: Final[Preset] = {
    "disks": {"bus": "virtio"},
    "interfaces": {"model": "virtio"},
    "clock": {"offset": "utc", "timers": [*_TICKS]},
}
_WINDOWS: Final[Preset] = {
    "disks": {"bus": "sata"},
    "interfaces": {"model": "e1000e"},
    "features": {
        "hyperv": {"relaxed": True, "vapic": True, "spinlocks": 8191},
        "vmport": False,
    },
    "clock": {"offset": "localtime", "timers": [*_TICKS, {"name": "hypervclock", "present": True}]},
}
# Without any driver that a system of today doesn't bring along.
PRESETS: Final[Mapping[str, Preset]] = {
    "linux": _LINUX,
    "windows": _WINDOWS,
    "windows11": {
        "machine": "q35",
        "firmware": "uefi",
        "secureBoot": True,
        "tpm": {"model": "tpm-crb", "backend": "emulator", "version": "2.0"},
        **_WINDOWS,
    },
    "other": {"disks": {"bus": "sata"}, "interfaces": {"model": "e1000e"}},
}
_X86: Final = ("x86_64", "i686")
_OF_PCS: Final = ("clock", "features", "machine", "secureBoot", "tpm")  # what other processors don't have so
_LISTED: Final[Mapping[str, frozenset[str]]] = {  # items that have no more to say than this take the preset's
    "disks": frozenset(
        ["name", "size", "format", "pool", "base", "volume", "bootOrder", "target", "ioLimits", "serial", "onLoss"]
    ),
    "interfaces": frozenset(
        ["name", "network", "bridge", "portgroup", "mac", "bootOrder", "link", "addresses", "gateways", "nameservers"]
    ),
}
_WHOLE: Final = frozenset({"hyperv", "tpm"})  # what is only sound as a whole


def expanded(spec: VirtualMachineSpec, host_arch: str = "x86_64") -> VirtualMachineSpec:
    """The spec of a new machine with what its `guestOs` stands for below it; the very same without one."""
    preset = PRESETS.get(spec.get("guestOs", ""))
    if preset is None:
        return spec
    found = dict(preset)
    if spec.get("arch", host_arch) not in _X86:
        found = {key: value for key, value in found.items() if key not in _OF_PCS}
    if "secureBoot" in found and not _may_boot_securely(spec):
        found = {key: value for key, value in found.items() if key not in ("firmware", "secureBoot", "machine")}
    made: Any = _below(found, spec)
    whole: VirtualMachineSpec = made
    return whole


def _may_boot_securely(spec: VirtualMachineSpec) -> bool:
    """Whether nothing that a document says about what boots it speaks against secure boot."""
    said: Mapping[str, Any] = spec
    machine = str(said.get("machine", "q35"))
    usual = said.get("firmware", "uefi") == "uefi" and "q35" in machine
    features = said.get("features", {})
    return usual and not {"loader", "kernelBoot"} & said.keys() and False not in (
        features.get("smm"), features.get("acpi"), said.get("secureBoot")
    )  # fmt: skip


def _below(preset: Spec, spec: Spec) -> NewSpec:
    """`spec` laid over a preset."""
    made = dict(spec)
    for key, value in preset.items():
        said = spec.get(key)
        if key in _LISTED:
            if said:
                made[key] = [{**value, **item} if item.keys() <= _LISTED[key] else item for item in said]
        elif isinstance(said, Mapping) and isinstance(value, Mapping) and key not in _WHOLE:
            made[key] = _below(value, said)
        elif said is None:
            made[key] = value
    return made


def in_words(preset: Preset) -> str:
    """What a preset stands for, on one line of YAML's."""
    return ", ".join(f"`{key}: {_flow(value, each=key in _LISTED)}`" for key, value in preset.items())


def _flow(value: Any, *, each: bool = False) -> str:
    if isinstance(value, Mapping):
        inside = ", ".join(f"{key}: {_flow(below)}" for key, below in value.items())
        return f"[{{{inside}, …}}]" if each else f"{{{inside}}}"
    if isinstance(value, list):
        return f"[{', '.join(map(_flow, value))}]"
    return str(value).lower() if isinstance(value, bool) else str(value)
