"""A plan in a file: what was reviewed is what is applied, or nothing is.

The file names the revision and holds a digest of the plan and of every object that the plan looked at. It holds no
operations: those are planned again, and have to come to the same.
"""

from __future__ import annotations

import hashlib
import json
import os
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from reconciler.errors import Conflict, NotFound, Terminal
from reconciler.given_file import read_given
from reconciler.planning.plan import Plan
from reconciler.status.one_pass import Pass
from specs.plain import Json

_LAYOUT = 1
_LARGEST = 64 << 20


@dataclass(frozen=True, slots=True)
class SavedPlan:
    """What a file holds. `origin` are the settings that say where it is from: repository, branch, path, connect."""

    origin: Mapping[str, str]
    revision: str
    digest: str
    plan: Json

    def check(self, plan: Plan, digest: str) -> None:
        """Raises Conflict when a plan that was made now isn't the one that was saved."""
        if plan.revision != self.revision:
            raise Conflict(
                f"the repository has moved from {self.revision} to {plan.revision} since this plan was saved; "
                "save and review a new one"
            )
        if digest != self.digest:
            raise Conflict("the host has changed since this plan was saved; save and review a new one")


def plan_digest(now: Pass) -> str:
    """Names a plan together with the state of everything that it looked at."""
    plan = now.plan
    looked_at = sorted({*now.desired.resources, *now.owned, *(step.ref for step in plan.steps)})
    state = [
        (str(ref), seen.uid, hashlib.sha256(seen.xml.encode()).hexdigest(), seen.active, seen.autostart)
        for ref in looked_at
        if (seen := now.snapshot.get(ref)) is not None
    ]
    text = json.dumps([plan.digest, plan.revision, state])
    return f"sha256:{hashlib.sha256(text.encode()).hexdigest()}"


def write_saved_plan(file: Path, saved: SavedPlan) -> None:
    """Write the file, all of it or nothing, readable by its owner only. Raises Terminal."""
    document = {
        "onggiPlan": _LAYOUT,
        "origin": dict(saved.origin),
        "revision": saved.revision,
        "digest": saved.digest,
        "plan": saved.plan,
    }
    temporary = ""
    try:
        descriptor, temporary = tempfile.mkstemp(dir=file.parent, prefix=f".{file.name}.")
        with os.fdopen(descriptor, "w", encoding="utf-8") as stream:
            json.dump(document, stream, indent=2, default=str)
            stream.write("\n")
        Path(temporary).replace(file)
    except OSError as error:
        if temporary:
            Path(temporary).unlink(missing_ok=True)
        raise Terminal(f"the plan can't be saved as {file}: {error.strerror}; choose another place.") from None


def read_saved_plan(file: Path) -> SavedPlan:
    """What `write_saved_plan` wrote. Raises NotFound for no file, Terminal for one that is something else."""
    try:
        text = read_given(file, _LARGEST)
    except OSError as error:
        raise NotFound(f"{file} can't be read: {error.strerror}; name a repository or a saved plan.") from None
    try:
        document = json.loads(text) if len(text) <= _LARGEST else None
    except (ValueError, RecursionError):
        document = None
    match document:
        case {
            "onggiPlan": 1,
            "origin": dict() as origin,
            "revision": str() as revision,
            "digest": str() as digest,
            "plan": dict() as plan,
        } if all(isinstance(value, str) for value in origin.values()):
            return SavedPlan(origin, revision, digest, plan)
    raise Terminal(f"{file} isn't a plan that onggi saved; make one with: onggi plan REPO --out {file}")
