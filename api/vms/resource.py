"""/vms: virtual machines. Making, changing, starting and removing one are commits; the rest is done at once."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime
from functools import partial
from typing import Any

from api.documents.resource import DocumentResource
from api.http.endpoint import Answer, Call, action, delete, get, post, put
from api.http.prefix import below
from api.http.refusal import bad, not_found
from api.http.schema import arr, boolean, integer, number, obj, text
from api.tasks.view import TASK, task_view
from api.users.checks import check_accounts
from api.vms import power
from api.vms.cloning import clone_machine
from api.vms.console.connecting import CONNECT, CONNECTED, connected
from api.vms.consoles import check_graphics, graphics_schema
from api.vms.editing import (
    LONGEST_S,
    change_access,
    change_console,
    change_sizes,
    change_words,
    check_memory,
    password_of,
    wait_for_boot,
)
from api.vms.hardware import CHANGES, change_hardware, sizes_of
from api.vms.making import make_machine
from api.vms.memory import memory_schema
from api.vms.names import is_taken, name_taken, promise, promise_clone, promise_from_template
from api.vms.processors import check_processors
from api.vms.removing import remove_machine
from api.vms.renaming import rename_machine
from api.vms.requested import requested_machine, template_at
from api.vms.view import MACHINE, VOLATILE, machine_view, machine_views, shown_to
from reconciler.errors import NotApplied, Transient
from reconciler.identity.role import Role
from reconciler.loop.passes import World
from reconciler.observed.consoles import console_of
from reconciler.observed.snapshot import Observed
from reconciler.serving.names import Promise
from reconciler.serving.tasks import Tell, Work
from reconciler.serving.within import require
from specs.name import TITLE_PATTERN, name_problem
from specs.plain import Json, NewDocument, NewJson
from specs.reach import console_owner
from specs.reference import VIRTUAL_MACHINE, Ref

_TITLE = text("A short title for people, on one line.", maxLength=256, pattern=TITLE_PATTERN, x_code="KCHVM0085E")
_DESCRIPTION = text("What it is for, in as many lines as needed.", maxLength=16384, x_code="KCHVM0086E")

_CREATE = obj(
    {
        "name": text(
            "Its name; left out, the template's and a number.", pattern="^[^/]*$", x_code="KCHVM0011E",
        ),
        "title": _TITLE,
        "description": _DESCRIPTION,
        "persistent": boolean("Every machine that is made here is persistent; whatever is said."),
        "template": text(
            "The address of the template that it is made from.",
            pattern=below("templates", "[^/].*"), x_code="KCHVM0012E", examples=["/templates/debian-12"],
        ),
        "storagepool": text(
            "The address of the pool for its disks, instead of the template's.",
            pattern=below("storagepools", "[^/]+/?"), x_code="KCHVM0013E", examples=["/storagepools/default"],
        ),
        "graphics": graphics_schema("The console, laid over the template's."),
    },
    required=("template",),
    closed=False,
    x_code="KCHVM0016E",
)  # fmt: skip

_CHANGE = obj(
    {
        "name": text("Another name, for a machine that is off.", minLength=1, pattern="^[^/]*$"),
        "title": _TITLE,
        "description": _DESCRIPTION,
        "autostart": boolean("Whether it starts when the host boots."),
        **CHANGES,
        "users": arr(text(), uniqueItems=True, description="Users who may use it, besides administrators."),
        "groups": arr(text(), uniqueItems=True, description="Groups whose members may."),
        "cpus": integer("Processors.", minimum=1, maximum=4096, x_code="KCHTMPL0012E"),
        "memory": memory_schema("MiB of memory.", 1),
        "graphics": obj(
            {
                "passwd": text(
                    "The console's new password; a random one when it is left out or blank. VNC uses 8 characters.",
                    maxLength=128, pattern=r"^[^\x00-\x1f\x7f]*$", x_code="KCHVM0031E",
                ),
                "passwdValidTo": number(
                    "Seconds from now that it is valid; 30 when it is left out.", minimum=0, maximum=LONGEST_S,
                    x_code="KCHVM0032E",
                ),
            },
        ),
    },
    x_code="KCHAPI0008E",
)  # fmt: skip


class _Family(DocumentResource):
    tag = "Virtual machines"
    kind = VIRTUAL_MACHINE
    noun = "machine"
    missing_code = "KCHVM0002E"
    taken_code = "KCHVM0001E"
    name_code = "KCHVM0011E"

    def view(self, world: World, name: str) -> NewJson:
        serving = self.serving
        return machine_view(world, self.observed(world, self.ref(name)), serving.statistics.all(), serving.secrets)

    def begin(self, call: Call, target: str, promise: Promise, work: Work) -> NewJson:
        """A task that makes what a name is promised to."""

        def promised(tell: Tell, stop: Any) -> str | None:
            try:
                return work(tell, stop)
            finally:
                self.serving.names.release(promise)

        return task_view(self.serving.tasks.start(target, promised, call.client))


class Machines(_Family):
    """All machines."""

    address = "/vms"

    @get(
        "The machines, by name.", arr(MACHINE), filters=True, role=Role.USER, theirs="Users see those that are theirs."
    )
    def read(self, call: Call) -> list[NewJson]:
        """Every machine that could be read and whoever asks may see, in full."""
        serving = self.serving
        sight = serving.sight(call.client)
        return machine_views(serving.world, serving.statistics.all(), sight)

    @post(
        "Make a machine from a template. It is off at first.",
        TASK, _CREATE, fallback="KCHVM0016E", status=202, statuses=(404,),
        failure="KCHVM0007E", role=Role.ADMIN,
    )  # fmt: skip
    def make(self, call: Call) -> NewJson:
        """A task that commits its document and waits until it is there, disks and all."""
        self.serving.changes.check_allowed()
        world = self.serving.world
        template_name, template = template_at(world, call.body["template"])
        check_graphics(call.body.get("graphics") or {})
        name = str(call.body.get("name") or "")
        promised = promise(self.serving, name) if name else promise_from_template(self.serving, template_name)
        ref = promised.ref
        try:
            folders = self.serving.settings.allowed_folders
            document = requested_machine(world, ref.name, template_name, template, call.body, folders)
            check_processors(self.serving, int(document["spec"]["cpus"]))
            change_words(
                document["spec"], {key: call.body[key] for key in ("title", "description") if key in call.body}
            )
            message = f"Create machine {ref.name} from template {template_name}"

            def work(_tell: Any, _stop: Any) -> str | None:
                return make_machine(self.serving, ref, document, message, call.client)

            return self.begin(call, f"/vms/{ref.name}", promised, work)
        except BaseException:
            self.serving.names.release(promised)
            raise


class Machine(_Family):
    """One machine."""

    address = "/vms/{name}"

    @get("A machine.", MACHINE, volatile=VOLATILE, role=Role.VIEWER)
    def read(self, call: Call, name: str) -> NewJson:
        """As it was observed last."""
        return shown_to(self.serving.sight(call.client), self.view(self.serving.world, name))

    @put(
        "Change a machine. Processors and memory of one that runs change at its next start.",
        MACHINE,
        _CHANGE,
        other={303: None},
        failure="KCHVM0008E",
        role=Role.OPERATOR,
    )
    def change_it(self, call: Call, name: str) -> Any:
        """Its document says so from now on. A new name answers 303."""
        world, ref, body = self.serving.world, self.ref(name), sizes_of(call.body)
        observed = self._persistent(world, ref)
        wanted = str(body.get("name") or name)
        if wanted != name or "users" in body or "groups" in body:  # before anything tells whether there is another
            require(call.client.role, Role.ADMIN, "Another name, or who may use a machine,")
        new = self._new_name(world, observed, wanted)
        check_accounts(self.serving.host.accounts, body)
        check_memory(observed, body)
        check_processors(self.serving, int(body.get("cpus", 1)))
        secret = self._keep_password(observed, body)

        def change(document: NewDocument) -> None:
            spec = document["spec"]
            before = {field: spec.get(field) for field in ("cpus", "memory")}
            change_sizes(spec, body)
            if observed.active and (later := [field for field, value in before.items() if value != spec.get(field)]):
                wait_for_boot(document, later)
            change_hardware(spec, body)
            change_words(spec, body)
            change_access(spec, body)
            if secret is not None:
                change_console(spec, body["graphics"], secret, datetime.now(UTC))

        try:
            if new == ref:
                return self.view(self.change(call, ref, change), name)
            rename_machine(self.serving, observed, new, change, call.client)
        except (NotApplied, Transient):  # it may be committed
            raise
        except BaseException:
            if secret is not None:
                self.serving.secrets.drop(secret)
            raise
        return Answer(status=303, location=f"/vms/{new.name}")

    @delete(
        "Remove a machine: whether it runs or not, with the disks that were made for it and nobody else uses.",
        failure="KCHVM0021E",
        role=Role.ADMIN,
        owners=True,
    )
    def delete(self, call: Call, name: str) -> None:
        """Its document goes, and the machine with it."""
        world, ref = self.serving.world, self.ref(name)
        observed = world.snapshot.get(ref)
        if observed is None and not is_taken(world, ref):
            raise not_found(self.missing_code, f"The {self.noun} {name}")
        if observed is not None and not observed.persistent:
            raise bad("KCHVM0036E", f"The machine {name} is gone as soon as it stops; power it off instead.")
        remove_machine(self.serving, ref, call.client)

    # Power

    @action(
        "start",
        "Start a machine, and start it again after a crash or a restart of the host.",
        MACHINE,
        failure="KCHVM0019E",
        role=Role.OPERATOR,
    )
    def start(self, call: Call, name: str) -> NewJson:
        """Its document says so from now on."""
        self._persistent(self.serving.world, self.ref(name))
        return self.view(power.start(self, call, self.ref(name)), name)

    @action(
        "poweroff",
        "Cut a machine's power, as by pulling the plug; it stays off.",
        MACHINE,
        failure="KCHVM0020E",
        role=Role.OPERATOR,
    )
    def poweroff(self, call: Call, name: str) -> NewJson:
        """Its document says so from now on."""
        return self._stopped(name, partial(power.power_off, self, call))

    @action(
        "shutdown",
        "Ask a machine's guest to shut down; it stays off. Doesn't wait for the guest.",
        MACHINE,
        failure="KCHVM0029E",
        role=Role.OPERATOR,
    )
    def shutdown(self, call: Call, name: str) -> NewJson:
        """Its document says so from now on."""
        return self._stopped(name, partial(power.shut_down, self, call))

    @action("reset", "Press a running machine's reset button.", MACHINE, failure="KCHVM0022E", role=Role.OPERATOR)
    def reset(self, call: Call, name: str) -> NewJson:
        """Done once."""
        return self.view(power.reset(self, call, self.ref(name)), name)

    @action(
        "suspend", "Let a running machine's processors stand still.", MACHINE, failure="KCHVM0038E", role=Role.OPERATOR
    )
    def suspend(self, call: Call, name: str) -> NewJson:
        """Its document says so from now on."""
        self._persistent(self.serving.world, self.ref(name))
        return self.view(power.suspend(self, call, self.ref(name)), name)

    @action("resume", "Let a suspended machine go on.", MACHINE, failure="KCHVM0040E", role=Role.OPERATOR)
    def resume(self, call: Call, name: str) -> NewJson:
        """Its document says nothing of it any more."""
        return self.view(power.resume(self, call, self.ref(name)), name)

    @action(
        "connect",
        "Get a ticket by which a machine's screen or serial line can be opened, once.",
        CONNECTED,
        body=CONNECT,
        blocking=False,
        role=Role.VIEWER,
        description="`console` says where a WebSocket is opened to within 30 seconds; null where the machine has no"
        " console that a browser can show now. Who only looks gets one that is read-only.",
    )
    def connect(self, call: Call, name: str) -> NewJson:
        """Nothing else has to be prepared: the console is there as long as the machine runs."""
        world = self.serving.world
        view = self.view(world, name)
        console = connected(self.services, call, self.observed(world, self.ref(name)), view)
        return {**shown_to(self.serving.sight(call.client), view), "console": console}

    @action(
        "clone",
        "Make a machine like this one, which is off: its disks are copied, its name, UUID and addresses are new.",
        TASK,
        status=202,
        failure="KCHVM0035E",
        role=Role.ADMIN,
    )
    def clone(self, call: Call, name: str) -> NewJson:
        """A task whose `target_uri` names the new machine. Snapshots aren't copied."""
        self.serving.changes.check_allowed()
        ref = self.ref(name)
        if self.observed(self.serving.world, ref).active:
            raise bad("KCHVM0033E", f"The machine {name} runs; shut it down before it is cloned.")
        promised = promise_clone(self.serving, name)
        clone = promised.ref

        def work(tell: Tell, stop: Any) -> str | None:
            return clone_machine(self.serving, ref, clone, call.client, tell, stop)

        try:
            return self.begin(call, f"/vms/{clone.name}/clone", promised, work)
        except BaseException:
            self.serving.names.release(promised)
            raise

    def _persistent(self, world: World, ref: Ref) -> Observed:
        observed = self.observed(world, ref)
        if not observed.persistent:
            raise bad("KCHVM0036E", f"The machine {ref.name} is gone as soon as it stops, so it can't be changed.")
        return observed

    def _stopped(self, name: str, stop: Callable[[Ref], World]) -> NewJson:
        """What a machine is after it was stopped; one that is gone with that, as it would be."""
        before = self.view(self.serving.world, name)
        world = stop(self.ref(name))
        if self.ref(name) in world.snapshot.objects:
            return self.view(world, name)
        graphics = {**before["graphics"], "port": None}
        return {**before, "state": "shutoff", "screenshot": None, "graphics": graphics}

    # Changes

    def _new_name(self, world: World, observed: Observed, name: str) -> Ref:
        new = self.ref(name)
        if new == observed.ref:
            return new
        if problem := name_problem(name):
            raise bad(self.name_code, problem)
        if observed.active:
            raise bad("KCHVM0003E", f"The machine {observed.ref.name} runs; shut it down before it is renamed.")
        if is_taken(world, new):
            raise name_taken(name)
        return new

    def _keep_password(self, observed: Observed, body: Json) -> str | None:
        """The file of the new password; None when the console isn't spoken of, or there is none."""
        if "graphics" not in body or console_of(observed) is None:
            return None
        self.serving.changes.check_allowed()
        return str(self.serving.secrets.keep(console_owner(observed.uid), password_of(body["graphics"])))
