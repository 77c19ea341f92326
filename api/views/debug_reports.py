"""A debug report in Kimchi's words."""

from __future__ import annotations

from typing import Any, Final
from urllib.parse import quote

from api.http.schema import Schema, obj, text
from reconciler.host.reports import Report

REPORT: Final[Schema] = obj(
    {
        "name": text("Identifies the report."),
        "uri": text("Where its content can be downloaded."),
        "time": text("When it was made, as YYYY-MM-DD-HH:MM:SS in the host's own time."),
    }
)


def report_view(report: Report) -> dict[str, Any]:
    """One report."""
    return {
        "name": report.name,
        "uri": f"/debugreports/{quote(report.name)}/content",
        "time": report.time.astimezone().strftime("%Y-%m-%d-%H:%M:%S"),
    }
