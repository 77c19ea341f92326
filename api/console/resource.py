"""/console/{name}: the page of a machine's console. Whose it is, and whether there is one, the page's script asks."""

from __future__ import annotations

from api.assets.shell import shell
from api.http.endpoint import ANYBODY, OURS, Answer, Call, Resource, get
from api.http.schema import text


class ConsolePage(Resource):
    """The same for every machine, also for those that there aren't."""

    address = "/console/{name}"
    tag = "Pages"
    since = OURS

    @get(
        "A machine's screen or serial console, for people: a page that asks for a `connect` ticket.",
        text(), content_type="text/html", query={"kind": text(enum=["vnc", "serial"])}, role=ANYBODY,
        description="Who isn't logged in is asked to, and may then do what `connect` lets them.",
    )  # fmt: skip
    def read(self, _call: Call, name: str) -> Answer:  # noqa: ARG002 - the script takes it from the address
        """Without `kind`: what the machine has."""
        return shell("console")
