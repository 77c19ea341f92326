"""What two devices of one machine may not have in common, and what one of them needs of another. Read from the text."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import TYPE_CHECKING, Any, Final

from specs.declared import Declared
from specs.virtualmachine.devices.address_fields import ADDRESS
from specs.virtualmachine.devices.address_text import canonical_address
from specs.virtualmachine.devices.place_fields import ALIAS
from specs.virtualmachine.fields import SPEC

if TYPE_CHECKING:
    from specs.virtualmachine.spec import VirtualMachineSpec

Broken = tuple[str, str]  # JSON pointer into the spec, sentence

# By what items of a list are told apart in the guest or on the host.
_UNIQUE: Final = (
    *(("channels", "name"), ("audios", "id"), ("filesystems", "target"), ("shmems", "name")),
    *(("serials", "port"), ("parallels", "port"), ("panics", "model")),
)
_OF_SPICE: Final = ("spicevmc", "spiceport")
_SEVERAL: Final = ("channels", "serials", "consoles", "redirdevs", "smartcards")


def check_devices(spec: VirtualMachineSpec) -> Iterator[Broken]:
    """The rules about all of a machine's devices together."""
    yield from _check_once(spec, _is_address, _place, "is at the address")
    yield from _check_once(spec, _is_alias, lambda text, _holder: text, "has the alias")
    yield from _check_unique(spec)
    yield from _check_spice(spec)
    yield from _check_needs(spec)


def _is_address(field: Declared) -> bool:
    return field is ADDRESS or field.base is ADDRESS


def _is_alias(field: Declared) -> bool:
    return field is ALIAS


def _place(text: str, holder: Mapping[str, Any]) -> str:
    """What nobody else may have of an address; empty for a kind without a place. Each bus of drives counts its own."""
    kind, _, place = canonical_address(text).partition(" ")
    if not place:
        return ""
    bus = f" of {holder['bus']}" if kind == "drive" and "bus" in holder else ""
    known = [word for word in place.split(" ") if "=" not in word and word != "multifunction"]
    return " ".join([kind, *known]) + bus if known else ""


def _check_once(
    spec: VirtualMachineSpec,
    wanted: Callable[[Declared], bool],
    key: Callable[[str, Mapping[str, Any]], str],
    what: str,
) -> Iterator[Broken]:
    taken: dict[str, str] = {}
    for pointer, text, holder in _found(SPEC, spec, "", wanted):
        value = key(text, holder)
        first = taken.setdefault(value, pointer) if value else pointer
        if first != pointer:
            yield pointer, f"The device at {first.rpartition('/')[0]} {what} {value} already; choose another."


def _found(
    spec: Declared, said: Any, pointer: str, wanted: Callable[[Declared], bool]
) -> Iterator[tuple[str, str, Mapping[str, Any]]]:
    """(JSON pointer, text, what has it) of every field of a kind, wherever a document says one."""
    if not isinstance(said, Mapping):
        return
    for name, value in said.items():
        field = spec.fields.get(name)
        if field is None:
            continue
        place = f"{pointer}/{name}"
        if wanted(field):
            if isinstance(value, str):
                yield place, value, said
            continue
        whole = field.base or field
        if whole.item is not None and isinstance(value, list):
            inside = whole.item.base or whole.item
            for index, each in enumerate(value):
                yield from _found(inside, each, f"{place}/{index}", wanted)
        elif whole.fields:
            yield from _found(whole, value, place, wanted)


def _check_unique(spec: Mapping[str, Any]) -> Iterator[Broken]:
    for name, key in _UNIQUE:
        taken: dict[object, int] = {}
        for index, item in enumerate(spec.get(name, ())):
            if key in item and (first := taken.setdefault(item[key], index)) != index:
                sentence = f"Item {first + 1} of `{name}` has the {key} {item[key]} already; choose another."
                yield f"/{name}/{index}/{key}", sentence


def _check_spice(spec: Mapping[str, Any]) -> Iterator[Broken]:
    """What speaks through SPICE's connection needs one."""
    kind = spec.get("graphics", {}).get("type")
    if kind is None or kind == "spice" or any(each["type"] == "spice" for each in spec.get("moreGraphics", ())):
        return
    for name in _SEVERAL:
        for index, item in enumerate(spec.get(name, ())):
            if item.get("type") in _OF_SPICE:
                sentence = f"This goes through a console of type spice, and the machine's is {kind}; write that"
                yield f"/{name}/{index}/type", f"{sentence} below `graphics`, or choose another type here."
    for index, audio in enumerate(spec.get("audios", ())):
        if audio["type"] == "spice":
            yield f"/audios/{index}/type", f"The machine's console is {kind}, which plays no sound so; choose another."


def _check_needs(spec: Mapping[str, Any]) -> Iterator[Broken]:
    known = {audio["id"] for audio in spec.get("audios", ())}
    for index, sound in enumerate(spec.get("sounds", ())):
        if known and "audio" in sound and sound["audio"] not in known:
            sentence = f"There is no backend {sound['audio']} in `audios`; choose one of {sorted(known)}."
            yield f"/sounds/{index}/audio", sentence
    if spec.get("iommu", {}).get("model") == "intel" and _is_pc(str(spec.get("machine", ""))):
        yield "/iommu/model", "Only the machine type q35 has an IOMMU of intel's; write `machine: q35`."
    if "template" in spec or "numa" in spec:
        return
    if spec.get("memoryBacking", {}).get("access") != "shared":
        for index, folder in enumerate(spec.get("filesystems", ())):
            if folder.get("type") == "virtiofs":
                sentence = "virtiofs needs memory that is shared; write `memoryBacking: {source: memfd, access: "
                yield f"/filesystems/{index}/type", sentence + "shared}` too, or choose `type: path`."


def _is_pc(machine: str) -> bool:
    return machine == "pc" or machine.startswith("pc-i440fx")
