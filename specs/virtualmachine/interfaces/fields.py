"""What a document may say about each of a machine's network interfaces."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Final

from specs.declared import (
    BESIDE,
    IN_CODE,
    Declared,
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
from specs.name import NAME_PATTERN
from specs.notations import IP_ADDRESS, MAC, NAME
from specs.ports import bandwidth, virtual_port, vlan
from specs.virtualmachine.devices.place_fields import ACPI_INDEX, PLACE
from specs.virtualmachine.interfaces.connection_fields import CONNECTIONS, NAMED
from specs.virtualmachine.interfaces.driver_fields import BACKEND, DRIVER, ROM

VIRTIO_MODELS: Final = ("virtio", "virtio-transitional", "virtio-non-transitional")
MODELS: Final = (
    *VIRTIO_MODELS,
    *("e1000", "e1000e", "igb", "rtl8139", "ne2k_pci", "pcnet", "i82551", "i82557b", "i82559er", "vmxnet3"),
    *("usb-net", "spapr-vlan", "lan9118", "smc91c111"),
)

INTERFACE = mapping(
    "A network interface, and what it is plugged into.",
    {
        "name": NAME.but(
            "Tells the machine's interfaces apart. Default: the name of its network, bridge or NIC, "
            "else what it is plugged into; needed when two are on the same one."
        ),
        **NAMED,
        **{name: replace(said, at=IN_CODE) for name, (_, said) in CONNECTIONS.items()},
        "portgroup": text(
            "The group of the network's ports that it is in. Default: the network's own default.",
            "^[A-Za-z0-9_.-]{1,128}$",
            effect=Effect.NEXT_BOOT,
            at="source/@portgroup",
            error="A group of ports has a name of letters, digits, `_`, `.` and `-`; correct it.",
        ),
        "model": word(
            "The network card that the guest sees. Default: virtio.",
            *MODELS,
            default="virtio",
            effect=Effect.NEXT_BOOT,
        ),
        "mac": MAC.but(
            "The MAC address. Default: derived from the machine's uid and the interface's name, "
            "and kept when that name or the network changes.",
            effect=Effect.NEXT_BOOT,
        ),
        "bootOrder": number(
            "Place in the boot order, from 1; each place is taken once in a machine. Default: "
            "after those that have one, and after disks and CD-ROMs.",
            1,
            255,
            effect=Effect.NEXT_BOOT,
        ),
        "link": word("Whether the cable is plugged in. Default: up.", "up", "down", default="up", effect=Effect.LIVE),
        "mtu": number(
            "How long a packet may be, in bytes; a guest's driver for virtio is told. Default: that of its network or "
            "bridge.",
            68,
            65535,
            effect=Effect.NEXT_BOOT,
            at="mtu/@size",
        ),
        "port": mapping(
            "Its place on the bridge.",
            {
                "isolated": yes_no(
                    "Whether it can't reach other isolated ones there, only what isn't. Default: false.",
                    absent=False,
                    effect=Effect.LIVE,
                    at="port/@isolated",
                )
            },
        ),
        "bandwidth": bandwidth("How much may pass it. Default: no limit.", Effect.LIVE, floor=True),
        "filter": mapping(
            "The filter that its packets pass. Default: none.",
            {
                "name": text(
                    "The filter, one of a NetworkFilter or of the host, such as clean-traffic.",
                    NAME_PATTERN,
                    effect=Effect.LIVE,
                    at="filterref/@filter",
                    examples=("clean-traffic",),
                ),
                "parameters": items(
                    "Values for the filter's variables; several for one are written one by one. Default: none.",
                    mapping(
                        "One value.",
                        {
                            "name": text(
                                "The variable, such as IP.",
                                "^[A-Za-z0-9_]{1,64}$",
                                effect=Effect.LIVE,
                                at="@name",
                                error="A filter's variable has letters, digits and `_`; correct it.",
                            ),
                            "value": text(
                                "Its value, such as 192.168.122.10.",
                                "^[A-Za-z0-9_.:]{1,256}$",
                                effect=Effect.LIVE,
                                at="@value",
                                error="A variable's value has letters, digits, `_`, `.` and `:`; correct it.",
                            ),
                        },
                        required=("name", "value"),
                    ),
                    identity=("name", "value"),
                    effect=Effect.LIVE,
                    at="filterref/parameter",
                ),
            },
            required=("name",),
        ),
        "vlan": vlan("The VLANs that it carries, where its switch knows any. Default: none.", Effect.NEXT_BOOT),
        "virtualport": virtual_port("How it joins a switch that wants to know who joins.", Effect.NEXT_BOOT),
        "trustGuestRxFilters": yes_no(
            "Whether the host goes by which packets the guest says it wants. Default: false.",
            absent=False,
            effect=Effect.NEXT_BOOT,
            at="@trustGuestRxFilters",
        ),
        "coalesce": mapping(
            "How packets for it are gathered.",
            {
                "rx": mapping(
                    "Received ones.",
                    {
                        "frames": mapping(
                            "By their number.",
                            {
                                "max": number(
                                    "How many at most wait until the guest is told. Default: none.",
                                    0,
                                    64,
                                    effect=Effect.LIVE,
                                    absent=0,
                                    at="coalesce/rx/frames/@max",
                                )
                            },
                        )
                    },
                )
            },
        ),
        "targetDev": text(
            "What the host calls the card's other end. Default: vnet and a number, another one with each start.",
            "^(?!(?:vnet|macvtap|macvlan|vif)[0-9]*$)[A-Za-z0-9_][A-Za-z0-9_.-]{0,14}$",
            effect=Effect.NEXT_BOOT,
            at="target/@dev",
            examples=("web0",),
            error="A name has at most 15 letters, digits, `_`, `.` and `-`, and isn't one that libvirt itself gives, "
            "such as vnet0; choose another.",
        ),
        "driver": DRIVER,
        "backend": BACKEND,
        "rom": ROM,
        "tune": mapping(
            "How its tap is tuned.",
            {
                "sndbuf": number(
                    "How many bytes the guest may have on their way. Default: no limit.",
                    0,
                    4294967295,
                    effect=Effect.NEXT_BOOT,
                    at="tune/sndbuf",
                )
            },
        ),
        "teaming": mapping(
            "Two interfaces that are one to the guest, so that the machine can move without its card of the host's.",
            {
                "type": word(
                    "`persistent` is the one that stays, `transient` the one that goes when the machine moves.",
                    "persistent",
                    "transient",
                    effect=Effect.NEXT_BOOT,
                    at="teaming/@type",
                    takes_along=("teaming/@persistent",),
                ),
                "persistent": text(
                    "The `alias` of the one that stays.",
                    "^ua-[A-Za-z0-9_.-]{1,120}$",
                    effect=Effect.NEXT_BOOT,
                    at="teaming/@persistent",
                ),
            },
            required=("type",),
            rules=(
                where(
                    is_one("type", "transient"),
                    {
                        **has("persistent"),
                        "errorMessage": "A transient interface needs a partner: write its `alias` as `persistent`.",
                    },
                    never(has("persistent"), "`persistent` names the partner of a transient interface; remove it."),
                ),
            ),
        ),
        "acpiIndex": ACPI_INDEX,
        **PLACE,
        "addresses": items(
            "The guest's addresses on this interface, each with its network's length. cloud-init "
            "tells the guest, which therefore doesn't ask DHCP for this interface. Default: "
            "none, the guest uses DHCP.",
            text(
                "One address, such as 192.168.122.10/24 or fd00::10/64.",
                "^[0-9A-Fa-f:.]{2,45}/[0-9]{1,3}$",
                error="An address is written with its network's length, such as 192.168.122.10/24 or "
                "fd00::10/64; correct it.",
            ),
            most=64,
            examples=(["192.168.122.10/24", "fd00::10/64"],),
            effect=Effect.LIVE,
            at=BESIDE,
        ),
        "gateways": items(
            "The default routers, at most one of each IP version; goes with `addresses`. Default: none.",
            IP_ADDRESS.but("A router's address, such as 192.168.122.1."),
            most=2,
            examples=(["192.168.122.1"],),
            effect=Effect.LIVE,
            at=BESIDE,
        ),
        "nameservers": items(
            "The DNS servers; goes with `addresses`. Default: none.",
            IP_ADDRESS.but("A server's address, such as 192.168.122.1."),
            most=8,
            examples=(["192.168.122.1"],),
            effect=Effect.LIVE,
            at=BESIDE,
        ),
    },
    lowered=mapping("", {"derivedMac": text("Its MAC address where none is declared.")}),
    rules=(
        exactly_one(
            *NAMED,
            *CONNECTIONS,
            error="An interface is plugged into one thing: a libvirt `network`, a host's `bridge`, or "
            f"{', '.join(f'`{name}`' for name in CONNECTIONS)}; write exactly one of them.",
        ),
        {
            "dependentRequired": {"portgroup": ["network"]},
            "errorMessage": "`portgroup` is one of a `network`; write that too, or remove `portgroup`.",
        },
    ),
)


FIELDS: Final[Mapping[str, Declared]] = {
    "interfaces": items(
        "The network interfaces. Adding and removing works in the running machine. Default: none.",
        INTERFACE,
        effect=Effect.LIVE,
        at=IN_CODE,
    ),
}
