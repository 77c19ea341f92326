"""Certificates for the tests' own servers, made as `onggi cert` makes them."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path


def made_certificate(folder: Path, *names: str) -> tuple[Path, Path]:
    """A certificate that vouches for itself, and its key."""
    words = [sys.executable, "-m", "onggi", "cert", folder, "--force", *(f"--name={name}" for name in names)]
    subprocess.run(words, check=True, capture_output=True, timeout=120)
    return folder / "cert.pem", folder / "key.pem"
