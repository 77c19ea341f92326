"""Images that make QEMU open a file of the host: one for each way that is known to do so, and QEMU to show it."""

from __future__ import annotations

import json
import struct
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

SIZE = 1 << 20
# An attacker's image may be of any size, too: qemu-img isn't let loose on this machine.
_BOUNDS = ("prlimit", "--as=1073741824", "--cpu=20", "--fsize=1073741824")


def made(folder: Path, *words: str | Path) -> bytes:
    """What `qemu-img create <words> IMAGE` makes, without a file that is left."""
    image = folder / "made"
    before, after = (words[:-1], words[-1:]) if str(words[-1]).isdigit() else (words, ())
    command = ["qemu-img", "create", "-q", *map(str, before), str(image), *map(str, after)]
    subprocess.run(command, check=True, capture_output=True)
    content = image.read_bytes()
    image.unlink()
    return content


def qemu_opens(image: Path, image_format: str) -> bool:
    """Open it as a machine would, which `qemu-img info` doesn't do with all that an image refers to."""
    command = [*_BOUNDS, "qemu-io", "-r", "-U", "-f", image_format, "-c", "quit", str(image)]
    return subprocess.run(command, capture_output=True, check=False, timeout=120).returncode == 0


def qemu_sees(image: Path, image_format: str) -> list[dict[str, Any]]:
    """What QEMU finds in an image and all that it refers to; empty when it can't read them."""
    command = [*_BOUNDS, "qemu-img", "info", "-U", "--output=json", "--backing-chain", "-f", image_format, str(image)]
    done = subprocess.run(command, capture_output=True, check=False, timeout=120)
    return list(json.loads(done.stdout)) if done.returncode == 0 else []


def _sparse(folder: Path, hint: str) -> bytearray:
    """A vmdk of one file, with another line in its descriptor."""
    content = bytearray(made(folder, "-f", "vmdk", str(SIZE)))
    text = bytes(content[512:2048]).rstrip(b"\0").replace(b"parentCID=ffffffff", b"parentCID=00000001")
    content[512 : 512 + len(text) + 1 + len(hint)] = text + b"\n" + hint.encode()
    return content


def _offset_lies(folder: Path, secret: Path) -> bytes:
    content = _sparse(folder, f'parentFileNameHint="{secret}"\n')
    content[28:36] = struct.pack("<Q", 4096)
    return bytes(content)


def _cow(folder: Path, secret: Path) -> bytes:
    content = bytearray(1 << 16)
    content[:36] = b"COWD" + struct.pack("<IIIIIIII", 1, 3, SIZE // 512, 16, 64, 1, 0, 0)
    text = b"CID=00000001\nparentCID=00000001\n"
    content[512 : 512 + 20 * 512] = text.ljust(20 * 512, b"#")
    hint = f'parentFileNameHint="{secret}"\n'.encode()
    content[10240 : 10240 + len(hint)] = hint
    return bytes(content)


def _descriptor(_folder: Path, secret: Path, before: str = "# Disk DescriptorFile\n") -> bytes:
    extent = f'RW 128 FLAT "{secret}" 0'
    return f'{before}CID=1\nparentCID=ffffffff\ncreateType="monolithicFlat"\n{extent}\n'.encode()


def _without_capacity(folder: Path, secret: Path) -> bytes:
    content = bytearray(made(folder, "-f", "vmdk", str(SIZE)))
    content[12:20] = bytes(8)
    text = _descriptor(folder, secret)
    content[512 : 512 + 1024] = text.ljust(1024, b"\0")
    return bytes(content)


def _two_backing_formats(folder: Path, secret: Path) -> bytes:
    """The first says raw, below which nothing is looked for; QEMU heeds the second."""
    below = folder / "below.qcow2"
    below.write_bytes(_backed(folder, secret))
    content = bytearray(made(folder, "-u", "-f", "qcow2", "-F", "raw", "-b", below, str(SIZE)))
    (name,), (length,) = struct.unpack_from(">Q", content, 8), struct.unpack_from(">I", content, 16)
    backing = bytes(content[name : name + length])
    first = struct.pack(">II8s", 0xE2792ACA, 3, b"raw") + struct.pack(">II8s", 0xE2792ACA, 5, b"qcow2") + bytes(8)
    (header,) = struct.unpack_from(">I", content, 100)
    content[header : header + len(first) + length] = first + backing
    struct.pack_into(">Q", content, 8, header + len(first))
    return bytes(content)


def _backed(folder: Path, name: str | Path, image_format: str = "qcow2") -> bytes:
    return made(folder, "-u", "-f", image_format, "-F", "raw", "-b", name, str(SIZE))


def _by_json(folder: Path, secret: Path) -> bytes:
    nodes = {"driver": "raw", "file": {"driver": "file", "filename": str(secret)}}
    return _backed(folder, f"json:{json.dumps(nodes)}")


def _data_file(folder: Path, secret: Path) -> bytes:
    outside = secret.with_name("made.data")
    content = made(folder, "-f", "qcow2", "-o", f"data_file={outside},data_file_raw=on", str(SIZE))
    outside.unlink()
    name = str(secret).encode()
    return content.replace(str(outside).encode(), name.ljust(len(str(outside)), b"\0")).replace(
        struct.pack(">II", 0x44415441, len(str(outside))), struct.pack(">II", 0x44415441, len(name))
    )


# By name: the format as which QEMU opens it, and what makes it. The secret's name is the shortest in its folder.
ATTACKS: dict[str, tuple[str, Callable[[Path, Path], bytes]]] = {
    "a vmdk with a parent": ("vmdk", lambda folder, secret: bytes(_sparse(folder, f'parentFileNameHint="{secret}"\n'))),
    "a vmdk's parent behind other signs": (
        "vmdk",
        lambda folder, secret: bytes(_sparse(folder, f'parentFileNameHint##{secret}"\n')),
    ),
    "a vmdk whose descriptor isn't where it says": ("vmdk", _offset_lies),
    "a vmdk without a capacity": ("vmdk", _without_capacity),
    "a vmdk of copied grains": ("vmdk", _cow),
    "a vmdk's descriptor": ("vmdk", _descriptor),
    "a vmdk's descriptor without its first line": ("vmdk", lambda folder, secret: _descriptor(folder, secret, "")),
    "a vmdk's descriptor below other text": (
        "vmdk",
        lambda folder, secret: _descriptor(folder, secret, "a diary\nversion=1\n"),
    ),
    "a qcow2 with a backing file": ("qcow2", _backed),
    "a qcow2 backed by a file URL": ("qcow2", lambda folder, secret: _backed(folder, f"file:{secret}")),
    "a qcow2 backed by JSON": ("qcow2", _by_json),
    "a qcow2 of two minds about what backs it": ("qcow2", _two_backing_formats),
    "a qcow2 with its data elsewhere": ("qcow2", _data_file),
    "a qcow with a backing file": ("qcow", lambda folder, secret: _backed(folder, secret, "qcow")),
    "a qed with a backing file": ("qed", lambda folder, secret: _backed(folder, secret, "qed")),
}
