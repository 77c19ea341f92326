"""Machines: each gets the fields of its template, and brings along the volumes that nobody else declares."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from typing import NamedTuple

from reconciler.desired.identity import object_uid
from reconciler.desired.made import Inputs, Made, digested, named, problem, resource
from reconciler.desired.making import COST, Around, Making
from reconciler.desired.state import Resource
from reconciler.desired.storagepool.making import block_pools
from reconciler.desired.template.chains import Expanded
from reconciler.desired.template.making import expanded, unusable
from reconciler.desired.template.meaning import machine_fields, merged
from reconciler.desired.virtualmachine.implied import ImpliedVolume, complete
from specs.document import Document
from specs.plain import Spec
from specs.reference import STORAGE_VOLUME, VIRTUAL_MACHINE, Ref
from specs.registry import kinds
from specs.template import KIND as TEMPLATES
from specs.virtualmachine import KIND as MACHINES
from specs.virtualmachine.compute.staged import ANNOTATION as NEXT_BOOT
from specs.virtualmachine.compute.staged import next_boot_fields
from specs.virtualmachine.storage.named_sources import disk_name, writes_alone


class _Others(NamedTuple):
    """What a machine is made from beside its document."""

    template: Expanded | None
    block_pools: frozenset[str]


class MachineMaking(Making):
    """That of virtual machines."""

    kind = VIRTUAL_MACHINE

    def others(self, document: Document, around: Around) -> _Others:
        """Its template, and the pools whose volumes are devices."""
        name = MACHINES.declared(document.spec).get("template")
        return _Others(expanded(name, around) if name is not None else None, block_pools(around))

    def cost(self, document: Document, others: _Others) -> int:
        """With its disks, and all that its template says."""
        below = others.template.spec if others.template is not None else {}
        disks = MACHINES.declared(document.spec).get("disks") or below.get("disks", ())
        return COST * (1 + len(disks)) + (others.template.size if others.template is not None else 0)

    def make(self, inputs: Inputs, around: Around) -> Made:
        """The machine and its own volumes."""
        document, others = inputs.document, _Others(*inputs.others)
        spec: Spec = document.spec
        if others.template is not None:
            if (refused := unusable(inputs, others.template)) is not None:
                return refused
            own = {key: value for key, value in spec.items() if key != "template"}
            spec = merged(machine_fields(TEMPLATES.declared(others.template.spec)), own)
        uid = object_uid(inputs.repository_id, document.ref, document.uid)
        completion = complete(
            document.name,
            uid,
            MACHINES.declared(spec),
            block_pools=others.block_pools,
            allowed_folders=around.allowed_folders,
        )
        # What is right in each document may be wrong together: a template's topology under another number of CPUs.
        mistakes = [*MACHINES.check(document.name, completion.spec), *completion.mistakes]
        if mistakes:
            return Made(
                inputs,
                problems=tuple(problem(document, f"/spec{pointer}", message) for pointer, message in mistakes),
                implied=tuple(volume.ref for volume in completion.volumes),
            )
        waiting = next_boot_fields(document.annotations.get(NEXT_BOOT, ""), completion.spec)
        machine = resource(document, uid, completion.spec, next_boot=waiting)
        volumes = [_volume(volume, machine, inputs.repository_id) for volume in completion.volumes]
        disks = tuple(
            (Ref(STORAGE_VOLUME, disk_name(disk)), writes_alone(disk)) for disk in completion.spec.get("disks", ())
        )
        return Made(inputs, (machine, *volumes), implied=tuple(volume.ref for volume in volumes), uses=disks)

    def among(self, made: Sequence[Made]) -> Iterator[tuple[Made, str, str]]:
        """Volumes that two of them have through a template, or that one implies and another names."""
        users: dict[Ref, list[tuple[Made, bool]]] = {}
        for one in made:
            for volume, writes in one.uses:
                users.setdefault(volume, []).append((one, writes))
        for volume, uses in users.items():
            if len(uses) < 2 or not any(writes for _, writes in uses):
                continue
            using = [one for one, _ in uses]
            for one in using:
                sentence = (
                    f"{volume.name} is a disk of {named(using, one)} too, and two writers destroy it; give each "
                    "machine its own, or set `readOnly: true` in all of them."
                )
                yield one, "/spec/disks", sentence


MAKING = MachineMaking()


def _volume(volume: ImpliedVolume, machine: Resource, repository_id: str) -> Resource:
    """A machine's own volume: at its document's place, and treated as the machine is."""
    needs = tuple(dict.fromkeys(kinds()[volume.ref.kind].references(volume.ref.short_name, volume.spec)))
    made = Resource(
        ref=volume.ref,
        uid=object_uid(repository_id, volume.ref, ""),
        spec=volume.spec,
        path=machine.path,
        line=machine.line,
        policy=replace(machine.policy, ignore_fields=(), complete=(), next_boot=frozenset()),
        depends_on=needs,
        parent=machine.ref,
        content=volume.content,
    )
    return digested(made)
