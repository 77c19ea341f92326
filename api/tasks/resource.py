"""/tasks: what takes long and was begun by a request. A task is remembered over a restart of the agent.

Everybody sees those that they have begun, a user as long as the machine is theirs; administrators see all.

Reading them may have to wait until the disk has taken another one's end.
"""

from __future__ import annotations

from typing import Final

from api.http.endpoint import Call, Resource, get
from api.http.refusal import Refusal
from api.http.schema import arr
from api.tasks.view import TASK, may_see, task_view
from reconciler.errors import NotFound
from reconciler.identity.role import Role
from reconciler.serving.tasks import no_task
from specs.plain import NewJson

_THEIRS: Final = "All but administrators see those that they have begun."


class Tasks(Resource):
    """All tasks."""

    address = "/tasks"
    tag = "Tasks"

    @get(
        "Tasks, oldest first.",
        arr(TASK),
        filters=True,
        blocking=True,
        role=Role.USER,
        theirs=_THEIRS,
    )
    def read(self, call: Call) -> list[NewJson]:
        """Those that run, and the latest that have ended."""
        sight = self.serving.sight(call.client)
        return [task_view(task, sight) for task in self.serving.tasks.all(call.client) if may_see(task, sight)]


class Task(Resource):
    """One task."""

    address = "/tasks/{number}"
    tag = "Tasks"

    @get("A task: how far it is, or what came of it.", TASK, blocking=True, role=Role.USER, theirs=_THEIRS)
    def read(self, call: Call, number: str) -> NewJson:
        """Where it stands."""
        sight = self.serving.sight(call.client)
        try:
            task = self.serving.tasks.get(number, call.client)
            if not may_see(task, sight):
                raise no_task(number)
        except NotFound as error:
            raise Refusal(404, str(error), "KCHOBJST0001E") from None
        return task_view(task, sight)
