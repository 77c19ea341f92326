"""The document of a new machine, from a template: written out in full, so that it stays as it is when the template
changes, and as a person would have written it.
"""

from __future__ import annotations

import uuid
from collections.abc import Mapping
from typing import TYPE_CHECKING, Final

from api.vms.bus import Attachment, attachment
from api.vms.processors import cpus_of
from reconciler.desired.state import DesiredState
from reconciler.desired.template.meaning import machine_fields, merged
from specs.document import API_VERSION
from specs.host import Host
from specs.plain import NewDocument, NewJson, NewSpec, Spec
from specs.reference import TEMPLATE, VIRTUAL_MACHINE, Ref
from specs.template import KIND as TEMPLATES

if TYPE_CHECKING:
    from specs.template.spec import TemplateSpec

TEMPLATE_NOTE: Final = "onggi/template"  # the annotation that names the template it was made from

_MEMORY_MIB: Final = 1024
_CONSOLE: Final = {"type": "vnc", "listen": "127.0.0.1"}
_CHAIN: Final = 32


def template_spec(desired: DesiredState, name: str) -> TemplateSpec | None:
    """A declared template with those that it extends below it; None when there is no good one."""
    chain: list[Spec] = []
    wanted: str | None = name
    while wanted and len(chain) < _CHAIN:
        found = desired.resources.get(Ref(TEMPLATE, wanted))
        if found is None:
            return None
        chain.append(found.spec)
        wanted = TEMPLATES.declared(found.spec).get("template")
    spec: NewSpec = {}
    for each in reversed(chain):
        spec = merged(spec, each)
    spec.pop("template", None)
    return TEMPLATES.declared(spec)


def new_machine(
    name: str,
    template: TemplateSpec,
    template_name: str,
    host: Host,
    *,
    pool: str = "",
    block_pools: frozenset[str] = frozenset(),
    graphics: Spec | None = None,
) -> NewDocument:
    """The document. `pool` takes the place of the template's for new disks, `graphics` is laid over the template's.

    In `block_pools` volumes are devices, which have no image format.
    """
    fields = machine_fields(template)
    how = attachment(fields, host)
    disks = [_disk(disk, pool, block_pools, how) for disk in fields.get("disks", ())]
    interfaces = [each | ({"model": how.model} if how.model else {}) for each in fields.get("interfaces", ())]
    cdroms = [each | ({"bus": how.cdrom_bus} if how.cdrom_bus else {}) for each in fields.get("cdroms", ())]
    topology = fields.get("cpuTopology")
    spec: NewSpec = {
        "osDistro": fields.get("osDistro"),
        "osVersion": fields.get("osVersion"),
        "icon": fields.get("icon"),
        "machine": how.machine,
        "defaults": fields.get("defaults"),
        "guestOs": fields.get("guestOs"),
        "cpus": fields.get("cpus") or (cpus_of(topology) if topology else 1),
        "maximumCpus": fields.get("maximumCpus"),
        "cpuTopology": topology,
        "memory": fields.get("memory", _MEMORY_MIB),
        "maximumMemory": fields.get("maximumMemory"),
        "disks": disks,
        "cdroms": cdroms,
        "interfaces": interfaces,
        "bootDevices": fields.get("bootDevices"),
        "graphics": _console(merged(merged(_CONSOLE, fields.get("graphics") or {}), graphics or {})),
        "runStrategy": "Halted",
    }
    return document(name, {key: value for key, value in spec.items() if value}, {TEMPLATE_NOTE: template_name})


def document(
    name: str, spec: Spec, annotations: Mapping[str, str], labels: Mapping[str, str] | None = None
) -> NewDocument:
    """A machine's whole document, with an identity that nothing had before."""
    metadata: NewJson = {"name": name, "uid": str(uuid.uuid4())}
    if labels:
        metadata["labels"] = dict(labels)
    if annotations:
        metadata["annotations"] = dict(annotations)
    return {"apiVersion": API_VERSION, "kind": VIRTUAL_MACHINE, "metadata": metadata, "spec": dict(spec)}


def _disk(disk: Spec, pool: str, block_pools: frozenset[str], how: Attachment) -> NewJson:
    made = dict(disk)
    if pool and "size" in made:
        before = str(made.get("pool", "default"))
        if "base" in made and "/" not in made["base"]:
            made["base"] = f"{before}/{made['base']}"
        made["pool"] = pool
    if made.get("pool") in block_pools and "size" in made:
        made["format"] = "raw"
    if made.get("pool") == "default":
        del made["pool"]
    return made | ({"bus": how.disk_bus} if how.disk_bus else {})


def _console(graphics: Spec) -> Spec:
    """One that there isn't listens nowhere."""
    return {"type": "none"} if graphics["type"] == "none" else graphics
