"""What a document may say a network interface is plugged into: exactly one of these.

The paths begin at the interface, and count only for one that is of that type: see `connections.py`.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from specs.declared import IN_CODE, Declared, items, mapping, number, word, yes_no
from specs.effect import Effect
from specs.notations import HOST_INTERFACE, HOST_PATH, IP_ADDRESS, IPV4_ADDRESS, NAME, PCI_ADDRESS

_NEXT: Final = Effect.NEXT_BOOT
_ON_THE_HOST: Final = "in a folder of the setting allowed-folder"


def _port(about: str, at: str) -> Declared:
    return number(about, 1, 65535, effect=_NEXT, at=at)


def _ips(about: str, at: str, **more: Declared) -> Declared:
    return items(
        about,
        mapping(
            "One address.",
            {
                "address": IP_ADDRESS.but("The address.", effect=_NEXT, at="@address", codec="address"),
                "prefix": number(
                    "The length of its network. Default: libvirt's choice.", 0, 128, effect=_NEXT, at="@prefix"
                ),
                **more,
            },
            required=("address",),
        ),
        identity=("address",),
        effect=_NEXT,
        at=at,
    )


_ROUTE: Final = mapping(
    "One route.",
    {
        "address": IP_ADDRESS.but("The network that it leads to.", effect=_NEXT, at="@address", codec="address"),
        "family": word("Of which version of IP it is. Default: ipv4.", "ipv4", "ipv6", effect=_NEXT, at="@family"),
        "prefix": number("The length of that network. Default: libvirt's choice.", 0, 128, effect=_NEXT, at="@prefix"),
        "gateway": IP_ADDRESS.but("The router.", effect=_NEXT, at="@gateway", codec="address"),
        "metric": number(
            "Which one is taken of several: the smallest. Default: the kernel's choice.",
            1,
            4294967295,
            effect=_NEXT,
            at="@metric",
        ),
    },
    required=("address", "gateway"),
)

DIRECT: Final = mapping(
    "A NIC of the host, through a macvtap of its own.",
    {
        "dev": HOST_INTERFACE.but("The NIC.", effect=_NEXT, at="source/@dev", examples=("eth0",)),
        "mode": word(
            "Who carries what machines on one NIC send each other: `bridge` the host, `vepa` the switch behind the "
            "NIC, `private` nobody; with `passthrough` the NIC is this machine's alone. Default: vepa.",
            "vepa",
            "bridge",
            "private",
            "passthrough",
            default="vepa",
            absent="vepa",
            effect=_NEXT,
            at="source/@mode",
        ),
    },
    required=("dev",),
)

_RANGE: Final = mapping(
    "Ports that are forwarded, or left out.",
    {
        "start": _port("The first port of the host.", "@start"),
        "end": _port("The last one. Default: only the first.", "@end"),
        "to": _port("The guest's port for the first one. Default: the same number.", "@to"),
        "exclude": yes_no(
            "Whether these are left out of what is forwarded. Default: false.",
            absent=False,
            effect=_NEXT,
            at="@exclude",
        ),
    },
    required=("start",),
)

USER: Final = mapping(
    "Through a program of the host's, without any right there: the guest gets out, and nobody gets in by itself.",
    {
        "passt": yes_no(
            "Whether that program is passt, which the host and libvirt (9.0) have to know, not QEMU's own. "
            "Default: false.",
            default=False,
            absent=False,
            effect=_NEXT,
            at=IN_CODE,
        ),
        "logFile": HOST_PATH.but(
            f"passt: the file that it writes its log to, {_ON_THE_HOST}. Default: none.",
            effect=_NEXT,
            at="backend/@logFile",
        ),
        "dev": HOST_INTERFACE.but(
            "passt: the host's interface that it goes through. Default: that of the host's default route.",
            effect=_NEXT,
            at="source/@dev",
        ),
        "ips": _ips("The guest's addresses, one of each version of IP. Default: the program's choice.", "ip"),
        "portForward": items(
            "passt: ports of the host that lead to the guest. Default: none.",
            mapping(
                "Some ports of one protocol.",
                {
                    "proto": word("Which protocol.", "tcp", "udp", effect=_NEXT, at="@proto"),
                    "address": IP_ADDRESS.but(
                        "Only at this address of the host's. Default: at each.",
                        effect=_NEXT,
                        at="@address",
                        codec="address",
                    ),
                    "dev": HOST_INTERFACE.but(
                        "Only at this interface of the host's. Default: at each.", effect=_NEXT, at="@dev"
                    ),
                    "ranges": items(
                        "Which ports. Default: all.", _RANGE, identity=("start",), least=1, effect=_NEXT, at="range"
                    ),
                },
                required=("proto",),
            ),
            identity=("proto", "address", "dev"),
            effect=_NEXT,
            at="portForward",
        ),
    },
)

VHOST_USER: Final = mapping(
    "A switch in a program of the host's, such as DPDK's, by a socket. The machine's memory has to be shared.",
    {
        "path": HOST_PATH.but(
            f"The socket, {_ON_THE_HOST}.", effect=_NEXT, at="source/@path", examples=("/run/openvswitch/vhost-web",)
        ),
        "mode": word(
            "Who is there first: with `server` QEMU makes the socket, with `client` it joins that of the switch.",
            "client",
            "server",
            effect=_NEXT,
            at="source/@mode",
        ),
        "reconnect": mapping(
            "That a client whose switch is gone tries again. Default: it doesn't.",
            {
                "timeout": number(
                    "After how many seconds.",
                    1,
                    4294967295,
                    effect=_NEXT,
                    at="source/reconnect/@timeout",
                ),
            },
            required=("timeout",),
        ),
    },
    required=("path", "mode"),
    rules=(
        {
            "if": {"required": ["reconnect"]},
            "then": {
                "properties": {"mode": {"const": "client"}},
                "errorMessage": "Only a client can join again; write `mode: client`, or remove `reconnect`.",
            },
        },
    ),
)

HOSTDEV: Final = mapping(
    "A network card of the host's, handed to the guest as it is; mostly a virtual function of one.",
    {
        "address": PCI_ADDRESS.but(
            "The card's PCI address on the host.", effect=_NEXT, at=IN_CODE, examples=("0000:03:10.1",)
        ),
        "managed": yes_no(
            "Whether libvirt takes it from the host's driver for a run, and gives it back. Default: false.",
            default=False,
            absent=False,
            effect=_NEXT,
            at="@managed",
        ),
    },
    required=("address",),
)

VDPA: Final = mapping(
    "A network card that does virtio's part in its hardware.",
    {
        "dev": HOST_PATH.but(
            f"Its device, {_ON_THE_HOST}.", effect=_NEXT, at="source/@dev", examples=("/dev/vhost-vdpa-0",)
        )
    },
    required=("dev",),
)

ETHERNET: Final = mapping(
    "A tap of its own that is in no bridge: who has plans for it does the rest. Its name is `targetDev`.",
    {
        "managed": yes_no(
            "Whether libvirt makes the tap; otherwise somebody did before. Default: true.",
            default=True,
            absent=True,
            effect=_NEXT,
            at="target/@managed",
        ),
        "ips": _ips(
            "The host's addresses at the tap. Default: none.",
            "source/ip",
            peer=IP_ADDRESS.but(
                "The address at the other end. Default: none.", effect=_NEXT, at="@peer", codec="address"
            ),
        ),
        "routes": items(
            "The host's routes through the tap. Default: none.",
            _ROUTE,
            identity=("address", "prefix", "gateway"),
            effect=_NEXT,
            at="source/route",
        ),
    },
)


def _tunnel(about: str, *, listens: bool = False) -> Declared:
    return mapping(
        about,
        {
            "address": IPV4_ADDRESS.but(
                "The address to listen at." if listens else "The address to send to.",
                effect=_NEXT,
                at="source/@address",
                codec="address",
            ),
            "port": _port("The port.", "source/@port"),
        },
        required=("address", "port"),
    )


UDP: Final = mapping(
    "A tunnel to another machine of QEMU's, by UDP.",
    {
        **_tunnel("").fields,
        "localAddress": IPV4_ADDRESS.but("Its own address.", effect=_NEXT, at="source/local/@address", codec="address"),
        "localPort": _port("Its own port.", "source/local/@port"),
    },
    required=("address", "port", "localAddress", "localPort"),
)

# By what a document calls them; libvirt's word for the type, and what is said of it.
CONNECTIONS: Final[Mapping[str, tuple[str, Declared]]] = {
    "direct": ("direct", DIRECT),
    "user": ("user", USER),
    "vhostUser": ("vhostuser", VHOST_USER),
    "hostdev": ("hostdev", HOSTDEV),
    "vdpa": ("vdpa", VDPA),
    "ethernet": ("ethernet", ETHERNET),
    "udp": ("udp", UDP),
    "mcast": ("mcast", _tunnel("A network among machines of QEMU's that all send to one multicast address.")),
    "server": ("server", _tunnel("The one end of a tunnel by TCP to another machine of QEMU's.", listens=True)),
    "client": ("client", _tunnel("The other end of a tunnel by TCP to another machine of QEMU's.")),
}
NAMED: Final[Mapping[str, Declared]] = {
    "network": NAME.but("The libvirt network that it is on.", effect=Effect.LIVE),
    "bridge": HOST_INTERFACE.but("The bridge of the host that it is on, instead of a network.", effect=Effect.LIVE),
}
