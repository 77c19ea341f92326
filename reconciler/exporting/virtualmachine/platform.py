"""What a machine is apart from its devices, in a document: what paths in its definition don't say by themselves.

One field says all of secure boot where all of it is as that would make it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from reconciler.exporting.draft import Draft, Surroundings
from specs.binding import put_at, value_at
from specs.plain import NewSpec

if TYPE_CHECKING:
    from specs.virtualmachine.spec import LoweredVirtualMachine

_USUAL_EMULATOR: Final = "/usr/bin/qemu-system-x86_64"
# Fields that code reads, each with what goes without saying.
_READ: Final = (
    ("loader/path", None),
    ("loader/type", None),
    ("loader/readonly", None),
    ("features/hyperv/spinlocks", 0),
    ("features/hyperv/vendorId", ""),
    ("features/kvm/dirtyRing", 0),
    ("genid", None),
)
# What `secureBoot: true` makes.
_SECURE: Final = (
    "loader/secure",
    "firmwareFeatures/secureBoot",
    "firmwareFeatures/enrolledKeys",
    "features/smm",
)


def say_platform(spec: NewSpec, config: LoweredVirtualMachine, draft: Draft, around: Surroundings) -> None:
    """Add it to the document."""
    if (arch := config.get("arch")) and arch != around.host.arch:
        spec["arch"] = arch
    usual = around.host.emulators.get(config.get("arch", around.host.arch)) or _USUAL_EMULATOR
    if spec.get("emulator") == usual:
        del spec["emulator"]
    for name, plain in _READ:
        if (value := value_at(config, name)) not in (None, plain):
            put_at(spec, name, value)
    if config.get("firmware") == "uefi" and "path" not in spec.get("loader", {}):
        spec["firmware"] = "uefi"
        if all(value_at(spec, name) for name in _SECURE):
            for name in _SECURE:
                _take(spec, name)
            spec["secureBoot"] = True
    nvram = config.get("nvram", {}).get("path")
    if nvram and not nvram.endswith(f"/qemu/nvram/{draft.ref.name}_VARS.fd"):  # where libvirt puts it anyway
        put_at(spec, "nvram/path", nvram)


def _take(spec: NewSpec, name: str) -> None:
    """Remove a field, and the mapping that has nothing left."""
    key, _, below = name.partition("/")
    if not below:
        spec.pop(key, None)
    elif key in spec:
        _take(spec[key], below)
        if not spec[key]:
            del spec[key]
