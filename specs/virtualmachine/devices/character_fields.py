"""What documents may say of devices through which a guest and its host exchange characters: serial lines, channels and
the like. They differ in what the guest sees, and have the other end in common.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Final

from specs.declared import (
    Declared,
    Keywords,
    any_of,
    has,
    is_one,
    mapping,
    never,
    number,
    on_off,
    only_with,
    text,
    where,
    word,
    yes_no,
)
from specs.effect import Effect
from specs.notations import HOST_PATH

_NEXT = Effect.NEXT_BOOT
_AFTER_CHANGE: Final = ("source", "protocol")  # what is about the other end goes with the other end
_ENDS = (
    "pty",
    "dev",
    "file",
    "pipe",
    "unix",
    "tcp",
    "udp",
    "null",
    "stdio",
    "vc",
    "spicevmc",
    "spiceport",
    "qemu-vdagent",
    "dbus",
)
_AT_PORT = r"^(?:\[[0-9A-Fa-f:.]+\]|[^\[\]:/\s]*):[0-9A-Za-z-]{1,32}$"
_PORT_ERROR = "An end of a connection is written as `host:port`, such as 192.0.2.1:4555 or [fd00::1]:4555; correct it."


_OF_END: Final = {
    "path": ("dev", "file", "pipe", "unix"),
    "mode": ("unix",),
    "connect": ("tcp", "udp"),
    "listen": ("tcp", "udp"),
    "tls": ("tcp",),
    "protocol": ("tcp",),
    "reconnect": ("tcp", "unix"),
    "append": ("file",),
    "channel": ("spiceport", "dbus"),
    "clipboard": ("qemu-vdagent",),
    "mouse": ("qemu-vdagent",),
}


def end_rules(fields: Iterable[str], *, own_socket: bool = False) -> tuple[Keywords, ...]:
    """The rules between a device's `type` and those of its fields that only some types have; with `own_socket` libvirt
    makes up the path of a socket.
    """
    known = set(fields)
    return (
        *(
            only_with(name, "type", *types, error=f"`{name}` only goes with the type {' or '.join(types)}; remove it.")
            for name, types in _OF_END.items()
            if name in known
        ),
        never(
            {**is_one("type", "tcp"), "required": ["type", "connect", "listen"]},
            "A connection by tcp has one end: QEMU's is `listen` or `connect`; remove one of the two.",
        ),
        where(
            is_one("type", "tcp"),
            any_of(
                "connect", "listen", error="Write where QEMU connects to as `connect`, or where it waits: `listen`."
            ),
        ),
        *(
            never(
                {"required": ["type", "reconnect", *where_], "properties": waits},
                "QEMU connects again where it connects, not where it waits; remove `reconnect`.",
            )
            for where_, waits in ((["listen"], {}), (["mode"], {"mode": {"const": "bind"}}))
            if "reconnect" in known
        ),
        *(
            where(
                is_one("type", "spiceport", "dbus"),
                {**has("channel"), "errorMessage": "The viewer has to know it; name it by `channel`."},
            )
            for name in known & {"channel"}
        ),
        where(
            is_one("type", "udp"),
            {**has("connect"), "errorMessage": "Write where QEMU sends to as `connect`; `listen` is where it hears."},
        ),
        where(
            is_one("type", "dev", "file", "pipe", *(() if own_socket else ("unix",))),
            {**has("path"), "errorMessage": "Write the path on the host as `path`."},
        ),
    )


def plain_end(*ends: str, way: str = "") -> Mapping[str, Declared]:
    """The fields about where the characters go on the host, of a device that has no more to do with it."""
    of = other_end(*ends, way=way)
    return {name: of[name] for name in ("type", "path", "mode", "connect", "listen")}


def other_end(*ends: str, way: str = "") -> Mapping[str, Declared]:
    """The fields about where the characters go on the host, beside a `type` with the words that a device may have."""
    return {
        "type": word(
            "What is at the other end on the host: a terminal (`pty`), a device (`dev`), a `file` that is written, a "
            "named pipe (`pipe`), a socket (`unix`), a connection (`tcp`, `udp`), nothing (`null`), the console's "
            "window (`vc`), a part of SPICE's connection (`spicevmc`, `spiceport`).",
            *(ends or _ENDS),
            effect=_NEXT,
            at="@type",
            takes_along=tuple(f"{way}{part}" for part in _AFTER_CHANGE),
        ),
        "path": HOST_PATH.but(
            "Path of the device, file, pipe or socket on the host, in an allowed folder. Default: libvirt chooses "
            "one for a channel's socket.",
            effect=_NEXT,
            at="source/@path",
        ),
        "mode": word(
            "Of a socket: whether QEMU makes it and waits there (`bind`), or connects to it. Default: connect.",
            "bind",
            "connect",
            effect=_NEXT,
            at="source",
            codec="<source> mode",
        ),
        "connect": text(
            "Of tcp and udp: where QEMU connects to, as `host:port`. Default: nowhere.",
            _AT_PORT,
            at_most=300,
            examples=("192.0.2.1:4555",),
            error=_PORT_ERROR,
            effect=_NEXT,
            at="source",
            codec="<source> connect",
        ),
        "listen": text(
            "Of tcp and udp: where QEMU waits, as `host:port` of this host. Default: nowhere.",
            _AT_PORT,
            at_most=300,
            examples=("127.0.0.1:4555",),
            error=_PORT_ERROR,
            effect=_NEXT,
            at="source",
            codec="<source> listen",
        ),
        "tls": yes_no(
            "Of tcp: whether the connection is encrypted, with the host's certificates. Default: as the host's "
            "qemu.conf says.",
            effect=_NEXT,
            at="source/@tls",
        ),
        "protocol": word(
            "Of tcp: what is spoken, the characters themselves (`raw`) or telnet. Default: raw.",
            *("raw", "telnet", "telnets", "tls"),
            default="raw",
            effect=_NEXT,
            at="protocol/@type",
        ),
        "reconnect": number(
            "Of tcp and unix: seconds after which QEMU connects again when the connection is lost; 0: never. Default: "
            "0.",
            0,
            86400,
            effect=_NEXT,
            at="source/reconnect",
            codec="<reconnect>",
            absent=0,
        ),
        "append": on_off(
            "Of a file: whether it goes on where it ended, not from its beginning at each start. Default: false.",
            effect=_NEXT,
            at="source/@append",
        ),
        "channel": text(
            "Of spiceport and dbus: the name by which the viewer knows it. Default: none.",
            r"^[A-Za-z0-9_.-]{1,128}$",
            examples=("org.example.console",),
            error="A channel's name has letters, digits, `.`, `_` and `-`; correct it.",
            effect=_NEXT,
            at="source/@channel",
        ),
        "log": mapping(
            "A file on the host that keeps whatever the guest says, beside the other end. Default: none.",
            {
                "file": HOST_PATH.but("Path of the file, in an allowed folder.", effect=_NEXT, at="log/@file"),
                "append": on_off(
                    "Whether it goes on where it ended. Default: as the host's qemu.conf says.",
                    effect=_NEXT,
                    at="log/@append",
                ),
            },
            required=("file",),
        ),
    }
