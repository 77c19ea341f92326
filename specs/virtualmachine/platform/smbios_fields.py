"""What a document may say about what a machine tells of itself by SMBIOS, and by QEMU's channel to the firmware."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from specs.declared import Declared, items, mapping, text, word
from specs.effect import Effect
from specs.notations import HOST_PATH

BOOT: Final = Effect.NEXT_BOOT
_TABLES: Final = "sysinfo[@type='smbios']"
_ANY = "^[^\u0000-\u001f\u007f]{1,255}$"
_WRONG = "Write text on one line, of at most 255 characters."


def _entry(about: str, name: str, within: str) -> Declared:
    """One of the texts of a table."""
    at = f"{within}entry[@name='{name}']"
    return text(about, _ANY, error=_WRONG, effect=BOOT, at=at)


def _table(tag: str) -> str:
    return f"{_TABLES}/{tag}/"


BASE_BOARD: Final = mapping(
    "One main board.",
    {
        "manufacturer": _entry("Who made it. Default: none.", "manufacturer", ""),
        "product": _entry("What it is called. Default: none.", "product", ""),
        "version": _entry("Its version. Default: none.", "version", ""),
        "serial": _entry("Its serial number. Default: none.", "serial", ""),
        "asset": _entry("Its asset tag. Default: none.", "asset", ""),
        "location": _entry("Where it is in the chassis. Default: none.", "location", ""),
    },
)

SMBIOS: Final[Mapping[str, Declared]] = {
    "smbios": mapping(
        "What the machine tells the guest of itself, as dmidecode shows it. Default: what QEMU tells.",
        {
            "mode": word(
                "`emulate`: what QEMU tells; `host`: what the host's own tables say; `sysinfo`: what is declared here. "
                "Default: emulate.",
                "emulate",
                "host",
                "sysinfo",
                effect=BOOT,
                at="os/smbios/@mode",
            ),
            "bios": mapping(
                "The firmware. Default: QEMU's.",
                {
                    "vendor": _entry("Who made it. Default: none.", "vendor", _table("bios")),
                    "version": _entry("Its version. Default: none.", "version", _table("bios")),
                    "date": text(
                        "Its date, as MM/DD/YYYY. Default: none.",
                        "^(?:0[1-9]|1[0-2])/(?:0[1-9]|[12][0-9]|3[01])/(?:[0-9]{2}|(?:19|20)[0-9]{2})$",
                        examples=("12/31/2024",),
                        error="The firmware's date is written as MM/DD/YYYY, such as 12/31/2024; correct it.",
                        effect=BOOT,
                        at=f"{_table('bios')}entry[@name='date']",
                    ),
                    "release": text(
                        "Its release, as two numbers. Default: none.",
                        r"^[0-9]{1,3}\.[0-9]{1,3}$",
                        examples=("1.0",),
                        error="The firmware's release is written as two numbers such as 1.0, in quotes; correct it.",
                        effect=BOOT,
                        at=f"{_table('bios')}entry[@name='release']",
                    ),
                },
            ),
            "system": mapping(
                "The machine as a whole. Default: QEMU's.",
                {
                    "manufacturer": _entry("Who made it. Default: none.", "manufacturer", _table("system")),
                    "product": _entry("What it is called. Default: none.", "product", _table("system")),
                    "version": _entry("Its version. Default: none.", "version", _table("system")),
                    "serial": _entry("Its serial number. Default: none.", "serial", _table("system")),
                    "sku": _entry("Its number in a catalogue. Default: none.", "sku", _table("system")),
                    "family": _entry("Which family it belongs to. Default: none.", "family", _table("system")),
                },
            ),
            "baseBoards": items(
                "Its main boards, in their order. Default: QEMU's.",
                BASE_BOARD,
                effect=BOOT,
                at=f"{_TABLES}/baseBoard",
            ),
            "chassis": mapping(
                "The chassis. Default: QEMU's.",
                {
                    "manufacturer": _entry("Who made it. Default: none.", "manufacturer", _table("chassis")),
                    "version": _entry("Its version. Default: none.", "version", _table("chassis")),
                    "serial": _entry("Its serial number. Default: none.", "serial", _table("chassis")),
                    "asset": _entry("Its asset tag. Default: none.", "asset", _table("chassis")),
                    "sku": _entry("Its number in a catalogue. Default: none.", "sku", _table("chassis")),
                },
            ),
            "oemStrings": items(
                "Texts for whoever reads them in the guest, in their order. Default: none.",
                text("One text.", _ANY.replace("255", "1024"), error="Write text on one line."),
                examples=(["io.systemd.credential:greeting=hello"],),
                effect=BOOT,
                at=f"{_TABLES}/oemStrings/entry",
            ),
        },
    ),
    "fwCfg": items(
        "What the guest finds in QEMU's configuration for firmware, such as Ignition's. Default: nothing.",
        mapping(
            "One entry: a text (`value`) or a file (`file`).",
            {
                "name": text(
                    "Its name, which begins with opt/ for what isn't QEMU's own.",
                    r"^[A-Za-z0-9][A-Za-z0-9._/+-]{0,55}$",
                    examples=("opt/org.example/role",),
                    error="An entry's name has at most 56 letters, digits and . _ / + -, such as opt/org.example/role.",
                    effect=BOOT,
                    at="@name",
                ),
                "value": text("Its text. Default: none.", at_most=65536, effect=BOOT, at=".", absent=""),
                "file": HOST_PATH.but(
                    "The file with its contents, in a folder of the setting allowed-folder. Default: none.",
                    effect=BOOT,
                    at="@file",
                ),
            },
            required=("name",),
        ),
        effect=BOOT,
        at="sysinfo[@type='fwcfg']/entry",
        identity=("name",),
    ),
}
