"""What of a machine's platform doesn't go together, found out without any host."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any, Final

from specs.virtualmachine.platform.files import is_the_hosts

if TYPE_CHECKING:
    from specs.virtualmachine.spec import VirtualMachineSpec

Broken = tuple[str, str]  # JSON pointer into the spec, sentence

_X86: Final = ("x86_64", "i686")
_HYPERV: Final[Mapping[str, tuple[str, ...]]] = {  # what each enlightenment is nothing without
    "synic": ("vpindex",),
    "stimer": ("synic",),
    "stimerDirect": ("stimer",),
    "tlbflush": ("vpindex",),
    "ipi": ("vpindex",),
    "evmcs": ("vapic",),
}
_ONLY_FOR: Final = {"timezone": "timezone", "adjustment": "variable", "basis": "variable", "start": "absolute"}
_TIMER_FIELDS: Final = {"track": ("rtc",), "frequency": ("tsc",), "mode": ("tsc",)}
_NO_POLICIES: Final = {"rtc": ("merge", "discard"), "pit": ("merge",)}
_UNDELAYED: Final = ("kvmclock", "hypervclock")  # timers without ticks


def check_platform(spec: VirtualMachineSpec) -> Iterator[Broken]:
    """Relies on the shape that the schema asks for."""
    yield from _firmware(spec)
    yield from _secure_boot(spec)
    yield from _boot(spec)
    yield from _hyperv(spec)
    yield from _features(spec)
    yield from _clock(spec)
    yield from _smbios(spec)
    yield from _lifecycle(spec)
    yield from _confinement(spec)
    yield from _twice(spec)


def _firmware(spec: VirtualMachineSpec) -> Iterator[Broken]:
    firmware, loader, nvram = spec.get("firmware"), spec.get("loader", {}), spec.get("nvram", {})
    kind = loader.get("type")
    if "path" not in loader:
        for name in ("type", "readonly"):
            if name in loader:
                yield f"/loader/{name}", f"`{name}` is about a certain file; write its `path` too, or remove this."
    elif (kind == "pflash" or "readonly" in loader) and not loader.get("readonly") and is_the_hosts(loader["path"]):
        yield (
            "/loader/path",
            "This is the host's, and the guest could write into it; write `readonly: true`, or name a copy.",
        )
    if firmware is None and "path" not in loader:
        about = {
            "/loader/secure": "secure" in loader,
            "/loader/stateless": "stateless" in loader,
            "/nvram": bool(nvram),
        }
        for pointer in (each for each, said in about.items() if said):
            yield pointer, "This is about UEFI; write `firmware: uefi` or `loader.path` too, or remove it."
    if "template" in nvram and "path" not in loader:
        yield "/nvram/template", "The host's choice of firmware has its own; write `loader.path` too, or remove this."
    if loader.get("secure") is False and "path" not in loader:
        yield (
            "/loader/secure",
            "The host chooses the firmware; write `secureBoot: false` instead, or `loader.path` too.",
        )
    if loader.get("secure") and not (spec.get("secureBoot") or spec.get("features", {}).get("smm")):
        yield (
            "/loader/secure",
            "This needs system management mode; write `secureBoot: true`, or `smm: true` in `features`.",
        )
    acpi = spec.get("features", {}).get("acpi")
    if kind == "pflash" and firmware != "uefi" and acpi is None and spec.get("defaults") == "libvirt":
        yield "/loader/type", "UEFI needs ACPI; write `acpi: true` in `features` too."
    if (firmware == "uefi" or kind == "pflash") and acpi is False and not spec.get("secureBoot"):
        yield "/features/acpi", "UEFI needs ACPI; remove this."
    if firmware == "uefi" and kind == "rom":
        yield "/loader/type", "UEFI with variables is flash memory; write `pflash`, or remove `firmware`."
    if firmware == "bios" and kind == "pflash":
        yield "/loader/type", "A BIOS is no flash memory; write `rom`, or `firmware: uefi`."
    if firmware == "bios" and (nvram or loader.get("secure") or loader.get("stateless")):
        yield "/nvram" if nvram else "/loader", "Only UEFI keeps variables; remove this, or write `firmware: uefi`."
    if loader.get("stateless") and nvram:
        yield "/nvram", "A stateless firmware keeps no variables; remove this, or `stateless`."
    features = spec.get("firmwareFeatures")
    if features is not None:
        if "path" in loader:
            yield "/firmwareFeatures", "`loader.path` names a file, which can do what it can; remove one of the two."
        elif firmware != "uefi":
            yield "/firmwareFeatures", "Only UEFI has such features; write `firmware: uefi` too, or remove this."
        elif features.get("enrolledKeys") and False in (features.get("secureBoot"), spec.get("secureBoot")):
            yield "/firmwareFeatures/enrolledKeys", "Keys are for secure boot; remove this, or what forbids that."


def _secure_boot(spec: VirtualMachineSpec) -> Iterator[Broken]:
    if not spec.get("secureBoot"):
        return
    machine, arch = str(spec.get("machine", "")), spec.get("arch", _X86[0])
    if spec.get("firmware") != "uefi":
        yield "/secureBoot", "Only UEFI boots securely; write `firmware: uefi` too, or remove this."
    if arch in _X86 and machine and "q35" not in machine:
        yield "/secureBoot", f"Secure boot needs the machine type q35, and this one is {machine}; write `machine: q35`."
    if spec.get("features", {}).get("smm") is False:
        yield "/features/smm", "Secure boot needs system management mode; remove this, or `secureBoot`."
    if arch in _X86 and spec.get("features", {}).get("acpi") is False:
        yield "/features/acpi", "Secure boot needs ACPI; remove this, or `secureBoot`."


def _boot(spec: VirtualMachineSpec) -> Iterator[Broken]:
    if "bootMenuTimeout" in spec and not spec.get("bootMenu"):
        yield "/bootMenuTimeout", "Nothing waits without a boot menu; write `bootMenu: true` too, or remove this."
    if spec.get("bios", {}).get("useSerial") and spec.get("serialConsole") is False:
        yield "/bios/useSerial", "There is no serial port to show it on; remove `serialConsole: false`, or this."
    bare = spec.get("defaults") == "libvirt" and not (spec.get("serialConsole") or spec.get("serials"))
    if spec.get("bios", {}).get("useSerial") and bare and spec.get("serialConsole") is None:
        yield "/bios/useSerial", "There is no serial port to show it on; write `serialConsole: true` too."
    kernel = spec.get("kernelBoot")
    if kernel is None:
        return
    for name in ("initrd", "cmdline", "dtb"):
        if name in kernel and "kernel" not in kernel:
            yield f"/kernelBoot/{name}", f"`{name}` is for a kernel; write `kernel` too, or remove this."
    if "kernel" not in kernel:
        return
    if "bootDevices" in spec:
        yield "/bootDevices", "`kernelBoot` starts a kernel past every device; remove one of the two."
    for kind in ("disks", "cdroms", "interfaces"):
        for number, item in enumerate(_items(spec, kind)):
            if "bootOrder" in item:
                yield (
                    f"/{kind}/{number}/bootOrder",
                    "`kernelBoot` starts a kernel past every device; remove one of the two.",
                )


def _items(spec: VirtualMachineSpec, name: str) -> Sequence[Mapping[str, Any]]:
    found: Sequence[Mapping[str, Any]] = spec.get(name) or ()  # type: ignore[assignment]  # a list, by the schema
    return found


def _hyperv(spec: VirtualMachineSpec) -> Iterator[Broken]:
    hyperv = spec.get("features", {}).get("hyperv", {})
    if hyperv.get("mode") == "passthrough":
        for name in hyperv:
            if name != "mode":
                yield (
                    f"/features/hyperv/{name}",
                    "`mode: passthrough` means all that the host can do; remove this, or that.",
                )
        return
    for name, needs in _HYPERV.items():
        for need in needs:
            if hyperv.get(name) and not hyperv.get(need):
                yield (
                    f"/features/hyperv/{name}",
                    f"`{name}` needs `{need}: true` in `hyperv`; write it, or remove this.",
                )
    if hyperv.get("stimer"):
        timers = spec.get("clock", {}).get("timers", ())
        if not any(each["name"] == "hypervclock" and each.get("present") for each in timers):
            yield (
                "/features/hyperv/stimer",
                "`stimer` needs the timer `{name: hypervclock, present: true}` in `clock.timers`; write it, or remove "
                "this.",
            )
    if 0 < hyperv.get("spinlocks", 0) < 4095:
        yield "/features/hyperv/spinlocks", "A guest tries at least 4095 times; write 4095 or more, or 0 for none."


def _features(spec: VirtualMachineSpec) -> Iterator[Broken]:
    features, emulated = spec.get("features", {}), spec.get("domainType") == "emulated"
    if "smmTseg" in features and not features.get("smm"):
        yield "/features/smmTseg", "This memory is for system management mode; write `smm: true` too, or remove this."
    if "apicEoi" in features and features.get("apic") is False:
        yield "/features/apicEoi", "There is no APIC; remove this, or `apic: false`."
    if not emulated and "tcgTbCache" in features:
        yield "/features/tcgTbCache", "Only emulation translates code; remove this, or write `domainType: emulated`."
    if emulated and features.get("pvspinlock"):
        yield "/features/pvspinlock", "Only KVM takes such calls; remove this, or write `domainType: kvm`."
    ring = features.get("kvm", {}).get("dirtyRing", 0)
    if ring and (ring < 1024 or ring & (ring - 1)):
        yield (
            "/features/kvm/dirtyRing",
            "A ring has 1024, 2048, … 65536 pages, a power of two; write one of them, or 0.",
        )


def _clock(spec: VirtualMachineSpec) -> Iterator[Broken]:
    clock = spec.get("clock", {})
    offset = clock.get("offset", "utc")
    for name, only in _ONLY_FOR.items():
        if name in clock and offset != only:
            yield f"/clock/{name}", f"`{name}` is for `offset: {only}`; write that, or remove this."
    if offset == "timezone" and "timezone" not in clock:
        yield "/clock/offset", "Which one? Write `timezone` too, such as Europe/Berlin."
    if offset == "absolute" and "start" not in clock:
        yield "/clock/offset", "An absolute clock needs the time that it shows; write `start` too."
    for number, timer in enumerate(clock.get("timers", ())):
        at = f"/clock/timers/{number}"
        for name, of in _TIMER_FIELDS.items():
            if name in timer and timer["name"] not in of:
                yield f"{at}/{name}", f"`{name}` is for {' and '.join(of)} alone; remove it."
        if timer.get("tickpolicy") in _NO_POLICIES.get(timer["name"], ()):
            yield (
                f"{at}/tickpolicy",
                f"The timer {timer['name']} can't do that; write `delay` or `catchup`, or remove this.",
            )
        if timer["name"] in _UNDELAYED and "tickpolicy" in timer:
            yield f"{at}/tickpolicy", f"{timer['name']} has no ticks that could be missed; remove this."
        if "catchup" in timer and timer.get("tickpolicy") != "catchup":
            yield f"{at}/catchup", "This is for `tickpolicy: catchup`; write that, or remove this."


def _smbios(spec: VirtualMachineSpec) -> Iterator[Broken]:
    smbios = spec.get("smbios", {})
    told = [name for name in smbios if name != "mode"]
    if told and smbios.get("mode", "emulate") != "sysinfo":
        yield f"/smbios/{told[0]}", "The guest sees this only with `mode: sysinfo`; write that, or remove this."
    if smbios.get("mode") == "sysinfo" and not told:
        yield "/smbios/mode", "`sysinfo` tells what is declared beside it, and nothing is; write that, or another mode."
    for number, entry in enumerate(spec.get("fwCfg", ())):
        if ("value" in entry) == ("file" in entry):
            yield f"/fwCfg/{number}", "An entry has either a `value` or a `file`; write one of the two."


def _lifecycle(spec: VirtualMachineSpec) -> Iterator[Broken]:
    off, again = spec.get("onPoweroff", "destroy"), spec.get("onReboot", "restart")
    if off == "restart" and again == "destroy":
        yield (
            "/onReboot",
            "A machine that is started again when it powers off, and not when it reboots, isn't possible; change one "
            "of the two.",
        )


def _confinement(spec: VirtualMachineSpec) -> Iterator[Broken]:
    launch = spec.get("launchSecurity", {})
    if launch.get("type") == "s390-pv":
        for name in launch:
            if name != "type":
                yield f"/launchSecurity/{name}", "s390-pv has nothing to be said about; remove this."
    for number, label in enumerate(spec.get("securityLabels", ())):
        at = f"/securityLabels/{number}"
        if label["type"] == "static" and "label" not in label:
            yield at, "A static label has to be said; write `label` too."
        if label["type"] != "static" and "label" in label:
            yield f"{at}/label", "Only a `static` label is said; remove this, or write that."
        if label["type"] != "dynamic" and "baselabel" in label:
            yield f"{at}/baselabel", "Only a `dynamic` label is made from another one; remove this."
        if label["type"] == "none" and label.get("relabel"):
            yield f"{at}/relabel", "What isn't confined has no label for its files; remove this."
        if label["type"] == "dynamic" and label.get("relabel") is False:
            yield f"{at}/relabel", "A dynamic label has to be on the files; remove this."


_KEYS: Final = (
    ("clock", "timers", "name", "timer"),
    ("", "fwCfg", "name", "entry"),
    ("", "securityLabels", "model", "label"),
)


def _twice(spec: VirtualMachineSpec) -> Iterator[Broken]:
    for within, name, key, what in _KEYS:
        holder: Mapping[str, Any] = spec.get(within, {}) if within else spec  # type: ignore[assignment]
        seen: dict[object, int] = {}
        for number, item in enumerate(holder.get(name, ())):
            if (first := seen.setdefault(item.get(key), number)) != number:
                at = "/".join(filter(None, (within, name, str(number))))
                yield f"/{at}", f"Item {first + 1} is the {what} {item.get(key)} too; remove one of the two."
