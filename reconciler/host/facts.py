"""What the machine is: memory, CPUs and operating system, from the kernel and os-release. No program is run for it.

What can't be found out is empty, and `missing` says why; nothing here raises.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

import distro
import psutil

_CPU_INFO = Path("/proc/cpuinfo")
_DEVICE_TREE_MODEL = Path("/sys/firmware/devicetree/base/model")
# Which line of cpuinfo names the model: x86 and s390, POWER, older ARM, RISC-V.
_MODEL_KEYS = ("model name", "cpu", "Processor", "Hardware", "uarch")


@dataclass(frozen=True, slots=True)
class MachineFacts:
    """`memory` in bytes, `cpus` online now; `missing` has a sentence for each fact that is empty."""

    memory: int
    cpu_model: str
    cpus: int
    os_distro: str
    os_version: str
    os_codename: str
    missing: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class OperatingSystem:
    """A distribution by its full name (`Debian GNU/Linux`), its version (`12`) and codename (`bookworm`)."""

    distro: str
    version: str
    codename: str


def machine_facts() -> MachineFacts:
    """The facts now. Memory and CPUs can be added to a running machine; the rest is asked once."""
    system, model = operating_system(), cpu_model()
    cpus, memory = psutil.cpu_count() or 0, _memory()
    missing = (
        ("" if model else f"{_CPU_INFO} doesn't name the model of the CPU."),
        ("" if cpus else "The kernel doesn't tell how many CPUs are online."),
        ("" if memory else "/proc/meminfo doesn't tell how much memory there is."),
        ("" if system.distro else "/etc/os-release doesn't name the distribution."),
    )
    return MachineFacts(
        memory=memory,
        cpu_model=model,
        cpus=cpus,
        os_distro=system.distro,
        os_version=system.version,
        os_codename=system.codename,
        missing=tuple(filter(None, missing)),
    )


@lru_cache(maxsize=8)
def operating_system(root: Path = Path("/")) -> OperatingSystem:
    """What os-release below `root` says; empty texts where it says nothing."""
    try:
        # Neither lsb_release nor uname is run: what is in the files has to do.
        found = distro.LinuxDistribution(include_lsb=False, include_uname=False, root_dir=str(root))
        return OperatingSystem(found.name(), found.version(), found.codename())
    except (OSError, ValueError):  # ValueError: bytes that aren't text, a quote that isn't closed
        return OperatingSystem("", "", "")


@lru_cache(maxsize=8)
def cpu_model(cpu_info: Path = _CPU_INFO, device_tree_model: Path = _DEVICE_TREE_MODEL) -> str:
    """The model's name as the kernel has it; the board's where the CPU has none, as on ARM; else empty."""
    named: dict[str, str] = {}
    for line in _text(cpu_info).splitlines():
        key, _, value = line.partition(":")
        named.setdefault(key.strip(), value.strip())
    for key in _MODEL_KEYS:
        if named.get(key):
            return named[key]
    return _text(device_tree_model).strip("\0 \n")


def _text(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8", errors="replace")
    except OSError:
        return ""


def _memory() -> int:
    try:
        return int(psutil.virtual_memory().total)
    except (OSError, RuntimeError, ValueError):
        return 0
