"""Resources that stand for documents: made, changed and removed by commits.

What the repository doesn't know and the host has is adopted by a change of it, and removed by an operation.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, ClassVar

from api.http.endpoint import Call, Resource
from api.http.refusal import Refusal, bad, not_found
from reconciler.loop.passes import World
from reconciler.observed.snapshot import Observed
from reconciler.planning.operations import Stop, Undefine
from reconciler.planning.plan import Action, one_off_step
from reconciler.serving.creating import NewObject, create
from reconciler.writing.changes import DocumentChange, Documents, Put, Remove
from specs.document import API_VERSION
from specs.name import name_problem
from specs.plain import Json, NewDocument, Spec
from specs.reference import Ref


class DocumentResource(Resource):
    """Says which kind of document it is about, and by which codes Kimchi calls what can be wrong with its name."""

    kind: ClassVar[str]
    noun: ClassVar[str]  # in sentences: network
    missing_code: ClassVar[str] = ""
    taken_code: ClassVar[str] = ""
    name_code: ClassVar[str] = ""

    def ref(self, name: str) -> Ref:
        """The reference of the object of that name."""
        return Ref(self.kind, name)

    def observed(self, world: World, ref: Ref) -> Observed:
        """What is on the host. Raises Refusal 404."""
        found = world.snapshot.get(ref)
        if found is None:
            raise not_found(self.missing_code, f"The {self.noun} {ref.short_name}")
        return found

    def create(self, call: Call, ref: Ref, spec: Spec, *, metadata: Json | None = None) -> World:
        """Commit a new document and give the world in which it has come true.

        Raises Refusal 400 for a name that is taken or can't be one, NotApplied for what the host refuses: that is
        taken back by another commit, so that nothing of it is left.
        """
        if problem := name_problem(ref.short_name):
            raise bad(self.name_code, problem)
        document = {
            "apiVersion": API_VERSION,
            "kind": ref.kind,
            "metadata": {"name": ref.short_name, **(metadata or {})},
            "spec": dict(spec),
        }

        new = NewObject(
            ref,
            document,
            self.noun,
            f"Create {self.noun} {ref.short_name}",
            taken=lambda: self.taken(ref),
            leftover=lambda before: self._remove_leftover(call, ref, before),
        )
        return create(self.serving.changes, new, call.client)

    def _remove_leftover(self, call: Call, ref: Ref, before: World) -> None:
        """Remove what is on the host of an object that couldn't be made; not another's that is called the same."""
        declared, left = before.desired.resources.get(ref), self.serving.world.snapshot.get(ref)
        if declared is not None and left is not None and left.uid == declared.uid:
            self._remove_undeclared(call, left)

    def taken(self, ref: Ref) -> Refusal:
        """400: the name is somebody's already."""
        return bad(self.taken_code, f"There is a {self.noun} {ref.short_name} already; choose another name.")

    def change(
        self, call: Call, ref: Ref, change: Callable[[NewDocument], None], verb: str = "Change", *, settle: bool = True
    ) -> World:
        """Let `change` work on the whole document, commit it, and give the world in which it has come true.

        `change` may be called several times, and raise. Without `settle` the world is the one that has planned it.
        """

        def edit(documents: Documents) -> Sequence[DocumentChange]:
            document = self.serving.document(ref, documents)
            document["spec"] = dict(document.get("spec") or {})
            change(document)
            return [Put(ref, document)]

        message = f"{verb} {self.noun} {ref.short_name}"
        return self.serving.changes.make(edit, message, call.client, [ref], settle=settle).world

    def change_spec(self, call: Call, ref: Ref, fields: Json, verb: str = "Change", **more: Any) -> World:
        """The same for plain fields of the spec; None takes one out."""

        def change(document: NewDocument) -> None:
            spec = {**document["spec"], **fields}
            document["spec"] = {key: value for key, value in spec.items() if value is not None}

        return self.change(call, ref, change, verb, **more)

    def remove(self, call: Call, ref: Ref) -> None:
        """Remove the document and wait until the object is gone; without a document, remove it by an operation."""
        world = self.serving.world
        declared = ref in world.desired.resources or ref in world.desired.held
        if declared:
            message = f"Delete {self.noun} {ref.short_name}"
            self.serving.changes.make(lambda _documents: [Remove(ref)], message, call.client, [ref], removes=True)
            if (left := self.serving.world.snapshot.get(ref)) is None:
                return
        else:
            left = self.observed(world, ref)
        self._remove_undeclared(call, left)

    def _remove_undeclared(self, call: Call, left: Observed) -> None:
        self.serving.changes.check_allowed()
        ref = left.ref
        operations = [Stop(ref, 0.0, force=True)] if left.active else []
        step = one_off_step(
            ref, "its removal was asked for", *operations, Undefine(ref, left.uid), action=Action.DELETE
        )
        self.serving.operations.perform(step, call.client)
