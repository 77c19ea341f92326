"""Images that nobody would make: what our inspection lets through, and what QEMU then makes of it.

Whatever we would let QEMU open as a format, QEMU sees as that format, of that size, without anything behind it; and a
file of the host whose name stands in the image isn't opened.
"""

from __future__ import annotations

import random
import struct
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from specs.storagevolume.header import HEADER_BYTES, image_header, mistaken, unsafe_header
from tests.lab.hostile_images import ATTACKS, SIZE, made, qemu_opens, qemu_sees
from tests.lab.opened import Canary, canary

_PLAIN: Final = (
    ("qcow2", ("-f", "qcow2")),
    ("qcow2", ("-f", "qcow2", "-o", "compat=0.10")),
    ("qcow2", ("-f", "qcow2", "-o", "extended_l2=on,cluster_size=2M")),
    ("qcow", ("-f", "qcow")),
    ("qed", ("-f", "qed")),
    ("vmdk", ("-f", "vmdk")),
    ("vmdk", ("-f", "vmdk", "-o", "subformat=streamOptimized")),
    ("vdi", ("-f", "vdi")),
    ("vpc", ("-f", "vpc")),
    ("vhdx", ("-f", "vhdx")),
)
_TELLS_ITS_SIZE: Final = frozenset({"qcow2", "qcow", "qed", "vdi"})  # but for what is less than a sector
_MAGICS: Final = (b"QFI\xfb", b"QED\0", b"KDMV", b"COWD", b"conectix", b"vhdxfile", b"LUKS\xba\xbe", b"version=1\n")
_NUMBERS: Final = (0, 1, 2, 3, 4, 5, 8, 16, 72, 100, 104, 112, 120, 511, 512, 513, 1023, 1024, 4096, 10240, 10752,
                   65535, 65536, 1 << 20, (1 << 31) - 1, 1 << 31, (1 << 32) - 1)  # fmt: skip
_KINDS: Final = (0, 0xE2792ACA, 0x6803F857, 0x23852875, 0x0537BE77, 0x44415441, 0x12345678)  # of a qcow2's extensions


@dataclass
class Found:
    """What came of it. `opened` counts the images that we let through and that QEMU could open."""

    mistakes: list[str] = field(default_factory=list)
    refused: int = 0
    opened: int = 0


@dataclass(frozen=True)
class Images:
    """A folder with a secret in it, and the images that all others are made of."""

    folder: Path
    secret: Canary
    seeds: tuple[bytes, ...]

    def run(self, seed: int, found: Found) -> None:
        """One image more, always the same for one seed."""
        chance = random.Random(seed)
        content = bytearray(chance.choice(self.seeds))
        for _ in range(chance.randint(0, 5)):
            chance.choice(_CHANGES)(content, chance, self)
        header = image_header(bytes(content[:HEADER_BYTES]))
        if header.format == "raw" or unsafe_header(header) is not None or mistaken(header, header.format) is not None:
            found.refused += 1
            return
        image = self.folder / "image"
        image.write_bytes(content)
        seen = qemu_sees(image, header.format) if qemu_opens(image, header.format) else []
        if self.secret.was_opened():
            found.mistakes.append(f"image {seed}: QEMU opens another file, {header}")
        if not seen:
            return
        found.opened += 1
        if len(seen) != 1 or seen[0]["format"] != header.format:
            found.mistakes.append(f"image {seed}: QEMU sees {[each['format'] for each in seen]}, we {header}")
        elif header.format in _TELLS_ITS_SIZE and abs(header.virtual_size - int(seen[0]["virtual-size"])) >= 512:
            found.mistakes.append(f"image {seed}: QEMU sees {seen[0]['virtual-size']} bytes, we {header}")


@contextmanager
def images(folder: Path) -> Iterator[Images]:
    """`folder` is a new one of our own."""
    with canary(folder / "x") as secret:
        plain = tuple(made(folder, *words, str(SIZE)) for _, words in _PLAIN)
        hostile = tuple(make(folder, secret.path) for _, make in ATTACKS.values())
        secret.was_opened()
        yield Images(folder, secret, (*plain, *plain, *hostile))


def _put(content: bytearray, at: int, what: bytes) -> None:
    content.extend(bytes(max(0, at - len(content))))
    content[at : at + len(what)] = what


def _byte(content: bytearray, chance: random.Random, _images: Images) -> None:
    _put(content, chance.randrange(128), bytes([chance.randrange(256)]))


def _number(content: bytearray, chance: random.Random, _images: Images) -> None:
    layout = chance.choice((">I", ">Q", "<I", "<Q"))
    _put(content, chance.randrange(0, 128, 4), struct.pack(layout, chance.choice(_NUMBERS)))


def _name(content: bytearray, chance: random.Random, images: Images) -> None:
    """The secret's name somewhere, and mostly something that points to it."""
    name = str(images.secret.path).encode()
    at = chance.choice((72, 104, 112, 512, chance.randrange(HEADER_BYTES + 4096)))
    _put(content, at, name)
    if content.startswith(b"QED") and chance.random() < 0.8:
        struct.pack_into("<II", content, 56, at, len(name))
    elif chance.random() < 0.8:
        _put(content, 8, struct.pack(">Q", at))
        _put(content, 16, struct.pack(">I", chance.choice((len(name), 1023, len(name) + 1))))


def _hint(content: bytearray, chance: random.Random, images: Images) -> None:
    between = chance.choice(('="', "##", " =", '"="', "= "))
    text = f'CID=1\nparentCID=1\nparentFileNameHint{between}{images.secret.path}"\n'
    _put(content, chance.choice((0, 512, 520, 1000, 10240, 10700, chance.randrange(24 * 1024))), text.encode())


def _extension(content: bytearray, chance: random.Random, images: Images) -> None:
    """Of a qcow2, where the first one is or anywhere."""
    data = chance.choice((b"raw", b"qcow2", str(images.secret.path).encode(), b""))
    at = chance.choice((72, 104, 112, chance.randrange(72, 1024, 8)))
    _put(content, at, struct.pack(">II", chance.choice(_KINDS), chance.choice((len(data), 0, 1 << 31))) + data)


def _magic(content: bytearray, chance: random.Random, _images: Images) -> None:
    _put(content, 0, chance.choice(_MAGICS))


def _cut(content: bytearray, chance: random.Random, _images: Images) -> None:
    del content[chance.choice((chance.randrange(1, 1024), chance.randrange(1024, len(content) + 1025))) :]


def _splice(content: bytearray, chance: random.Random, images: Images) -> None:
    """The beginning of one and the rest of another."""
    at = chance.choice((64, 72, 104, 512, 1024, 4096))
    content[at:] = chance.choice(images.seeds)[at:]


_CHANGES: Final[tuple[Callable[[bytearray, random.Random, Images], None], ...]] = (
    _byte, _number, _number, _name, _hint, _extension, _magic, _cut, _splice,
)  # fmt: skip
