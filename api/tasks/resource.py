"""/tasks: what takes long and was begun by a request. A task is remembered over a restart of the agent.

Everybody sees those that they have begun; administrators see all.

Reading them may have to wait until the disk has taken another one's end.
"""

from __future__ import annotations

from api.http.endpoint import Call, Resource, get
from api.http.refusal import Refusal
from api.http.schema import arr
from api.tasks.view import TASK, task_view
from reconciler.errors import NotFound
from reconciler.identity.role import Role
from specs.plain import NewJson


class Tasks(Resource):
    """All tasks."""

    address = "/tasks"
    tag = "Tasks"

    @get(
        "One's own tasks, oldest first; an administrator's are all.",
        arr(TASK),
        filters=True,
        blocking=True,
        role=Role.VIEWER,
    )
    def read(self, call: Call) -> list[NewJson]:
        """Those that run, and the latest that have ended."""
        return [task_view(record) for record in self.serving.tasks.all(call.client)]


class Task(Resource):
    """One task."""

    address = "/tasks/{number}"
    tag = "Tasks"

    @get("A task: how far it is, or what came of it.", TASK, blocking=True, role=Role.VIEWER)
    def read(self, call: Call, number: str) -> NewJson:
        """Where it stands."""
        try:
            return task_view(self.serving.tasks.get(number, call.client))
        except NotFound as error:
            raise Refusal(404, str(error), "KCHOBJST0001E") from None
