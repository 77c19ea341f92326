"""A machine's firmware in libvirt's XML: one that the host chooses by what it has to be able to do, or a certain file.

libvirt takes one or the other: where a file is named nothing says any more how it would have been chosen, and where it
chose by itself a running machine tells the file, which then is the host's business and no document's.
"""

from __future__ import annotations

from specs.binding import Element, child_at, drop_attributes, element, set_text_at, text_at
from specs.declared_binds import binder
from specs.virtualmachine.fields import SPEC

bind = binder(SPEC)

_SECURE, _KEYS = "secure-boot", "enrolled-keys"


def _chosen_by_host(root: Element) -> bool:
    return text_at(root, "os/@firmware") is not None


def _firmware(root: Element) -> str:
    system = root.find("os")
    if system is None:
        return "bios"
    flash = system.find("loader[@type='pflash']") is not None
    return "uefi" if system.get("firmware") == "efi" or flash else "bios"


def _put_firmware(root: Element, firmware: str) -> None:
    system = child_at(root, "os")
    for path in ("loader", "nvram", "firmware"):
        for old in system.findall(path):
            system.remove(old)
    drop_attributes(system, "firmware")
    if firmware == "uefi":
        system.set("firmware", "efi")
        child_at(root, "features/acpi")


def _feature(root: Element, name: str) -> bool | None:
    found = root.find(f"os/firmware/feature[@name='{name}']")
    return None if found is None else found.get("enabled") == "yes"


def _put_feature(root: Element, name: str, wanted: bool | None) -> None:
    holder = child_at(root, "os/firmware")
    for old in holder.findall(f"feature[@name='{name}']"):
        holder.remove(old)
    if wanted is not None:
        holder.append(element("feature", enabled="yes" if wanted else "no", name=name))
    elif len(holder) == 0:
        child_at(root, "os").remove(holder)


def is_secure(root: Element) -> bool | None:
    """Whether the firmware checks what it starts; None where that isn't said, and the host's firmware decides."""
    secure, feature = text_at(root, "os/loader/@secure"), _feature(root, _SECURE)
    if secure == "yes" or feature:
        return True
    return False if secure == "no" or feature is False or _firmware(root) == "bios" else None


def _put_secure(root: Element, wanted: bool) -> None:
    chosen = _chosen_by_host(root)
    if wanted:
        set_text_at(root, "os/loader/@secure", "yes")
        set_text_at(root, "features/smm/@state", "on")
        if chosen:
            _put_feature(root, _SECURE, wanted=True)
            if _feature(root, _KEYS) is None:
                _put_feature(root, _KEYS, wanted=True)
        return
    loader = root.find("os/loader")
    if loader is not None:
        drop_attributes(loader, "secure")
        if not chosen:
            loader.set("secure", "no")
        elif not loader.attrib and not loader.text:
            child_at(root, "os").remove(loader)
    if chosen:
        _put_feature(root, _SECURE, wanted=False)
        _put_feature(root, _KEYS, wanted=None)


def _own(root: Element, path: str) -> str | None:
    """What the definition says of a file, but for one that the host chose and told."""
    return None if _chosen_by_host(root) else text_at(root, path) or None


def _put_path(root: Element, path: str) -> None:
    system = child_at(root, "os")
    loader = child_at(system, "loader")
    loader.text = path
    if system.get("firmware") == "efi" and "type" not in loader.attrib:
        loader.set("readonly", "yes")
        loader.set("type", "pflash")
    drop_attributes(system, "firmware")
    for old in system.findall("firmware"):
        system.remove(old)


def _readonly(root: Element) -> bool | None:
    readonly = _own(root, "os/loader/@readonly")
    return None if readonly is None else readonly == "yes"


def _put_nvram(root: Element, path: str) -> None:
    nvram = child_at(root, "os/nvram")
    for source in nvram.findall("source"):
        nvram.remove(source)
    drop_attributes(nvram, "type")
    nvram.text = path


# The file is written behind how one would be chosen, and what is said of it behind that.
FIRMWARE = (
    bind("firmware", get=_firmware, put=_put_firmware),
    bind("loader/path", get=lambda root: _own(root, "os/loader"), put=_put_path),
    bind(
        "loader/type",
        get=lambda root: _own(root, "os/loader/@type"),
        put=lambda root, kind: set_text_at(root, "os/loader/@type", kind),
    ),
    bind(
        "loader/readonly",
        get=_readonly,
        put=lambda root, wanted: set_text_at(root, "os/loader/@readonly", "yes" if wanted else "no"),
    ),
    bind("loader/stateless"),
    bind("nvram/path", get=lambda root: text_at(root, "os/nvram") or None, put=_put_nvram),
    bind("nvram/template"),
    bind("secureBoot", get=is_secure, put=_put_secure),
    bind("loader/secure"),
    bind("firmwareFeatures/secureBoot"),
    bind("firmwareFeatures/enrolledKeys"),
)
