"""A debug report in Kimchi's words."""

from __future__ import annotations

from typing import Final

from api.http.schema import Schema, obj, text
from reconciler.host.reports import Report
from specs.plain import NewJson

_FIELDS: Final = {
    "name": text("Identifies the report in this API."),
    "uri": text("Where it can be downloaded.", examples=["/debugreports/monday/content"]),
    "time": text("When it was made, in the host's own time.", examples=["2015-05-28-10:30:00"]),
}
REPORT: Final[Schema] = obj(_FIELDS, required=tuple(_FIELDS), title="DebugReport")


def report_view(report: Report) -> NewJson:
    """One report."""
    return {
        "name": report.name,
        "uri": f"/debugreports/{report.name}/content",
        "time": report.time.astimezone().strftime("%Y-%m-%d-%H:%M:%S"),
    }
