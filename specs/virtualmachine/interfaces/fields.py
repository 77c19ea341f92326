"""What a document may say about each of a machine's network interfaces."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from specs.declared import BESIDE, IN_CODE, Declared, exactly_one, items, mapping, number, text, word
from specs.effect import Effect
from specs.notations import HOST_INTERFACE, IP_ADDRESS, MAC, NAME

INTERFACE = mapping(
    "A network interface on a libvirt network or on a bridge of the host.",
    {
        "name": NAME.but(
            "Tells the machine's interfaces apart. Default: the name of its network or bridge; "
            "needed when two are on the same one."
        ),
        "network": NAME.but("The libvirt network that it is on.", effect=Effect.LIVE),
        "bridge": HOST_INTERFACE.but("The bridge of the host that it is on, instead of a network.", effect=Effect.LIVE),
        "model": word(
            "The network card that the guest sees. Default: virtio.",
            "virtio",
            "e1000",
            "e1000e",
            "rtl8139",
            "ne2k_pci",
            "pcnet",
            "i82551",
            "i82557b",
            "i82559er",
            "vmxnet3",
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
            "network",
            "bridge",
            error="An interface is either on a libvirt `network` or on a host's `bridge`; write exactly one of "
            "the two.",
        ),
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
