"""What planning asks of a kind. The answers are in `rules.py` of the kind's folder here, found by scanning.

As they stand, they are those for something that is defined, and that no other kind has to do with.
"""

from __future__ import annotations

import importlib
import pkgutil
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from typing import TYPE_CHECKING, ClassVar

from reconciler.planning.operations import Operation, Stop, Undefine
from reconciler.planning.taken import taken
from specs.plain import Spec

if TYPE_CHECKING:
    from reconciler.desired.state import Resource
    from reconciler.observed.snapshot import Observed
    from reconciler.planning.assessment import Assessment
    from reconciler.planning.context import Context
    from reconciler.planning.ownership import Owned
    from specs.binding import Element
    from specs.reach import Reach
    from specs.reference import Ref


# What decides about one resource and its object, if there is one.
Assessor = Callable[["Resource", "Observed | None"], "Assessment"]
# The way to a field of the spec, and why it can't be had.
Refused = tuple[tuple[str, ...], str]


@dataclass(frozen=True, slots=True)
class Removal:
    """How an object is removed, and the sentence that says why."""

    operations: tuple[Operation, ...]
    why: str


class Rules:
    """Of one kind. Whatever is told of one object is asked inside of a bulkhead; what is always so is a plain value."""

    kind: ClassVar[str] = ""
    root: ClassVar[str] = ""  # the element that its definitions are
    name_at: ClassVar[str] = "name"  # where in it the name is; empty for what libvirt knows by its UUID alone
    uid_at: ClassVar[str] = "uuid"  # where in it the UUID is
    purpose: ClassVar[bool] = False  # what a host is there for: the last ones of it don't go without a person's word
    spares: ClassVar[bool] = False  # does what it can without what it needs; see `without`
    uses_others: ClassVar[bool] = False  # what can't be read counts for all that it mentions: see `uses`
    uses_readably: ClassVar[bool] = False  # it uses others, too, but what can't be read of it counts for nothing
    by_name: ClassVar[bool] = False  # the definitions of others name it by its name
    cuts_off: ClassVar[bool] = False  # who uses it is cut off by its stop, and can be connected again after it
    stands_alone: ClassVar[bool] = False  # nothing lies `beside` one but what holds for everything
    always_marked: ClassVar[bool] = False  # never known by its UUID alone
    value_from: ClassVar[str] = ""  # the field that says where a value is kept that is handed to libvirt
    is_optional: ClassVar[bool] = False  # who needs one comes after it, and isn't held back where there is none
    keeps_volumes: ClassVar[bool] = False  # it has volumes, which stay when it is removed, unless its document says so

    def assessor(self, context: Context) -> Assessor | None:
        """Decides in one pass what to do about each of them; None: as of whatever is defined, then active or not."""
        return None

    def beside(self, resource: Resource, context: Context) -> tuple[object, ...]:
        """What its assessment depends on beside its own document, object and entry; compared by value."""
        return ()

    def tells_all(self, observed: Observed, entry: Owned | None) -> bool:
        """False where its assessment depends on something else: on people's words, the time, or who uses it."""
        return True

    def renamed(self, resource: Resource, context: Context) -> Assessment | None:
        """What to do about one whose object has another name; None when that isn't so."""
        return taken(resource, context)

    def refused(self, resource: Resource, observed: Observed | None, reach: Reach) -> Iterable[Refused]:
        """Which fields of its document can't be had, and why."""
        return ()

    def notes(self, context: Context) -> Iterable[str]:
        """Sentences beside the plan."""
        return ()

    def uses(self, observed: Observed, context: Context) -> Iterable[Ref]:
        """What an object on the host uses, in whatever definition it has."""
        return ()

    def defined_uses(self, spec: Spec, context: Context) -> Iterable[Ref]:
        """What it will use once it is defined as `spec`."""
        return ()

    def without(
        self,
        resource: Resource,
        observed: Observed | None,
        context: Context,
        missing: frozenset[Ref],
    ) -> Assessment | None:
        """What it does while some of what it needs won't come; only of those that can `spare` it."""
        return None

    def starts(self, resource: Resource) -> bool:
        """True when one that is there will be started some day, so that what it lacks for that is told already."""
        return False

    def may_leave(self, entry: Owned, context: Context) -> bool:
        """False for one that stays though nothing declares it any more."""
        return True

    def removal(self, entry: Owned, present: Ref, context: Context) -> Removal | Assessment:
        """How it is removed, or why it isn't yet. `present` is what it is called now."""
        stop = (self.stop(entry, present),) if context.snapshot.objects[present].active else ()
        why = "its document is gone" + (f"; it is called {present.name} by now" if present != entry.ref else "")
        if self.keeps_volumes and entry.deletion != "Delete":
            why += "; its volumes stay"
        return Removal((*stop, Undefine(present, entry.uid)), why)

    def stop(self, entry: Owned, present: Ref) -> Stop:
        """How one that is active is stopped to be removed."""
        return Stop(present)

    def revived(self, root: Element, resource: Resource, context: Context) -> str:
        """Leaves out of a former definition what doesn't fit any more; tells the state of one that is defined so."""
        return "inactive"


_NONE = Rules()


@cache
def all_rules() -> Mapping[str, Rules]:
    """Those of every kind that has any here, by its name."""
    package = importlib.import_module("reconciler.planning")
    found = {}
    for module in pkgutil.iter_modules(package.__path__):
        if module.ispkg:
            rules = importlib.import_module(f"reconciler.planning.{module.name}.rules").RULES
            found[rules.kind] = rules
    return found


def rules_of(kind: str) -> Rules:
    """Those of a kind; of one that nothing has to be planned for, such as a Template, those that are nobody's."""
    return all_rules().get(kind, _NONE)


def kinds_that(fact: str) -> Iterator[str]:
    """The kinds of which a fact is so."""
    return (kind for kind, rules in all_rules().items() if getattr(rules, fact))
