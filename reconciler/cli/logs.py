"""Where log messages go and what they look like: stderr, one line each, as text or as JSON.

stdout belongs to a verb's result. Time stamps are UTC.
"""

from __future__ import annotations

import json
import logging
import sys
import time
from typing import Any


class TextFormatter(logging.Formatter):
    """`2026-01-31T12:00:00Z INFO onggi.agent: ready`, for people and the journal."""

    converter = time.gmtime

    def __init__(self) -> None:
        super().__init__("%(asctime)sZ %(levelname)s %(name)s: %(message)s", datefmt="%Y-%m-%dT%H:%M:%S")

    def formatMessage(self, record: logging.LogRecord) -> str:  # noqa: N802  # logging's own name
        """One line: a message that came from elsewhere can't forge a second one."""
        return super().formatMessage(record).replace("\r", "\\r").replace("\n", "\\n")


class JsonFormatter(logging.Formatter):
    """One JSON object for each message, for machines."""

    converter = time.gmtime

    def format(self, record: logging.LogRecord) -> str:
        """`time`, `level`, `logger`, `message`, and `traceback` where there is one."""
        told: dict[str, Any] = {
            "time": f"{self.formatTime(record, '%Y-%m-%dT%H:%M:%S')}.{int(record.msecs):03d}Z",
            "level": record.levelname.lower(),
            "logger": record.name,
            "message": record.getMessage(),
        }
        if record.exc_info:
            told["traceback"] = self.formatException(record.exc_info)
        return json.dumps(told, ensure_ascii=False)


def set_up(*, verbose: bool = False, quiet: bool = False, log_format: str = "text", level: int = logging.INFO) -> None:
    """Send the whole process's log to stderr. `level` is what is shown without `verbose` (all) or `quiet` (warnings)."""
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(JsonFormatter() if log_format == "json" else TextFormatter())
    root = logging.getLogger()
    root.handlers[:] = [handler]
    root.setLevel(logging.WARNING)  # of other people's libraries only what matters
    chosen = logging.DEBUG if verbose else logging.WARNING if quiet else level
    logging.getLogger("onggi").setLevel(chosen)
