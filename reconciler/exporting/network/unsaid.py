"""What a network has that no document can say."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from specs.binding import Element

SAID: Final = frozenset({"name", "uuid", "metadata", "forward", "bridge", "mac", "domain", "dns", "ip"})


def unsaid(root: Element) -> Iterator[str]:
    """Half-sentences, in the order of the definition."""
    addresses = root.findall("ip")
    first = next((each for each in addresses if each.get("family", "ipv4") == "ipv4"), None)
    for each in addresses:
        if each is not first:
            yield f"its addresses around {each.get('address')}"
    for tag in ("tftp", "dhcp/bootp"):
        if first is not None and first.find(tag) is not None:
            yield f"its {tag.rpartition('/')[2]}"
    if root.find("forward/nat") is not None:
        yield "the options of its address translation"
