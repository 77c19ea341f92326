"""What a client may change of a machine, written into its document. Pure but for the secret of a console.

Fields that the client leaves out stay as they are; so does everything that this API has no word for.
"""

from __future__ import annotations

import secrets
import string
from collections.abc import Iterable, Mapping
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any, Final

from api.http.refusal import bad
from reconciler.observed.snapshot import Observed
from specs.codecs import bytes_of
from specs.plain import NewDocument, NewSpec
from specs.virtualmachine import KIND as MACHINES
from specs.virtualmachine.compute.staged import ANNOTATION as NEXT_BOOT
from specs.virtualmachine.compute.staged import with_next_boot

if TYPE_CHECKING:
    from specs.virtualmachine.spec import VirtualMachineSpec

Body = Mapping[str, Any]
LONGEST_S: Final = 100 * 366 * 24 * 3600  # that a password can be valid

LEAST_MIB: Final = 512  # that a client may ask for

_LETTERS: Final = string.ascii_letters + string.digits
_LENGTH: Final = 8
_VALID_S: Final = 30


def check_memory(observed: Observed, body: Body) -> None:
    """Raises Refusal 400 for less than Kimchi's least, unless it is what the machine has."""
    wanted = int(body.get("memory", LEAST_MIB))
    if wanted < LEAST_MIB and wanted != MACHINES.lowered(observed.config).get("memory"):
        told = f"`memory` has to be at least {LEAST_MIB} MiB; the machine's document can say less."
        raise bad("KCHTMPL0013E", told)


def change_sizes(spec: VirtualMachineSpec, body: Body) -> None:
    """cpus and memory (MiB). A maximum that is in the way moves along."""
    if "cpus" in body:
        spec["cpus"] = int(body["cpus"])
        if spec.get("maximumCpus", spec["cpus"]) < spec["cpus"]:
            spec["maximumCpus"] = spec["cpus"]
    if "memory" in body:
        spec["memory"] = _as_written(spec.get("memory"), int(body["memory"]))
        maximum = spec.get("maximumMemory")
        if maximum is not None and (bytes_of(maximum, "MiB") or 0) < int(body["memory"]) << 20:
            spec["maximumMemory"] = spec["memory"]


def change_words(spec: NewSpec, body: Body) -> None:
    """title, description and autostart. An empty text is none."""
    for key in ("title", "description", "autostart"):
        if key in body:
            spec[key] = body[key]


def wait_for_boot(document: NewDocument, fields: Iterable[str]) -> None:
    """Let these fields of a running machine wait for its next boot: this API never changes what runs by a PUT."""
    metadata = dict(document.get("metadata") or {})
    annotations = dict(metadata.get("annotations") or {})
    for field in fields:
        annotations[NEXT_BOOT] = with_next_boot(annotations.get(NEXT_BOOT, ""), field, document["spec"][field])
    document["metadata"] = {**metadata, "annotations": annotations}


def _as_written(before: Any, mebibytes: int) -> int | str:
    """An amount that stays the same stays as somebody wrote it, such as 2GiB."""
    if before is not None and bytes_of(before, "MiB") == mebibytes << 20:
        return before  # type: ignore[no-any-return]
    return mebibytes


def change_access(spec: VirtualMachineSpec, body: Body) -> None:
    """users and groups, each by itself."""
    if "users" not in body and "groups" not in body:
        return
    before = spec.get("access") or {}
    wanted = {"users": body.get("users", before.get("users")), "groups": body.get("groups", before.get("groups"))}
    access: Any = {key: list(names) for key, names in wanted.items() if names}
    if access:
        spec["access"] = access
    else:
        spec.pop("access", None)


def password_of(graphics: Body) -> str:
    """The password to set: what is given, else a random one."""
    given = str(graphics.get("passwd") or "")
    return given if given.strip() else random_password()


def random_password() -> str:
    """As long as VNC takes."""
    return "".join(secrets.choice(_LETTERS) for _ in range(_LENGTH))


def change_console(spec: VirtualMachineSpec, graphics: Body, file: str, now: datetime) -> None:
    """The console's password, kept in `file`, and until when it is valid: half a minute unless it is said."""
    valid_s = float(graphics.get("passwdValidTo", _VALID_S))
    spec["graphics"] = {
        **(spec.get("graphics") or {}),
        "passwordFrom": {"file": file},
        "passwordValidTo": _time(now + timedelta(seconds=valid_s)),
    }


def _time(moment: datetime) -> str:
    return moment.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
