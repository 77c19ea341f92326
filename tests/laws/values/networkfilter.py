"""A packet has other parts in each protocol: a document for each of those that have parts of their own."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from specs.networkfilter.matching_fields import MATCH

_DROP: dict[str, Any] = {"action": "drop", "direction": "in", "match": {}, "noMatch": {}}
DOCUMENTS: Mapping[str, tuple[dict[str, Any], ...]] = {
    "NetworkFilter": (
        {"chain": "root"},
        *(
            {"rules": [{**_DROP, "protocol": each}]}
            for each in ("tcp", "icmp", "all", "ip", "ipv6", "mac", "vlan", "stp", "arp")
        ),
        {"rules": [{**_DROP, "protocol": "ip", "match": {"protocol": "tcp"}}]},
        {"rules": [{"filter": "other", "parameters": [{"name": "IP", "value": "192.0.2.1"}]}]},
    )
}
_PACKETS: Mapping[str, tuple[Any, ...]] = {
    **{part: ("52:54:00:00:00:01", "52:54:00:00:00:02") for part in MATCH.fields if re.search("mac|Address", part)},
    **{part: ("192.0.2.1", "192.0.2.2") for part in MATCH.fields if re.search("ip(addr|from|to)$", part)},
    "state": ("NEW", "NEW,ESTABLISHED"),
    "ipset": ("a", "b"),
    "ipsetflags": ("src", "src,dst"),
    "comment": ("one", "two"),
    "gratuitous": ("true", "false"),
}
VALUES: Mapping[str, tuple[Any, ...]] = {
    "NetworkFilter.chain": ("root", "arp-local"),
    "NetworkFilter.rules.parameters.name": ("IP", "MAC"),
    "NetworkFilter.rules.parameters.value": ("192.0.2.1", "192.0.2.2"),
    **{f"NetworkFilter.rules.{side}.{part}": two for side in ("match", "noMatch") for part, two in _PACKETS.items()},
}
