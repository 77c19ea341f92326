"""What a document may say about a network's addresses beyond its first subnet, and what is handed out of them."""

from __future__ import annotations

from typing import Final

from specs.declared import IN_CODE, Declared, any_of, items, mapping, number, text, word, yes_no
from specs.effect import Effect
from specs.notations import HOST_NAME, HOST_PATH, IP_ADDRESS, IPV4_ADDRESS, MAC

_NEXT: Final = Effect.NEXT_BOOT


def lease(effect: Effect) -> Declared:
    """For how long an address is handed out."""
    return mapping(
        "For how long it is handed out.",
        {
            "expiry": number(
                "How many of the unit; 0 is for ever. Default: 60.", 0, 4294967295, effect=effect, at="lease/@expiry"
            ),
            "unit": word(
                "What they are. Default: minutes.",
                "seconds",
                "minutes",
                "hours",
                default="minutes",
                absent="minutes",
                effect=effect,
                at="lease/@unit",
            ),
        },
        required=("expiry",),
    )


def dhcp_range(address: Declared, effect: Effect) -> Declared:
    """From one address to another."""
    return mapping(
        "One range.",
        {
            "start": address.but("Its first address.", effect=effect, at="@start", codec="address"),
            "end": address.but("Its last address.", effect=effect, at="@end", codec="address"),
            "lease": lease(effect),
        },
        required=("start", "end"),
    )


def bootp(at: str, *, by_code: bool) -> Declared:
    """What a machine that boots over the network is told."""
    return mapping(
        "What a machine that boots over the network is told.",
        {
            "file": text(
                "The file that it loads, below the TFTP server's folder.",
                "^[^\\u0000-\\u001f\\u007f,]{1,255}$",
                effect=_NEXT,
                at=IN_CODE if by_code else f"{at}/@file",
                error="A file's name has no comma and no control characters; correct it.",
            ),
            "server": HOST_NAME.but(
                "From which server. Default: the network's own.",
                effect=_NEXT,
                at=IN_CODE if by_code else f"{at}/@server",
            ),
        },
        required=("file",),
    )


_HOST: Final = mapping(
    "A fixed address for a machine.",
    {
        "mac": MAC.but("IPv4: the MAC address that gets it.", effect=_NEXT, at="@mac", codec="mac"),
        "id": text(
            "IPv6: the DUID that gets it, such as 0:3:0:1:52:54:0:12:34:56.",
            "^[0-9A-Fa-f]{1,2}(?::[0-9A-Fa-f]{1,2}){4,128}$",
            effect=_NEXT,
            at="@id",
            error="A DUID is written as pairs of hexadecimal digits with colons; correct it.",
        ),
        "name": HOST_NAME.but(
            "The host name that is told to it, and by which it is known without `mac` or `id`. Default: none.",
            effect=_NEXT,
            at="@name",
        ),
        "ip": IP_ADDRESS.but("The address.", effect=_NEXT, at="@ip", codec="address"),
        "lease": lease(_NEXT),
    },
    required=("ip",),
    rules=(any_of("mac", "id", "name", error="A fixed address is for a `mac`, an `id` or a `name`; write one."),),
)

ADDRESSES: Final = items(
    "Further addresses of the host in it, each with what is handed out beside it: of IPv6, or of a second subnet. "
    "Default: none.",
    mapping(
        "One address of the host.",
        {
            "address": IP_ADDRESS.but(
                "The address.", effect=_NEXT, at="@address", codec="address", examples=("fd00:150::1",)
            ),
            "prefix": number("The length of its network.", 0, 128, effect=_NEXT, at=IN_CODE, examples=(64,)),
            "localPtr": yes_no(
                "Whether the DNS server answers for its addresses alone, and asks nobody. Default: false.",
                absent=False,
                effect=_NEXT,
                at="@localPtr",
            ),
            "tftp": HOST_PATH.but(
                "A folder of the host whose files machines can load, as allowed-folder allows it. Default: none.",
                effect=_NEXT,
                at="tftp/@root",
            ),
            "dhcp": mapping(
                "What is handed out.",
                {
                    "ranges": items(
                        "Ranges of addresses. Default: none.",
                        dhcp_range(IP_ADDRESS, _NEXT),
                        identity=("start",),
                        effect=_NEXT,
                        at="dhcp/range",
                    ),
                    "hosts": items(
                        "Fixed addresses. Default: none.", _HOST, identity=("ip",), effect=_NEXT, at="dhcp/host"
                    ),
                    "bootp": bootp("dhcp/bootp", by_code=False),
                },
            ),
        },
        required=("address", "prefix"),
    ),
    effect=_NEXT,
    at=IN_CODE,
)

ROUTES: Final = items(
    "Networks that are reached through a machine of this one: the host gets a route to each. Default: none.",
    mapping(
        "One route.",
        {
            "address": IP_ADDRESS.but(
                "The network.", effect=_NEXT, at="@address", codec="address", examples=("10.9.0.0",)
            ),
            "family": word(
                "Its version of IP. Default: ipv4.",
                "ipv4",
                "ipv6",
                effect=_NEXT,
                at="@family",
            ),
            "prefix": number("The length of it.", 0, 128, effect=_NEXT, at="@prefix", takes_along=("@netmask",)),
            "gateway": IP_ADDRESS.but(
                "The machine, in a subnet of this network.", effect=_NEXT, at="@gateway", codec="address"
            ),
            "metric": number(
                "Which one is taken of several: the smallest. Default: 1.", 1, 4294967295, effect=_NEXT, at="@metric"
            ),
        },
        required=("address", "prefix", "gateway"),
    ),
    identity=("address", "prefix", "gateway"),
    effect=_NEXT,
    at="route",
)

RANGES: Final = items(
    "All ranges that are handed out, instead of `start` and `end`. The list is complete; an empty one leaves fixed "
    "addresses alone. Default: the one from `start` to `end`.",
    dhcp_range(IPV4_ADDRESS, Effect.LIVE),
    identity=("start",),
    effect=Effect.LIVE,
    at=IN_CODE,
)

HOST: Final = mapping(
    "A fixed address for a MAC address, or for a name.",
    {
        "mac": MAC.but("The MAC address that gets it.", effect=Effect.LIVE, at="@mac", codec="mac"),
        "ip": IPV4_ADDRESS.but("The address, inside the subnet.", effect=Effect.LIVE, at="@ip", codec="address"),
        "name": HOST_NAME.but(
            "The host name that is told to it, and by which it is known without `mac`. Default: none.",
            effect=Effect.LIVE,
            at="@name",
        ),
        "lease": lease(Effect.LIVE),
    },
    required=("ip",),
    rules=(any_of("mac", "name", error="A fixed address is for a `mac` or for a `name`; write one."),),
)
