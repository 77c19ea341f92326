"""What a network has that no document can say."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from specs.binding import Element

SAID: Final = frozenset({
    *("name", "uuid", "metadata", "forward", "bridge", "mac", "domain", "dns", "ip", "mtu", "bandwidth", "vlan"),
    *("virtualport", "portgroup", "route", "port"),
})  # fmt: skip


def unsaid(root: Element) -> Iterator[str]:  # noqa: ARG001  (every kind's signature)
    """Half-sentences, in the order of the definition: none but for elements that `SAID` doesn't have."""
    return iter(())
