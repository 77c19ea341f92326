"""Where log messages go and what they look like: stderr, one line each, as text or as JSON.

stdout belongs to a verb's result. Time stamps are UTC.
"""

from __future__ import annotations

import json
import logging
import re
import sys
from datetime import UTC, datetime
from typing import Final

from reconciler.clock import rfc3339
from specs.plain import NewJson

# Whatever ends a line, moves a terminal's cursor or turns the text around.
_UNSAFE: Final = re.compile(r"[\x00-\x08\x0a-\x1f\x7f-\x9f\u2028-\u202e\u2066-\u2069]")


class TextFormatter(logging.Formatter):
    """`2026-01-31T12:00:00.000Z INFO onggi.agent: ready`, for people and the journal."""

    def __init__(self) -> None:
        super().__init__("%(asctime)s %(levelname)s %(name)s: %(message)s")

    def formatTime(self, record: logging.LogRecord, datefmt: str | None = None) -> str:  # noqa: ARG002, N802
        """UTC, as everything that onggi shows."""
        return _time(record)

    def formatMessage(self, record: logging.LogRecord) -> str:  # noqa: N802  # logging's own name
        """One line: a message that came from elsewhere can't forge a second one, nor tell a terminal anything."""
        return _UNSAFE.sub(lambda found: found[0].encode("unicode_escape").decode(), super().formatMessage(record))


class JsonFormatter(logging.Formatter):
    """One JSON object for each message, for machines."""

    def format(self, record: logging.LogRecord) -> str:
        """`time`, `level`, `logger`, `message`, and `traceback` where there is one."""
        told: NewJson = {
            "time": _time(record),
            "level": record.levelname.lower(),
            "logger": record.name,
            "message": record.getMessage(),
        }
        if record.exc_info:
            told["traceback"] = self.formatException(record.exc_info)
        return json.dumps(told, ensure_ascii=False)


def _time(record: logging.LogRecord) -> str:
    return rfc3339(datetime.fromtimestamp(record.created, UTC))


def set_up(*, verbose: bool = False, quiet: bool = False, log_format: str = "text", level: int = logging.INFO) -> None:
    """Send the whole process's log to stderr. `level` holds without `verbose` (all) and `quiet` (warnings)."""
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(JsonFormatter() if log_format == "json" else TextFormatter())
    root = logging.getLogger()
    root.handlers[:] = [handler]
    root.setLevel(logging.WARNING)  # of other people's libraries only what matters
    chosen = logging.DEBUG if verbose else logging.WARNING if quiet else level
    logging.getLogger("onggi").setLevel(chosen)
