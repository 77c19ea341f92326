"""A machine for tests of the API: this one to look at, and another one to change, which goes nowhere when it is told to
restart.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from reconciler.host.commands import Finished, Program
from reconciler.host.power import HostPower
from reconciler.host.reports import Reports
from reconciler.host.repositories.opening import open_repositories
from reconciler.serving.host import HostServices, Lazy


@dataclass
class Calls:
    """Runs nothing, and notes what would have been run."""

    made: list[str] = field(default_factory=list)

    def __call__(self, program: Program, arguments: Collection[str], *, timeout_s: float) -> Finished:
        self.made.append(" ".join([program.name, *arguments]))
        return Finished(0, "", "")


def harmless_host(root: Path, calls: Calls | None = None, **more: Any) -> HostServices:
    """Packages and repositories are those of a scratch `root`; reports are kept below it."""
    parts: dict[str, Any] = {
        "power": HostPower(calls or Calls()),
        "reports": Lazy(lambda: Reports(root / "debugreports", least_free_bytes=0, plugins=("kernel",))),
        "packages": lambda: None,
        "repositories": Lazy(lambda: open_repositories(root)),
    }
    return HostServices(**parts | more)
