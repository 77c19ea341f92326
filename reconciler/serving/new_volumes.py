"""Makes volumes for clients: by a document that the agent then carries out, or by an operation whose result gets one.

What can't be made leaves nothing behind.
"""

from __future__ import annotations

import logging
import threading
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from reconciler.errors import Cancelled, NotApplied, OnggiError, Refused, Transient
from reconciler.line.line import Line
from reconciler.loop.passes import World
from reconciler.observed.snapshot import Observed
from reconciler.planning.one_off import CloneVolume
from reconciler.planning.operations import CreateVolume
from reconciler.planning.plan import Action, one_off_step
from reconciler.serving.changes import Changes
from reconciler.serving.client import Client
from reconciler.serving.creating import NewObject, create, made_later
from reconciler.serving.operations import Operations
from reconciler.serving.tasks import Tell
from reconciler.writing.changes import DocumentChange, Documents, Put
from specs.binding import serialise, write
from specs.codecs import size_text
from specs.document import API_VERSION
from specs.name import name_problem
from specs.plain import NewDocument, NewSpec, Spec
from specs.reference import STORAGE_VOLUME, Ref
from specs.size import MIN_BYTES
from specs.storagevolume import KIND as VOLUMES
from specs.storagevolume import xml

log = logging.getLogger("onggi.volumes")

FORMATS: Final = frozenset({"qcow2", "raw", "qcow", "qed", "vmdk", "vdi", "vpc", "iso"})  # that documents may name

_LONGEST_S: Final = 24 * 3600.0


@dataclass(frozen=True, slots=True)
class NewVolumes:
    """One per agent. Every method blocks, and may be called from any thread."""

    line: Line
    changes: Changes
    operations: Operations

    def declare(self, ref: Ref, spec: Spec, client: Client, tell: Tell, stop: threading.Event) -> str | None:
        """Commit a document and wait until its volume is there. `tell` gets `<done>/<total or ->` of a download.

        Gives a sentence when nothing is made for now. Raises OnggiError; the document is gone again then, unless the
        agent is stopping.
        """
        new = NewObject(
            ref,
            _document(ref, spec),
            "volume",
            f"Create volume {ref.name}",
            taken=lambda: Refused(f"There is a volume {ref.name} already; choose another name.", reason="VolumeExists"),
        )

        def watch(done: int, total: int | None) -> None:
            tell(f"{done}/{'-' if total is None else total}")

        try:
            with self.line.progress.watching(ref, watch):
                world = create(self.changes, new, client, timeout_s=_LONGEST_S, stopping=stop.is_set)
        except (NotApplied, Transient):
            if stop.is_set():
                raise Cancelled("the agent is stopping; the volume is made at its next start.") from None
            raise
        return made_later(world, ref)

    def make_small(self, ref: Ref, spec: Spec, client: Client, tell: Tell) -> None:
        """Make an empty volume that is too small for a document: it's ours, and nothing watches over it."""
        self.changes.check_allowed()
        operation = CreateVolume(ref, volume_xml(ref, spec, self.changes.world), part_of=tell.number)
        entry = self.line.lineage.made_for_client(ref)
        step = one_off_step(ref, "a volume was asked for", operation, action=Action.CREATE, owned=entry)
        self.operations.perform(step, client)
        self.line.ledger.change(own=[entry], finish=[ref])

    def copy(self, source: Ref, ref: Ref, client: Client, tell: Tell, stop: threading.Event) -> None:
        """Copy a volume whole, and give the copy a document. Raises OnggiError; then there is neither, unless the
        document is committed and can't be heeded yet.
        """
        self.changes.check_allowed()
        entry, ledger = self.line.lineage.made_for_client(ref), self.line.ledger
        step = one_off_step(
            ref,
            f"a copy of {source} was asked for",
            CloneVolume(ref, source, part_of=tell.number),
            action=Action.CREATE,
            owned=entry,
        )
        self.operations.perform(
            step, client, stop=stop, on_progress=lambda at: tell(f"{at.done}/{'-' if at.total is None else at.total}")
        )
        ledger.change(own=[entry], whole=[ref])
        try:
            self.adopt(ref, client, f"Clone volume {source.name} as {ref.short_name}")
        except OnggiError:
            if not stop.is_set():  # else the next start decides
                self._remove_copy(ref)
            raise
        ledger.change(finish=[ref])

    def adopt(self, ref: Ref, client: Client, message: str) -> None:
        """Give a volume that an operation has made its document. One too small or too oddly named for that has none."""
        observed = self.operations.look_again(ref).snapshot.get(ref)
        if observed is None:
            raise Transient(f"{ref} is made, and doesn't show yet; look at its pool again soon.")
        if int(observed.details["capacity"]) < MIN_BYTES or name_problem(ref.short_name):
            return
        document = _document(ref, _spec(observed))

        def edit(documents: Documents) -> Sequence[DocumentChange]:
            return [] if ref in documents.refs() else [Put(ref, document)]

        self.changes.make(edit, message, client, [ref])

    def _remove_copy(self, ref: Ref) -> None:
        """Remove a copy that has got no document, unless something uses it already."""
        ledger = self.line.ledger
        try:
            if self.changes.newest(ref) is None and self.line.hypervisor.discard_unfinished(ref):
                ledger.change(disown=[ref], finish=[ref])
                self.operations.look_again(ref)
            else:
                ledger.change(finish=[ref])
        except OnggiError as error:  # it's still noted: the next start sees to it
            log.warning("the copy %s couldn't be removed: %s", ref, error)


def volume_xml(ref: Ref, spec: Spec, world: World) -> str:
    """What libvirt makes a new volume from."""
    name, host = ref.short_name, world.snapshot.host
    lowered = xml.lower(VOLUMES.declared({"pool": ref.pool, **spec}), name=name, uid="", host=host)
    return serialise(write(xml.BINDS, xml.skeleton(lowered, name=name, uid="", host=host), lowered))


def _document(ref: Ref, spec: Spec) -> NewDocument:
    return {
        "apiVersion": API_VERSION,
        "kind": STORAGE_VOLUME,
        "metadata": {"name": ref.short_name},
        "spec": {"pool": ref.pool, **spec},
    }


def _spec(observed: Observed) -> NewSpec:
    details = observed.details
    spec: NewSpec = {"capacity": size_text(int(details["capacity"]))}
    if details["type"] == "file" and details["format"] in FORMATS:
        spec["format"] = details["format"]
    return spec
