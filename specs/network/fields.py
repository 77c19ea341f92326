"""Everything that a Network document may say. nat and isolated make a bridge of their own; bridge joins the host's."""

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
from specs.notations import HOST_INTERFACE, HOST_NAME, IP_ADDRESS, IPV4_ADDRESS, MAC
from specs.overlay.field import overlay
from specs.policy import activation, policies

ABOUT = "A virtual network, or the way into one of the host's."

SPEC = mapping(
    "The network.",
    {
        "mode": word(
            "`nat` reaches the outside through the host, `isolated` only connects machines and "
            "host, `bridge` joins a network of the host.",
            "nat",
            "isolated",
            "bridge",
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
            "The network's IPv4 addresses, such as 192.168.150.0/24. Default: a free /24, chosen once and kept.",
            r"^[0-9]{1,3}(?:\.[0-9]{1,3}){3}/[0-9]{1,2}$",
            examples=("192.168.150.0/24",),
            error="A subnet is written such as 192.168.150.0/24; correct it.",
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
                    "Whether addresses are handed out. Default: true.", default=True, effect=Effect.NEXT_BOOT
                ),
                "start": IPV4_ADDRESS.but(
                    "First address that is handed out. Default: the first one of the subnet after the gateway's.",
                    effect=Effect.LIVE,
                ),
                "end": IPV4_ADDRESS.but(
                    "Last address that is handed out. Default: the last one of the subnet.", effect=Effect.LIVE
                ),
                "hosts": items(
                    "Fixed addresses. The list is complete: one that isn't listed is removed. Default: none.",
                    mapping(
                        "A fixed address for a MAC address.",
                        {
                            "mac": MAC.but("The MAC address that gets it.", effect=Effect.LIVE),
                            "ip": IPV4_ADDRESS.but("The address, inside the subnet.", effect=Effect.LIVE),
                            "name": HOST_NAME.but(
                                "The host name that is told to it. Default: none.", effect=Effect.LIVE
                            ),
                        },
                        required=("mac", "ip"),
                    ),
                    effect=Effect.LIVE,
                ),
            },
            at=IN_CODE,
        ),
        "dns": mapping(
            "libvirt's DNS server for the network.",
            {
                "enabled": yes_no("Whether it answers at all. Default: true.", default=True, effect=Effect.NEXT_BOOT),
                "forwarders": items(
                    "Servers that it asks, instead of the host's own. Default: the host's own.",
                    IP_ADDRESS.but("A DNS server's address."),
                    unique=True,
                    effect=Effect.NEXT_BOOT,
                ),
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
                ),
            },
            at=IN_CODE,
        ),
        "domain": HOST_NAME.but("DNS domain of the network. Default: none.", effect=Effect.NEXT_BOOT, at=IN_CODE),
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
            {
                "allOf": [
                    exactly_one(
                        "bridge",
                        "interface",
                        error="A network of mode bridge needs either `bridge` (one that the host has) or `interface` "
                        "(a NIC or bonding); write exactly one of the two.",
                    ),
                    *(
                        never(
                            has(name),
                            f"A network of mode bridge has no `{name}`: the network that it joins decides that; remove "
                            "it.",
                        )
                        for name in ("subnet", "gateway", "dhcp", "dns", "domain")
                    ),
                ]
            },
            {
                "allOf": [
                    never(has(name), f"`{name}` is for mode bridge; remove it, or write `mode: bridge`.")
                    for name in ("bridge", "interface")
                ]
            },
        ),
        {
            "dependentRequired": {"vlan": ["interface"]},
            "errorMessage": "`vlan` is the tag on an `interface`; write that too, or remove `vlan`.",
        },
    ),
)
