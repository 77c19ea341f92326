"""What libvirt never takes of what a port is told: judged from the document alone."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from specs.codecs import bytes_of

Broken = tuple[str, str]  # JSON pointer into the spec, sentence

_KIB = 1024
_MOST = (1 << 32) - 1


def check_bandwidth(place: str, bandwidth: Mapping[str, Any], *, floor: bool) -> Iterator[Broken]:
    """libvirt counts in KiB and wants an average; `floor` tells whether the port may have one."""
    for direction, limits in bandwidth.items():
        for word, size in limits.items():
            count = bytes_of(size) or 0
            if count < _KIB or count % _KIB or count // _KIB > _MOST:
                yield (
                    f"{place}/{direction}/{word}",
                    f"{size} isn't a whole number of KiB from 1KiB to 4095GiB; write such a one.",
                )
        if not floor and "floor" in limits:
            yield (
                f"{place}/{direction}/floor",
                "Something is kept free on a libvirt `network` only; remove `floor`, or plug the interface into one.",
            )
        if "average" not in limits and (direction == "outbound" or "floor" not in limits):
            yield f"{place}/{direction}", "libvirt limits nothing without an average; write `average` too."
        for word in ("peak", "burst"):
            if word in limits and "average" not in limits:
                yield f"{place}/{direction}/{word}", f"`{word}` goes with `average`; write that too."


def check_vlan(place: str, vlan: Mapping[str, Any]) -> Iterator[Broken]:
    """Each tag once, several of them on a trunk, at most one of them its own."""
    tags = vlan.get("tags", ())
    seen: dict[int, int] = {}
    for index, tag in enumerate(tags):
        if (first := seen.setdefault(tag["id"], index)) != index:
            yield f"{place}/tags/{index}/id", f"Item {first + 1} of `tags` has this number already; remove one."
    native = [index for index, tag in enumerate(tags) if "nativeMode" in tag]
    for index in native[1:]:
        yield f"{place}/tags/{index}/nativeMode", "A trunk has one VLAN of its own; leave `nativeMode` at one tag."
    if "trunk" in vlan and not tags:
        yield f"{place}/trunk", "A trunk carries `tags`; write them, or remove this."
    if vlan.get("trunk") is False and (len(tags) > 1 or native):
        why = "Several tags are" if len(tags) > 1 else "A tag with `nativeMode` is one of"
        yield f"{place}/trunk", f"{why} a trunk; write `trunk: true`, or one tag alone."
