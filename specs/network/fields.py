"""Everything that a Network document may say. Some modes make a bridge of their own; others join what the host has."""

from __future__ import annotations

from specs.declared import (
    GONE,
    IN_CODE,
    exactly_one,
    has,
    is_one,
    items,
    mapping,
    never,
    number,
    text,
    where,
    word,
    yes_no,
)
from specs.effect import Effect
from specs.network.address_fields import ADDRESSES, HOST, RANGES, ROUTES, bootp
from specs.network.forward_fields import WIRE
from specs.network.name_fields import DOMAIN_FORWARDERS, NAMES
from specs.notations import HOST_INTERFACE, HOST_NAME, HOST_PATH, IP_ADDRESS, IPV4_ADDRESS, MAC
from specs.overlay.field import overlay
from specs.policy import activation, policies

MACVTAP_MODES = ("private", "vepa", "passthrough")
OF_OWN_BRIDGES = (
    *(
        "subnet",
        "gateway",
        "dhcp",
        "dns",
        "domain",
        "domainLocalOnly",
        "addresses",
        "routes",
        "localPtr",
        "tftp",
        "ipv6",
    ),
    *("ownBridge", "mac", "mtu"),
)

ABOUT = "A virtual network, or the way into one of the host's."

SPEC = mapping(
    "The network.",
    {
        "mode": word(
            "`nat` reaches the outside through the host and by its address, `route` by the machines' own, `open` too "
            "and without any rule of a firewall; `isolated` only connects machines and host; `bridge` joins a network "
            "of the host. `private`, `vepa` and `passthrough` hand out macvtaps on NICs of the host, `hostdev` cards.",
            "nat",
            "isolated",
            "bridge",
            "route",
            "open",
            "private",
            "vepa",
            "passthrough",
            "hostdev",
            effect=Effect.NEXT_BOOT,
            at=IN_CODE,
        ),
        "bridge": HOST_INTERFACE.but(
            "Mode bridge: the bridge of the host that machines join.",
            examples=("br0",),
            effect=Effect.NEXT_BOOT,
            at=IN_CODE,
        ),
        "interface": HOST_INTERFACE.but(
            "Mode bridge: the NIC or bonding of the host that machines join.",
            examples=("eth0",),
            effect=Effect.NEXT_BOOT,
            at=IN_CODE,
        ),
        "vlan": number("VLAN tag on `interface`. Default: untagged.", 1, 4094, effect=Effect.NEXT_BOOT, at=IN_CODE),
        "subnet": text(
            "The network's IPv4 addresses, such as 192.168.150.0/24; or `none`. Default: a free /24, chosen once.",
            r"^(?:[0-9]{1,3}(?:\.[0-9]{1,3}){3}/[0-9]{1,2}|none)$",
            examples=("192.168.150.0/24",),
            error="A subnet is written such as 192.168.150.0/24, or `none` for a network without one; correct it.",
            effect=Effect.NEXT_BOOT,
            at=IN_CODE,
        ),
        "gateway": IPV4_ADDRESS.but(
            "The host's own address in the subnet, by which machines leave it. Default: the "
            "first one; where another was set before and still lies in the subnet, that.",
            examples=("192.168.150.254",),
            effect=Effect.NEXT_BOOT,
            at=IN_CODE,
        ),
        "dhcp": mapping(
            "libvirt's DHCP server for the network.",
            {
                "enabled": yes_no(
                    "Whether addresses are handed out. Default: true.",
                    default=True,
                    effect=Effect.NEXT_BOOT,
                    at=IN_CODE,
                ),
                "start": IPV4_ADDRESS.but(
                    "First address that is handed out. Default: the first one of the subnet after the gateway's.",
                    effect=Effect.LIVE,
                    at=IN_CODE,
                ),
                "end": IPV4_ADDRESS.but(
                    "Last address that is handed out. Default: the last one of the subnet.",
                    effect=Effect.LIVE,
                    at=IN_CODE,
                ),
                "ranges": RANGES,
                "hosts": items(
                    "Fixed addresses. The list is complete: one that isn't listed is removed. Default: none.",
                    HOST,
                    effect=Effect.LIVE,
                    at=IN_CODE,
                ),
                "bootp": bootp("", by_code=True),
            },
        ),
        "localPtr": yes_no(
            "Whether the DNS server answers for the subnet's addresses alone, and asks nobody. Default: false.",
            effect=Effect.NEXT_BOOT,
            at=IN_CODE,
        ),
        "tftp": HOST_PATH.but(
            "A folder of the host whose files machines can load, as allowed-folder allows it. Default: none.",
            effect=Effect.NEXT_BOOT,
            at=IN_CODE,
        ),
        "addresses": ADDRESSES,
        "routes": ROUTES,
        "dns": mapping(
            "libvirt's DNS server for the network.",
            {
                "enabled": yes_no(
                    "Whether it answers at all. Default: true.", default=True, effect=Effect.NEXT_BOOT, at=IN_CODE
                ),
                "forwarders": items(
                    "Servers that it asks, instead of the host's own. Default: the host's own.",
                    IP_ADDRESS.but("A DNS server's address."),
                    unique=True,
                    effect=Effect.NEXT_BOOT,
                    at=IN_CODE,
                ),
                "domainForwarders": DOMAIN_FORWARDERS,
                **NAMES,
                "hosts": items(
                    "Names that it answers itself. The list is complete: one that isn't listed is "
                    "removed. Default: none.",
                    mapping(
                        "The names of one address.",
                        {
                            "ip": IP_ADDRESS.but("The address that is answered.", effect=Effect.LIVE),
                            "hostnames": items(
                                "Its names.", HOST_NAME.but("One name."), least=1, unique=True, effect=Effect.LIVE
                            ),
                        },
                        required=("ip", "hostnames"),
                    ),
                    effect=Effect.LIVE,
                    at=IN_CODE,
                ),
            },
        ),
        "domain": HOST_NAME.but("DNS domain of the network. Default: none.", effect=Effect.NEXT_BOOT, at=IN_CODE),
        "domainLocalOnly": yes_no(
            "Whether names of that domain are never asked of others. Default: true for a new domain.",
            effect=Effect.NEXT_BOOT,
            at=IN_CODE,
        ),
        "mac": MAC.but(
            "The MAC address of the host in it. Default: chosen once.",
            effect=Effect.NEXT_BOOT,
            at="mac/@address",
            codec="mac",
        ),
        "ipv6": yes_no(
            "Whether machines may speak IPv6 to each other although no address here is of IPv6. Default: false.",
            absent=False,
            effect=Effect.NEXT_BOOT,
            at="@ipv6",
        ),
        **WIRE,
        "xml": overlay("network", Effect.NEXT_BOOT),
        **activation("network"),
        **policies(
            "Has no meaning for a network, which holds no data; kept so that every kind has "
            "the same switches. Default: Retain."
        ),
    },
    required=("mode",),
    lowered=mapping("A VLAN as the host's bridge that carries it.", {"vlan": GONE}),
    rules=(
        where(
            is_one("mode", "bridge"),
            exactly_one(
                "bridge",
                "interface",
                "forward",
                error="A network of mode bridge needs either `bridge` (one that the host has) or `interface` "
                "(a NIC or bonding), or several NICs as `forward.interfaces`; write exactly one of them.",
            ),
            {
                "allOf": [
                    never(has(name), f"`{name}` is for mode bridge; remove it, or write `mode: bridge`.")
                    for name in ("bridge", "interface")
                ]
            },
        ),
        where(
            is_one("mode", "bridge", *MACVTAP_MODES, "hostdev"),
            {
                "allOf": [
                    never(
                        has(name),
                        f"A network of this mode has no `{name}`: the network that it joins decides that; remove it.",
                    )
                    for name in OF_OWN_BRIDGES
                ]
            },
        ),
        {
            "dependentRequired": {"domainLocalOnly": ["domain"]},
            "errorMessage": "`domainLocalOnly` is about a `domain`; write that too, or remove it.",
        },
        {
            "dependentRequired": {"vlan": ["interface"]},
            "errorMessage": "`vlan` is the tag on an `interface`; write that too, or remove `vlan`.",
        },
    ),
)
