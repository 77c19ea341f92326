"""/debugreports: archives of what `sos` collects about the host, made by tasks, one at a time."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Final, TypeVar

import falcon.asgi

from api.debugreports.view import REPORT, report_view
from api.http.endpoint import Answer, Call, Resource, delete, get, post, put, raw
from api.http.ranges import Sent, Unsatisfiable, requested
from api.http.refusal import Refusal, bad
from api.http.schema import arr, obj, text
from api.services import Services
from api.tasks.view import TASK, task_view
from reconciler.errors import Cancelled, NotFound, Refused, Unsupported
from reconciler.host.reports import SOS
from reconciler.identity.role import Role
from reconciler.serving.tasks import Tell
from specs.plain import NewJson

_T = TypeVar("_T")

_NAME: Final = text(
    "Letters, digits, `_` and `-`.",
    pattern="^[_A-Za-z0-9-]*$",
    maxLength=200,
    x_code="KCHDR0007E",
    x_message="A debug report's name is made of letters, digits, `_` and `-`; choose such a one.",
)
_CODES: Final = {"BadReportName": "KCHDR0007E", "ReportExists": "KCHDR0008E", "DiskFull": "KCHDR0005E"}
_BINARY: Final = "application/octet-stream"
_SOON_S: Final = 0.2
_MOST_AT_ONCE: Final = 4  # the others wait, and the tasks of machines mustn't wait behind them


class _Family(Resource):
    tag = "Debug reports"

    @staticmethod
    def asked(ask: Callable[[], _T]) -> _T:
        """The answer, or the refusal in Kimchi's words."""
        try:
            return ask()
        except Refused as refused:
            raise bad(_CODES.get(refused.reason, ""), str(refused)) from None
        except NotFound as error:
            raise Refusal(404, str(error), "KCHDR0001E") from None
        except Unsupported as error:
            raise Refusal(501, str(error), "KCHDR0002E") from None


class DebugReports(_Family):
    """All of them."""

    address = "/debugreports"

    def __init__(self, services: Services) -> None:
        super().__init__(services)
        self._lock = threading.Lock()
        self._promised: set[str] = set()  # names of reports that are still being made
        self._making = threading.Lock()  # two at once would collect each other

    @get("The debug reports, the newest first.", arr(REPORT), filters=True, blocking=True, role=Role.ADMIN)
    def read(self, _call: Call) -> list[NewJson]:
        """Those that are finished."""
        return [report_view(each) for each in self.serving.host.reports().list()]

    @post(
        "Make a debug report. Without a name, one is made up.", TASK, obj({"name": _NAME}, closed=False), status=202,
        fallback="KCHDR0007E", role=Role.ADMIN,
    )  # fmt: skip
    def make(self, call: Call) -> Answer:
        """A task whose message tells how far it is."""
        if not SOS.present:
            sentence = f"sos is needed to {SOS.purpose}; install it (Debian package {SOS.package})."
            raise Refusal(501, sentence, "KCHDR0002E")
        reports = self.serving.host.reports()
        name = self.asked(lambda: reports.free_name(str(call.body.get("name") or "")))
        with self._lock:
            if name in self._promised:
                raise bad("KCHDR0008E", f"A debug report {name} is being made; choose another name.")
            if len(self._promised) >= _MOST_AT_ONCE:
                raise Refusal(409, f"{_MOST_AT_ONCE} debug reports are asked for already; wait for their end.")
            self._promised.add(name)

        def work(tell: Tell, stop: threading.Event) -> None:
            try:
                with self._turn(tell, stop):
                    reports.generate(name, tell, stop=stop.is_set)
            finally:
                with self._lock:
                    self._promised.discard(name)

        try:
            return Answer(task_view(self.serving.tasks.start(f"/debugreports/{name}", work, call.client)), 202)
        except BaseException:
            with self._lock:
                self._promised.discard(name)
            raise

    @contextmanager
    def _turn(self, tell: Tell, stop: threading.Event) -> Iterator[None]:
        """Wait until no other report is being made."""
        if not self._making.acquire(blocking=False):
            tell("Waiting for another debug report")
            while not self._making.acquire(timeout=_SOON_S):
                if stop.is_set():
                    raise Cancelled("The agent is ending; this debug report wasn't begun.")
        try:
            yield
        finally:
            self._making.release()


class DebugReport(_Family):
    """One of them."""

    address = "/debugreports/{name}"

    @get("A debug report.", REPORT, blocking=True, role=Role.ADMIN)
    def read(self, _call: Call, name: str) -> NewJson:
        """By its name."""
        return report_view(self.asked(lambda: self.serving.host.reports().get(name)))

    @put(
        "Give a debug report another name.", REPORT, obj({"name": _NAME}, required=("name",)), fallback="KCHDR0007E",
        other={303: REPORT}, role=Role.ADMIN,
    )  # fmt: skip
    def rename(self, call: Call, name: str) -> Answer:
        """303 to where it is from now on."""
        wanted = str(call.body["name"])
        renamed = report_view(self.asked(lambda: self.serving.host.reports().rename(name, wanted)))
        if wanted == name:
            return Answer(renamed)
        return Answer(renamed, 303, location=f"/debugreports/{wanted}")

    @delete("Remove a debug report.", role=Role.ADMIN)
    def delete(self, _call: Call, name: str) -> None:
        """For good."""
        self.asked(lambda: self.serving.host.reports().delete(name))


class DebugReportContent(_Family):
    """Its file."""

    address = "/debugreports/{name}/content"

    @raw(
        "GET", "The archive itself; a part of it with a Range header.", {"type": "string", "format": "binary"},
        content_type=_BINARY, statuses=(416,), other={206: {"type": "string", "format": "binary"}}, role=Role.ADMIN,
    )  # fmt: skip
    async def on_get(self, request: falcon.asgi.Request, response: falcon.asgi.Response, name: str) -> None:
        """200, or 206 for a part; 404, and 416 for a part that isn't there."""
        reports = self.serving.host.reports()
        file, report = await asyncio.to_thread(self.asked, lambda: reports.open(name))
        try:
            size, tag = report.size_bytes, f'"{report.time.timestamp():.6f}-{report.size_bytes}"'
            wanted = requested(request.get_header("Range"), size)
            if request.get_header("If-Range") not in (None, tag):
                wanted = None
        except Unsatisfiable as error:
            file.close()
            response.set_header("Content-Range", f"bytes */{error.size}")
            raise
        response.set_header("ETag", tag)
        response.set_header("Accept-Ranges", "bytes")
        response.set_header("Content-Disposition", f'attachment; filename="{report.file}"')
        response.cache_control = ["no-store"]
        response.content_type = _BINARY
        if wanted is not None:
            response.status = 206
            response.set_header("Content-Range", f"bytes {wanted.start}-{wanted.stop - 1}/{size}")
        part = wanted if wanted is not None else range(size)
        response.content_length = len(part)
        response.stream = Sent(file, part)
