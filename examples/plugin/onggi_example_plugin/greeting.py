"""/plugins/example/greeting: says hello, and whether the agent is through with its first pass."""

from __future__ import annotations

from typing import Any

from onggi.plugin import Call, Resource, Role, boolean, get, obj, text


class Greeting(Resource):
    """A resource is made once, with what the API may use, and then asked from many requests."""

    address = "/plugins/example/greeting"

    @get(
        "A greeting, and whether the agent is through with its first pass.",
        obj(
            {"greeting": text("What it says.", examples=["hello"]), "ready": boolean("Whether it is through.")},
            required=("greeting", "ready"),
            title="Greeting",
        ),
        role=Role.VIEWER,
    )
    def read(self, _call: Call) -> dict[str, Any]:
        """From memory: what takes its time says `blocking=True`."""
        return {"greeting": "hello", "ready": self.services.ready()}
