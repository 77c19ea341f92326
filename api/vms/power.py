"""The power of a machine by a client's wish: what is wanted from now on is committed, and what can't wait is done.

Starting, stopping and suspending are desired state. Pressing reset, cutting the power at once and going on from a pause
are done once, by an operation. A machine that is gone when it stops has no document: all of it are operations.
"""

from __future__ import annotations

from typing import Any, Final

from api.documents.resource import DocumentResource
from api.http.endpoint import Call
from api.http.refusal import bad
from reconciler.errors import NotApplied, Transient
from reconciler.loop.passes import World
from reconciler.planning.one_off import PowerOff, Reset
from reconciler.planning.operations import Operation, Pause, Resume, Start, Stop
from reconciler.planning.plan import one_off_step
from reconciler.planning.virtualmachine.power import STARTED, strategy
from specs.plain import NewDocument
from specs.reference import Ref
from specs.virtualmachine import KIND as MACHINES

_LATER_S: Final = 60.0


def start(resource: DocumentResource, call: Call, ref: Ref) -> World:
    """Run it from now on. Raises Refusal 400 for one that runs."""
    if _state(resource, ref) not in ("shutoff", "crashed", "paused"):
        raise bad("KCHVM0048E", f"The machine {ref.name} is already running.")

    def change(document: NewDocument) -> None:
        spec = document["spec"]
        if spec.get("runStrategy") != "Always":
            spec["runStrategy"] = "RerunOnFailure"
        spec.pop("paused", None)

    # The agent's rest before it starts a machine again that keeps ending isn't for people to wait for.
    rests = ref in resource.serving.world.crash_loops
    world = resource.change(call, ref, change, "Start", settle=not rests)
    seen = world.snapshot.get(ref)
    if seen is not None and not seen.active and ref not in world.busy:
        _refuse_closed(world)
        # As declared before: its guest had shut itself down, which the strategy respects until somebody asks.
        return _once(resource, call, ref, "a start", Start(ref))
    if seen is not None and seen.state == "paused":
        return _once(resource, call, ref, "a start", Resume(ref))
    return world


def power_off(resource: DocumentResource, call: Call, ref: Ref) -> World:
    """Cut its power, and leave it off. Raises Refusal 400 for one that is off and isn't to be started."""
    observed = resource.observed(resource.serving.world, ref)
    if not observed.active:
        if _is_to_start(resource.serving.world, ref):
            return _halt(resource, call, ref, "Power off")
        raise bad("KCHVM0049E", f"The machine {ref.name} is off already.")
    if observed.persistent:
        _halt(resource, call, ref, "Power off")
    else:
        resource.serving.changes.check_allowed()
    world = _once(resource, call, ref, "a power-off", PowerOff(ref))
    try:
        return resource.serving.changes.settle([ref])
    except (NotApplied, Transient):  # of something else than its power, which is off
        return world


def shut_down(resource: DocumentResource, call: Call, ref: Ref) -> World:
    """Ask its guest to shut down, and leave it off then. Doesn't wait for the guest. Raises Refusal 400."""
    observed = resource.observed(resource.serving.world, ref)
    if not observed.active:
        if _is_to_start(resource.serving.world, ref):
            return _halt(resource, call, ref, "Shut down")
        raise bad("KCHVM0050E", f"The machine {ref.name} is off already.")
    if observed.persistent:
        world = _halt(resource, call, ref, "Shut down")
        seen = world.snapshot.get(ref)
        if ref in world.busy or seen is None or not seen.active:
            return world  # the agent is at it
    else:
        resource.serving.changes.check_allowed()
    try:
        return _once(resource, call, ref, "a shutdown", Stop(ref, 0.0))
    except Transient:  # the button is pressed; the guest may take its time
        return resource.serving.operations.look_again(ref)


def reset(resource: DocumentResource, call: Call, ref: Ref) -> World:
    """Press its reset button. Raises Refusal 400 for one that is off."""
    if not resource.observed(resource.serving.world, ref).active:
        raise bad("KCHVM0051E", f"The machine {ref.name} is off; start it instead.")
    return _once(resource, call, ref, "a reset", Reset(ref))


def suspend(resource: DocumentResource, call: Call, ref: Ref) -> World:
    """Let its processors stand still from now on. Raises Refusal 400 for one that doesn't run."""
    if _state(resource, ref) != "running":
        raise bad("KCHVM0037E", f"The machine {ref.name} doesn't run, so it can't be suspended.")
    world = resource.change_spec(call, ref, {"paused": True}, "Suspend")
    seen = world.snapshot.get(ref)
    if seen is not None and seen.state == "running":
        _refuse_closed(world)
        return _once(resource, call, ref, "a pause", Pause(ref))
    return world


def resume(resource: DocumentResource, call: Call, ref: Ref) -> World:
    """Let its processors go on. Raises Refusal 400 for one that isn't suspended."""
    if _state(resource, ref) != "paused":
        raise bad("KCHVM0039E", f"The machine {ref.name} isn't suspended, so it can't be resumed.")
    resource.serving.changes.check_allowed()
    declared = resource.serving.world.desired.resources.get(ref)
    if declared is not None and "paused" in MACHINES.declared(declared.spec):
        resource.change_spec(call, ref, {"paused": None}, "Resume")
    return _once(resource, call, ref, "a resume", Resume(ref))


def _state(resource: DocumentResource, ref: Ref) -> str:
    return resource.observed(resource.serving.world, ref).state


def _is_to_start(world: World, ref: Ref) -> bool:
    """True for one that is off against its document's wish: its start failed, is held back or has yet to come."""
    planned = (step for step in world.plan.steps if step.ref == ref)
    if any(isinstance(operation, Start) for step in planned for operation in step.operations):
        return True
    resource = world.desired.resources.get(ref)
    held = any(item.ref == ref for item in world.plan.blocked)
    return held and resource is not None and strategy(resource) in STARTED


def _halt(resource: DocumentResource, call: Call, ref: Ref, verb: str) -> World:
    """Commit that it is to be off; doesn't wait until it is, nor mind that it couldn't be stopped politely before."""
    try:
        return resource.change_spec(call, ref, {"runStrategy": "Halted"}, verb, settle=False)
    except NotApplied as error:
        if error.reason != "Failed":
            raise
        return resource.serving.world


def _once(resource: DocumentResource, call: Call, ref: Ref, what: str, operation: Operation) -> World:
    step: Any = one_off_step(ref, f"{what} was asked for", operation)
    return resource.serving.operations.perform(step, call.client)


def _refuse_closed(world: World) -> None:
    if world.closed:
        raise Transient(f"It is committed, and done later: {world.closed}", retry_after_s=_LATER_S)
