"""The documented unit leaves the agent what it needs: tests of its own pass under the same restrictions.

systemd isn't needed for that: the kernel restricts, and here it is told the same by `tests/lab/unit`.
"""

from __future__ import annotations

import os
import secrets
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.lab.libvirtd import PREFIX, STORAGE
from tests.test_docs import blocks
from tests.test_unit import INSTALL, values

pytestmark = pytest.mark.qemu

ROOT = Path(__file__).parents[2]
LAB = ROOT / "tests/lab/unit"
# A write that becomes a commit and a machine; a seed; images from outside; what is forbidden on the host.
STORIES = (
    "tests/stories/test_cloud_init.py",
    "tests/stories/test_policies.py",
    "tests/hostile/test_images_from_outside.py",
)


@pytest.fixture
def folder() -> Iterator[Path]:
    """Where the unit may write."""
    made = STORAGE / f"{PREFIX}{secrets.token_hex(4)}"
    made.mkdir()
    yield made
    shutil.rmtree(made)


def restricted(*words: object) -> list[str]:
    """The command as the documented unit has it run."""
    unit = next(block for block in blocks(INSTALL, "ini") if "ExecStart=" in block)
    writable = [path.lstrip("-") for path in values(unit, "ReadWritePaths")]
    bounding = ",".join(["-all", *(f"+{each[4:].lower()}" for each in values(unit, "CapabilityBoundingSet"))])
    (calls,), families = values(unit, "SystemCallFilter"), values(unit, "RestrictAddressFamilies")
    return [
        "unshare", "--mount", "sh", str(LAB / "enter.sh"), *writable, "--", bounding, sys.executable,
        str(LAB / "syscalls.py"), calls, " ".join(families), *map(str, words),
    ]  # fmt: skip


def run(*words: object, folder: Path) -> subprocess.CompletedProcess[str]:
    environment = os.environ | {"TMPDIR": str(folder), "PYTHONDONTWRITEBYTECODE": "1", "PYTEST_ADDOPTS": ""}
    environment = {key: value for key, value in environment.items() if not key.startswith("PYTEST_XDIST")}
    return subprocess.run(
        restricted(*words), cwd=ROOT, env=environment, stdin=subprocess.DEVNULL, capture_output=True, text=True
    )


def test_tests_of_the_agent_pass_under_the_restrictions_of_its_unit(folder: Path) -> None:
    pytest_words = ("-m", "pytest", "-q", "-p", "no:cacheprovider", "--basetemp", folder / "tests")
    done = run(sys.executable, *pytest_words, *STORIES, folder=folder)
    assert done.returncode == 0, done.stdout[-3000:] + done.stderr[-1000:]


@pytest.mark.parametrize(
    ("said", "script"),
    [
        ("Read-only file system", "open('/etc/onggi-was-here', 'w')"),
        ("Read-only file system", "open('/usr/onggi-was-here', 'w')"),
        ("Read-only file system", "open('/sys/kernel/mm/ksm/run', 'w')"),
        ("Operation not permitted", "import os; os.mknod('/dev/shm/x', 0o60600)"),
        ("Operation not permitted", "import os; os.chroot('/')"),
        ("Operation not permitted", "import socket; socket.socket(socket.AF_PACKET, socket.SOCK_RAW)"),
        ("No such file", "open('/dev/kvm')"),
    ],
)  # fmt: skip
def test_the_restrictions_are_really_there(folder: Path, said: str, script: str) -> None:
    done = run(sys.executable, "-c", script, folder=folder)
    assert done.returncode == 1 and said in done.stderr, done.stderr
