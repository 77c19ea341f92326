"""What documents may say of devices that are where the viewer is: USB devices and smart cards."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from specs.declared import Declared, has, is_one, items, mapping, number, only_with, text, where, word, yes_no
from specs.effect import Effect
from specs.virtualmachine.devices.character_fields import end_rules, plain_end
from specs.virtualmachine.devices.place_fields import PLACE

_NEXT = Effect.NEXT_BOOT
_END: Final = plain_end("spicevmc", "tcp", "unix", "pty", "dev", "file", "pipe", "udp", "null")
_ID = r"^0x[0-9A-Fa-f]{1,4}$"
_ID_ERROR = "A vendor or product of USB is written in hexadecimal, such as 0x1234; correct it."


def _usb_id(about: str, at: str, codec: str = "hex4") -> Declared:
    return text(f"{about} Default: any.", _ID, error=_ID_ERROR, examples=("0x1234",), effect=_NEXT, at=at, codec=codec)


REDIRDEVS: Final = items(
    "Places for USB devices of the viewer, in order, each for one of them. Default: none.",
    mapping(
        "One place.",
        {
            **_END,
            "bootOrder": number(
                "Its place in the order of boot devices. Default: none.", 1, 1000, effect=_NEXT, at="boot/@order"
            ),
            **PLACE,
        },
        required=("type",),
        rules=end_rules(_END),
    ),
    at="devices/redirdev[@bus='usb']",
    effect=Effect.LIVE,
)

REDIR_FILTER: Final = items(
    "Which USB devices of the viewer may be redirected: the first rule that fits counts. Default: all.",
    mapping(
        "One rule.",
        {
            "allow": yes_no("Whether they may.", effect=_NEXT, at="@allow"),
            "deviceClass": _usb_id("Their class.", "@class", "hex2"),
            "vendor": _usb_id("Their vendor.", "@vendor"),
            "product": _usb_id("Their product.", "@product"),
            "version": text(
                "Their version. Default: any.",
                r"^[0-9]{1,2}\.[0-9]{1,2}$",
                examples=("1.10",),
                error="A version is written such as 1.10; correct it.",
                effect=_NEXT,
                at="@version",
            ),
        },
        required=("allow",),
    ),
    at="devices/redirfilter/usbdev",
    effect=_NEXT,
)

SMARTCARDS: Final = items(
    "Readers of smart cards, in order. Default: none.",
    mapping(
        "One reader.",
        {
            "type": word(
                "Whose card it is: the host's reader (`host`), three certificates of the host (`host-certificates`), "
                "or the viewer's, reached through the console (`spicevmc`) or as a serial line would be.",
                *("spicevmc", "host", "host-certificates", "tcp", "unix", "pty", "dev", "file", "pipe", "udp", "null"),
                effect=_NEXT,
                at=".",
                codec="<smartcard>",
                takes_along=("certificate", "database", "source", "protocol"),
            ),
            "certificates": items(
                "Of host-certificates: the names of the three. Default: none.",
                text("One name.", at_most=256),
                least=3,
                most=3,
                effect=_NEXT,
                at="certificate",
            ),
            **{name: each for name, each in _END.items() if name != "type"},
            "address": PLACE["address"],
        },
        required=("type",),
        rules=(
            *end_rules(_END),
            only_with("certificates", "type", "host-certificates", error="Only host-certificates has certificates."),
            where(
                is_one("type", "host-certificates"),
                {**has("certificates"), "errorMessage": "Name the three certificates as `certificates`."},
            ),
        ),
    ),
    at="devices/smartcard",
    effect=_NEXT,
)

FIELDS: Final[Mapping[str, Declared]] = {
    "redirdevs": REDIRDEVS,
    "redirFilter": REDIR_FILTER,
    "smartcards": SMARTCARDS,
}
