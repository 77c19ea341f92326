"""/vms/{name}/screenshot: a small picture of what a machine shows, answered directly."""

from __future__ import annotations

from email.utils import formatdate
from typing import Final

from api.http.endpoint import Answer, Call, get
from api.http.refusal import Refusal
from api.http.schema import Schema
from api.services import Services
from api.vms.devices import MachineDevices
from api.vms.screenshot.pictures import Pictures
from api.vms.screenshot.view import screenshot_uri
from reconciler.errors import Refused
from reconciler.identity.role import Role
from reconciler.observed.pictures import thumbnail
from reconciler.observed.snapshot import Observed
from specs.binding import parse

_NOT_RUNNING: Final = "KCHVM0004E"
_PNG: Final = "image/png"
_BYTES: Final[Schema] = {"type": "string", "contentMediaType": _PNG}


class MachineScreenshot(MachineDevices):
    """The picture of one machine."""

    address = "/vms/{name}/screenshot"

    def __init__(self, services: Services) -> None:
        super().__init__(services)
        self._pictures = Pictures()

    @get(
        "A PNG of a running machine's screen, at most 256 × 256 dots and 5 seconds old.",
        _BYTES,
        blocking=True,
        content_type=_PNG,
        role=Role.VIEWER,
    )
    def read(self, _call: Call, name: str) -> Answer:
        """Taken now, or a few seconds ago."""
        observed = self.machine(name)
        if screenshot_uri(observed) is None:
            raise Refusal(404, f"{name} doesn't run, so it has no screen; start it first.", _NOT_RUNNING)
        hypervisor = self.serving.hypervisor
        try:
            picture = self._pictures.get(run_of(observed), lambda: thumbnail(hypervisor.screenshot(observed.ref)))
        except Refused as error:  # it went off meanwhile
            raise Refusal(404, str(error), _NOT_RUNNING) from None
        headers = {"Last-Modified": formatdate(picture.taken, usegmt=True), "Cache-Control": "no-cache"}
        return Answer(content=picture.png, content_type=_PNG, headers=headers)


def run_of(observed: Observed) -> str:
    """One run of a machine. The next one of its name may have its UUID too, and be another's."""
    return f"{observed.uid}/{parse(observed.live_xml).get('id') if observed.live_xml else ''}"
