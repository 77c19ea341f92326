"""What the tests of images share: real ISO images made on the spot, and a small osinfo database of their own."""

from __future__ import annotations

import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

from reconciler.observed.osinfo import Database


@pytest.fixture
def make_iso(tmp_path: Path) -> Callable[..., Path]:
    """Makes an ISO image; `boots` gives it a boot catalogue (El Torito)."""

    def make(volume: str, *options: str, boots: bool = True, name: str = "image.iso", file: str = "boot/x") -> Path:
        tree = tmp_path / f"{name}.tree"
        content = tree / file
        content.parent.mkdir(parents=True)
        content.write_text("nothing that would run\n")
        boot = ["-b", file, "-no-emul-boot"] if boots else []
        path = tmp_path / name
        command = ["xorriso", "-as", "mkisofs", "-quiet", "-V", volume, *options, *boot, "-o", str(path), str(tree)]
        subprocess.run(command, check=True, capture_output=True)
        return path

    return make


@pytest.fixture(scope="session")
def database() -> Database:
    """The one that is installed."""
    return Database((Path("/usr/share/osinfo"),))


@pytest.fixture
def write_definition(tmp_path: Path) -> Callable[..., Path]:
    """Writes a definition file into a folder like /usr/share/osinfo, and returns that folder."""

    def write(inner: str, *, folder: str = "osinfo", file: str = "example.org/one.xml", whole: str = "") -> Path:
        path = tmp_path / folder / "os" / file
        path.parent.mkdir(parents=True, exist_ok=True)
        os = f"<os id='http://example.org/one/1'><short-id>one1</short-id><name>One 1</name>{inner}</os>"
        path.write_text(whole or f"<libosinfo version='0.0.1'>{os}</libosinfo>")
        return tmp_path / folder

    return write
