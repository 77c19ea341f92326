"""/healthz, for supervisors and load balancers. Anybody may ask; the answer holds nothing secret.

It is 200 when the agent runs, its first pass is through and the last one didn't fail, and 503 {code, reason} otherwise.
"""

from __future__ import annotations

import falcon
import falcon.asgi

from api.errors import refuse
from api.http.endpoint import ANYBODY, OURS, Resource, raw
from api.http.schema import obj, text

_STATUS = obj({"status": text("ok")}, closed=False)


class Health(Resource):
    """Is the agent's loop there, and does it get through?"""

    address = "/healthz"
    tag = "Service"
    since = OURS

    @raw(
        "GET", "Whether the agent runs, its first pass is through and the last one didn't fail.", _STATUS, role=ANYBODY
    )
    async def on_get(self, request: falcon.asgi.Request, response: falcon.asgi.Response) -> None:
        """200 {"status": "ok"}, or 503."""
        response.cache_control = ["no-store"]
        if not self.services.alive():
            refuse(request, response, falcon.HTTP_503, "The agent's loop has ended; its log tells why.")
        elif not self.services.ready():
            refuse(request, response, falcon.HTTP_503, "The agent's first pass isn't through yet; ask again soon.")
        elif problem := self.services.problem():
            refuse(request, response, falcon.HTTP_503, f"No pass comes through now: {problem}")
        else:
            response.media = self.told()

    def told(self) -> dict[str, str]:
        """The body of a good answer."""
        return {"status": "ok"}
