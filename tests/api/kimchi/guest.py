"""A system for machines that are started: thirty bytes that sleep, and switch off when the power button is pressed.

An empty machine keeps a processor busy in the firmware's loop, and no test here wants to wait for a real system.
"""

from __future__ import annotations

import subprocess
from pathlib import Path

from tests.api.images import an_iso

# Where the firmware lets the registers of ACPI's power management begin, on all machines for x86.
_STATUS, _ENABLE, _CONTROL = 0x600, 0x602, 0x604
_BUTTON, _SLEEP = 0x0100, 0x2000


def _port(number: int) -> bytes:
    return b"\xba" + number.to_bytes(2, "little")  # mov dx, number


def _value(number: int) -> bytes:
    return b"\xb8" + number.to_bytes(2, "little")  # mov ax, number


_OUT, _IN = b"\xef", b"\xed"
_LISTEN = b"\xfb\xf4\xfa" + _port(_STATUS) + _IN + b"\xf6\xc4" + bytes([_BUTTON >> 8])  # sti; hlt; cli; test ah, ...
CODE = (
    b"\xfa" + _port(_ENABLE) + _value(_BUTTON) + _OUT
    + _LISTEN + b"\x74" + (256 - len(_LISTEN) - 2).to_bytes()  # jz: until it is pressed, the clock's ticks apart
    + _port(_CONTROL) + _value(_SLEEP) + _OUT + b"\xf4"
)  # fmt: skip


def bootable_disk(path: Path, size_gib: int, form: str) -> Path:
    """An image that has it in its first sector."""
    sector = path.with_suffix(".sector")
    sector.write_bytes(CODE.ljust(510, b"\0") + b"\x55\xaa")
    subprocess.run(["qemu-img", "convert", "-q", "-f", "raw", "-O", form, sector, path], check=True)
    subprocess.run(["qemu-img", "resize", "-q", "-f", form, path, f"{size_gib}G"], check=True)
    sector.unlink()
    return path


def bootable_iso(path: Path) -> Path:
    return an_iso(path, code=CODE)
