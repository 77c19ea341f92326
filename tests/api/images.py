"""Small images that tests of the API put into pools."""

from __future__ import annotations

import subprocess
import tempfile
from pathlib import Path


def an_iso(path: Path, *, boots: bool = True, volume: str = "ONGGI", code: bytes = b"nothing that would run") -> Path:
    """A real ISO image at `path`; one that `boots` has a boot catalogue (El Torito), and a processor runs `code`."""
    with tempfile.TemporaryDirectory() as folder:
        (Path(folder) / "boot.img").write_bytes(code.ljust(4096, b"\0"))
        boot = ["-b", "boot.img", "-no-emul-boot"] if boots else []
        command = ["xorriso", "-as", "mkisofs", "-quiet", "-V", volume, *boot, "-o", str(path), folder]
        subprocess.run(command, check=True, capture_output=True)
    return path
