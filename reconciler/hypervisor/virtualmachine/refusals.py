"""Remembers what a running machine was told in vain, so that it isn't said again in each pass.

A change that libvirt or QEMU refuses waits for the machine's boot; memory is the guest's to take and to give back.

Kept in memory for one run of each machine: a new process asks once more, and a new boot brings the change anyway.
"""

from __future__ import annotations

import logging
import math
import re
import threading
import time
from collections.abc import Mapping

import libvirt

from reconciler.hypervisor.failure import is_unsupported
from reconciler.observed.snapshot import Observed
from reconciler.planning.operations import EditLive
from reconciler.planning.plan_options import RefusedEdit
from specs.reference import Ref
from specs.virtualmachine import KIND as MACHINES

log = logging.getLogger("onggi.hypervisor")

# QEMU's refusals come with a general code; only what is about plugging is one, everything else is a failure.
_REFUSAL_TEXT = re.compile(
    r"no more available pci|hot-?(un)?plug|without the balloon device|more vcpus? than|vcpu .* is immutable|"
    r"authentication .*disabled|cannot remove iothread|cgroup .*(mounted|available)|nodeset .*(strict|running)",
    re.IGNORECASE,
)

# The id of a run, which libvirt writes into the first tag.
_RUN = re.compile(r"<domain\b[^>]*\sid='(\d+)'")

TOLD_AGAIN_S = 300.0
_KIB_PER_MIB = 1024


class Refusals:
    """What was refused, by machine. Several threads may tell and ask."""

    def __init__(self) -> None:
        self._lock = threading.RLock()
        self._known: dict[Ref, tuple[str, dict[EditLive, tuple[RefusedEdit, float]]]] = {}
        self._runs: dict[Ref, str] = {}  # the run of each machine that was seen last
        self._looked_at: Mapping[Ref, Observed] = {}

    def refused(self, edit: EditLive, run: str, why: str) -> None:
        """The machine can't do that while it runs."""
        log.info("%s: %s waits for the next boot: %s", edit.ref, edit.verb, why)
        self._note(edit, run, RefusedEdit(f"can't be done while it runs: {why}"), math.inf)

    def told(self, edit: EditLive, run: str, why: str) -> None:
        """The guest was told, and may follow by itself; after a while it is told once more."""
        log.info("%s: %s", edit.ref, why)
        self._note(edit, run, RefusedEdit(why, until_boot=False), time.monotonic() + TOLD_AGAIN_S)

    def look(self, objects: Mapping[Ref, Observed]) -> None:
        """Forget what guests were told and have followed: another change of it will have to be said again.

        A run that is seen for the first time and hasn't its memory yet was told of it by libvirt at its start.
        """
        with self._lock:
            self._meet(objects)
            for ref, (_, edits) in self._known.items():
                seen = objects.get(ref)
                memory = None if seen is None or seen.live is None else MACHINES.lowered(seen.live).get("memory")
                if memory is None:
                    continue
                now = str(int(memory * _KIB_PER_MIB))
                for edit in [edit for edit, (held, _) in edits.items() if not held.until_boot and edit.value == now]:
                    del edits[edit]

    def _meet(self, objects: Mapping[Ref, Observed]) -> None:
        for ref, seen in objects.items():
            if (
                seen.live_xml is None
                or seen is self._looked_at.get(ref)
                or (found := _RUN.search(seen.live_xml)) is None
            ):
                continue
            run = found[1]
            if self._runs.get(ref) == run:
                continue
            self._runs[ref] = run
            memory, wanted = (MACHINES.lowered(spec or {}).get("memory") for spec in (seen.live, seen.config))
            if memory is None or wanted is None or memory <= wanted:
                continue
            edit = EditLive(ref, "memory", str(int(wanted * _KIB_PER_MIB)))
            held = RefusedEdit("the guest was told at its start, and has yet to give memory back", until_boot=False)
            self._note(edit, run, held, time.monotonic() + TOLD_AGAIN_S)
        self._looked_at = objects

    def known(self) -> Mapping[tuple[EditLive, str], RefusedEdit]:
        """Every one that still counts, by the edit and the run."""
        now = time.monotonic()
        with self._lock:
            return {
                (edit, run): held
                for run, edits in self._known.values()
                for edit, (held, end) in edits.items()
                if now < end
            }

    def _note(self, edit: EditLive, run: str, held: RefusedEdit, end: float) -> None:
        with self._lock:
            before, edits = self._known.get(edit.ref, ("", {}))
            # What an earlier run was told, this one wasn't; of two amounts of memory the last one counts.
            kept = edits if before == run else {}
            if not held.until_boot:
                kept = {each: said for each, said in kept.items() if each.verb != edit.verb}
            self._known[edit.ref] = (run, {**kept, edit: (held, end)})


def is_refusal(error: libvirt.libvirtError) -> bool:
    """True when libvirt or QEMU can't change that in a running machine, whatever is tried again."""
    unsupported = is_unsupported(error) or error.get_error_code() == libvirt.VIR_ERR_CONFIG_UNSUPPORTED
    return unsupported or bool(_REFUSAL_TEXT.search(error.get_error_message() or ""))
