"""/vms/{name}/console: the WebSocket of a machine's screen or serial line, for who has a ticket of `connect`."""

from __future__ import annotations

import falcon.asgi

from api.http.endpoint import OURS, raw
from api.http.schema import text
from api.vms.console.opening import ConsoleOpening
from reconciler.identity.role import Role
from reconciler.observed.snapshot import Observed
from reconciler.serving.consoles import Claim, Holder


class MachineConsole(ConsoleOpening):
    """Of one machine."""

    address = "/vms/{name}/console"
    since = OURS

    @raw(
        "GET", "A WebSocket of a machine's console.", None, status=101, statuses=(403, 409, 426),
        query={"ticket": text("What `connect` gave in its `url`; it is good once.")},
        description="Binary messages both ways: RFB of a screen, bytes of a serial line. It ends with 1001 when the"
        " agent ends, 1008 when the viewer isn't understood, 4001 when the machine stops, 4003 when the right to it"
        " is gone, and 4009 when somebody has taken the line over; the reason is a sentence.",
        role=Role.VIEWER,
    )  # fmt: skip
    async def on_get(self, request: falcon.asgi.Request, response: falcon.asgi.Response, name: str) -> None:
        """101 and a console, or what is in its way."""

        def claimed(holder: Holder) -> tuple[Observed | None, Claim | None]:
            observed = self.serving.world.snapshot.get(self.ref(name))
            uid = observed.uid if observed is not None else ""
            return observed, self.serving.consoles.redeem(request.get_param("ticket") or "", holder, uid)

        await self.open_console(request, response, claimed)
