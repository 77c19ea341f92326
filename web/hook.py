"""Builds what browsers load before this project is packed: whoever has a package of it needs neither node nor npm."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from typing import Any

from hatchling.builders.hooks.plugin.interface import BuildHookInterface


class WebHook(BuildHookInterface):  # type: ignore[type-arg, misc]
    """Not for an editable installation: there `make web` does it, and an agent runs without it."""

    def initialize(self, version: str, build_data: dict[str, Any]) -> None:  # noqa: ARG002 - as hatchling calls it
        """Raises when that fails: a package without pages isn't what anybody wanted."""
        if version != "editable":
            subprocess.run(
                [sys.executable, str(Path(self.root) / "web/build.py")], check=True, stdin=subprocess.DEVNULL
            )
