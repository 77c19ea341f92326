"""What a document may say about a network's way out, and about the bridge that libvirt makes for it."""

from __future__ import annotations

from typing import Final

from specs.declared import IN_CODE, Declared, items, mapping, number, on_off, text, word, yes_no
from specs.effect import Effect
from specs.notations import HOST_INTERFACE, IPV4_ADDRESS, PCI_ADDRESS
from specs.ports import bandwidth, virtual_port, vlan

_NEXT: Final = Effect.NEXT_BOOT

FORWARD: Final = mapping(
    "By what of the host its traffic goes.",
    {
        "interfaces": items(
            "NICs of the host: with nat and route the one that packets may leave by, with private, vepa, passthrough "
            "and bridge those of which each machine gets one. Default: with nat and route whichever leads there.",
            HOST_INTERFACE.but("One NIC."),
            least=1,
            unique=True,
            examples=(["eth0", "eth1"],),
            effect=_NEXT,
            at=IN_CODE,
        ),
        "pf": HOST_INTERFACE.but(
            "passthrough and hostdev: the card whose virtual functions machines get. Default: none.",
            effect=_NEXT,
            at="forward/pf/@dev",
        ),
        "addresses": items(
            "hostdev: PCI addresses of the cards that machines get, instead of `pf`. Default: none.",
            PCI_ADDRESS.but("One card."),
            least=1,
            unique=True,
            examples=(["0000:03:10.1"],),
            effect=_NEXT,
            at=IN_CODE,
        ),
        "driver": word(
            "hostdev: how a card is handed over. Default: vfio.", "vfio", "kvm", effect=_NEXT, at="forward/driver/@name"
        ),
        "managed": yes_no(
            "hostdev: whether libvirt takes a card from the host's driver for a run and gives it back. Default: false.",
            absent=False,
            effect=_NEXT,
            at="forward/@managed",
        ),
        "nat": mapping(
            "nat: how addresses are translated.",
            {
                "ipv6": yes_no(
                    "Whether those of IPv6 are too. Default: false.", absent=False, effect=_NEXT, at="forward/nat/@ipv6"
                ),
                "address": mapping(
                    "The host's addresses that are shown outside. Default: that of the NIC by which a packet leaves.",
                    {
                        "start": IPV4_ADDRESS.but(
                            "The first one.", effect=_NEXT, at="forward/nat/address/@start", codec="address"
                        ),
                        "end": IPV4_ADDRESS.but(
                            "The last one.", effect=_NEXT, at="forward/nat/address/@end", codec="address"
                        ),
                    },
                    required=("start", "end"),
                ),
                "port": mapping(
                    "The ports that are shown outside.",
                    {
                        "start": number(
                            "The first one. Default: 1024.",
                            1,
                            65535,
                            absent=1024,
                            effect=_NEXT,
                            at="forward/nat/port/@start",
                        ),
                        "end": number(
                            "The last one. Default: 65535.",
                            1,
                            65535,
                            absent=65535,
                            effect=_NEXT,
                            at="forward/nat/port/@end",
                        ),
                    },
                    required=("start", "end"),
                ),
            },
        ),
    },
)

OWN_BRIDGE: Final = mapping(
    "The bridge that libvirt makes, in the modes nat, route, open and isolated.",
    {
        "name": text(
            "What the host calls it. Default: virbr and a number, chosen once.",
            "^[A-Za-z0-9_][A-Za-z0-9_.-]{0,14}$",
            effect=_NEXT,
            at=IN_CODE,
            examples=("virbr7",),
            error="A bridge has a name of at most 15 letters, digits, `_`, `.` and `-`; correct it.",
        ),
        "stp": on_off(
            "Whether it looks out for loops. Default: true.", default=True, absent=True, effect=_NEXT, at="bridge/@stp"
        ),
        "delay": number(
            "For how many seconds it looks before it passes anything on. Default: 0.",
            0,
            3600,
            default=0,
            absent=0,
            effect=_NEXT,
            at="bridge/@delay",
        ),
        "macTableManager": word(
            "Who knows which MAC address is where: the `kernel` by looking, or `libvirt`. Default: kernel.",
            "kernel",
            "libvirt",
            default="kernel",
            absent="kernel",
            effect=_NEXT,
            at="bridge/@macTableManager",
        ),
        "zone": text(
            "firewalld's zone for it. Default: libvirt, for route libvirt-routed.",
            "^[A-Za-z0-9_-]{1,17}$",
            effect=_NEXT,
            at="bridge/@zone",
        ),
    },
)

PORTGROUPS: Final = items(
    "Groups of ports: an interface names one, and gets what is said of it. Default: none.",
    mapping(
        "One group.",
        {
            "name": text(
                "What interfaces call it.",
                "^[A-Za-z0-9_.-]{1,128}$",
                effect=Effect.LIVE,
                at="@name",
                examples=("office",),
            ),
            "default": yes_no(
                "Whether interfaces that name none get it. Default: false.",
                absent=False,
                effect=Effect.LIVE,
                at="@default",
            ),
            "trustGuestRxFilters": yes_no(
                "Whether the host goes by which packets a guest says it wants. Default: the network's own.",
                effect=Effect.LIVE,
                at="@trustGuestRxFilters",
            ),
            "bandwidth": bandwidth("How much may pass each of them. Default: no limit.", Effect.LIVE, floor=True),
            "vlan": vlan("The VLANs that they carry. Default: the network's own.", Effect.LIVE),
            "virtualport": virtual_port("How they join their switch. Default: as the network.", Effect.LIVE),
        },
        required=("name",),
    ),
    identity=("name",),
    effect=Effect.LIVE,
    at="portgroup",
)

WIRE: Final[dict[str, Declared]] = {
    "forward": FORWARD,
    "ownBridge": OWN_BRIDGE,
    "mtu": number(
        "How long a packet may be on its bridge. Default: 1500.",
        68,
        65535,
        effect=_NEXT,
        at="mtu/@size",
        examples=(9000,),
    ),
    "port": mapping(
        "What holds of every port.",
        {
            "isolated": yes_no(
                "Whether machines can't reach each other, only the host and what is behind it. Default: false.",
                absent=False,
                effect=_NEXT,
                at="port/@isolated",
            )
        },
    ),
    "bandwidth": bandwidth("How much may pass all of it. Default: no limit.", _NEXT),
    "trustGuestRxFilters": yes_no(
        "Whether the host goes by which packets guests say they want. Default: false.",
        absent=False,
        effect=_NEXT,
        at="@trustGuestRxFilters",
    ),
    "virtualport": virtual_port("How its ports join a switch that wants to know who joins.", _NEXT),
    "switchVlan": vlan(
        "The VLANs that its ports carry, where the switch knows any: Open vSwitch, or cards of the host's. For a "
        "plain bridge of the host there is `vlan`. Default: none.",
        _NEXT,
    ),
    "portgroups": PORTGROUPS,
}
