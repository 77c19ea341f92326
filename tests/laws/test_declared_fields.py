"""Whatever a document may say isn't lost on its way: each declared field, whichever, of each kind.

A field that was forgotten anywhere between its declaration and the definition (lowering, reading, writing, comparing,
exporting) is one whose two values can't be told apart there.
"""

from __future__ import annotations

from dataclasses import replace
from itertools import pairwise
from typing import Any

import libvirt
import pytest

from reconciler.exporting.draft import Surroundings
from reconciler.exporting.export import draft_of
from reconciler.observed.snapshot import Observed, Snapshot
from specs.declared import BESIDE, Declared
from specs.effect import Effect
from specs.effects import field_effects
from specs.reference import STORAGE_VOLUME, VIRTUAL_MACHINE, Ref
from specs.registry import Kind, kinds
from tests.lab.libvirtd import HostObjects
from tests.laws.samples import HOST, KNOWN_TO_QEMU, NOT_TAKEN_HERE, documents, is_good, lowered, paths
from tests.specs.rendering import UID, assert_at_rest, drift, new_xml
from tests.specs.virtualmachine.world import defined as made
from tests.specs.virtualmachine.world import filled, inactive, uid_of

COSTS = {kind.name: {told.field: told.effect for told in field_effects(kind)} for kind in kinds().values()}
WITH_XML = [kind for kind in kinds().values() if kind.has_xml]
FIELDS = [
    pytest.param(kind, *each, id=each[0]) for kind in WITH_XML for each in paths(kind.declarations.SPEC, kind.name)
]

# Fields of which a definition says nothing although what they are about is in it.
CALLED_SO = "what its document calls it; no definition changes for that"
A_SECRET = "where a secret is kept, of which the definition has the value or a name"
AT_BIRTH = "how it is made; what exists already isn't compared with it"
UNSEEN = {
    "VirtualMachine.defaults": AT_BIRTH,
    "VirtualMachine.guestOs": AT_BIRTH,
    "VirtualMachine.disks.name": CALLED_SO,
    "VirtualMachine.cdroms.name": CALLED_SO,
    "VirtualMachine.interfaces.name": "what its MAC address is derived from",
    "VirtualMachine.graphics.passwordFrom.file": A_SECRET,
    "VirtualMachine.graphics.passwordFrom.env": A_SECRET,
    "StoragePool.source.auth.passwordFrom.file": A_SECRET,
    "StoragePool.source.auth.passwordFrom.env": A_SECRET,
    "StoragePool.build": AT_BIRTH,
    **{f"StoragePool.permissions.{part}": AT_BIRTH for part in ("owner", "group", "mode", "label")},
    "StorageVolume.pool": "which volume it is",
    "StorageVolume.allocation": AT_BIRTH,
    "StorageVolume.preallocation": AT_BIRTH,
    "StorageVolume.noCopyOnWrite": AT_BIRTH,
    **{f"StorageVolume.permissions.{part}": AT_BIRTH for part in ("owner", "group", "mode", "label")},
    "StorageVolume.encryption.format": "there is one way",
    **{f"StorageVolume.encryption.secret.{part}": AT_BIRTH for part in ("usage", "uuid")},
    **{f"StorageVolume.encryption.cipher.{part}": AT_BIRTH for part in ("name", "size", "mode", "hash")},
    **{f"StorageVolume.encryption.ivgen.{part}": AT_BIRTH for part in ("name", "hash")},
    "StorageVolume.source.url": AT_BIRTH,
    "StorageVolume.source.sha256": AT_BIRTH,
}

# What no field says of it, of which a field's own sample is a part.
THE_REST = "an export says all that no field says of the definition in it"
LEFT_TO_LIBVIRT = {
    "VirtualMachine.xml": THE_REST,
    "Network.xml": THE_REST,
    "StoragePool.xml": THE_REST,
    "StorageVolume.xml": THE_REST,
    "NetworkFilter.xml": THE_REST,
    "VirtualMachine.disks.format": "an export names the volume, which has the format",
    "VirtualMachine.graphics.passwordValidTo": "without the password, which an export doesn't have, it has no meaning",
    "StoragePool.source.auth.username": "credentials stay where libvirt keeps them",
}


@pytest.mark.parametrize("kind", WITH_XML, ids=lambda kind: kind.name)
def test_every_field_says_where_it_is(kind: Kind) -> None:
    def lost(declared: Declared, name: str) -> list[str]:
        if declared.at:
            return []
        return [path for key, each in declared.fields.items() for path in lost(each, f"{name}.{key}")] or (
            [] if declared.fields else [name]
        )

    assert [path for key, each in kind.declarations.SPEC.fields.items() for path in lost(each, key)] == []


def place_of(spec: Declared, path: str) -> str:
    """Where a field is, which may be said by what it is in."""
    at = ""
    for key in path.split(".")[1:]:
        spec = spec[key]
        at = spec.at or at
    return at


def defined(kind: Kind, concrete: dict[str, Any], spec: dict[str, Any]) -> str:
    """A new object's definition, with something in the place of each secret."""
    xml = new_xml(kind, concrete, name="web", host=HOST)
    return filled(xml, spec) if kind.name == VIRTUAL_MACHINE else xml


def draft(kind: Kind, xml: str) -> dict[str, Any]:
    """What a document of an object with this definition would say."""
    ref = Ref.volume("default", "web") if kind.name == STORAGE_VOLUME else Ref(kind.name, "web")
    return draft_of(Observed(ref, UID, xml), Surroundings(Snapshot(1, HOST, {}))).spec


@pytest.mark.parametrize(("kind", "path", "declared"), FIELDS)
def test_its_values_are_told_apart_wherever_they_go(kind: Kind, path: str, declared: Declared) -> None:
    specs = documents(kind, path, declared)
    concrete = [lowered(kind, spec) for spec in specs]
    if place_of(kind.declarations.SPEC, path) == BESIDE:
        assert concrete[1:] == concrete[:-1], "the definition would have what is said to be beside it"
        return
    definitions = [defined(kind, *each) for each in zip(concrete, specs, strict=True)]
    for wanted, xml in zip(concrete, definitions, strict=True):
        assert_at_rest(kind, wanted, xml)
    if path in UNSEEN:
        return
    for wanted, others in pairwise([*zip(concrete, definitions, strict=True)]):
        assert drift(kind, wanted[0], others[1]), "one is taken for the other"
    drafts = [draft(kind, xml) for xml in definitions]
    if path not in LEFT_TO_LIBVIRT:
        assert all(one != other for one, other in pairwise(drafts)), "an exported document doesn't say which"
    for spec, xml in zip(drafts, definitions, strict=True):
        assert is_good(kind, spec), spec
        assert_at_rest(kind, lowered(kind, spec), xml)


@pytest.mark.parametrize(("kind", "path", "declared"), FIELDS)
def test_a_change_costs_what_its_declaration_says(kind: Kind, path: str, declared: Declared) -> None:
    cost, name = COSTS[kind.name].get(path.partition(".")[2]), path.rpartition(".")[2]
    if place_of(kind.declarations.SPEC, path) == BESIDE or path in UNSEEN or cost is not Effect.NEXT_BOOT:
        return
    specs = documents(kind, path, declared)
    concrete = [lowered(kind, spec) for spec in specs]
    definitions = [defined(kind, *each) for each in zip(concrete, specs, strict=True)]
    for wanted, other in pairwise([*zip(concrete, definitions, strict=True)]):
        own = [change for change in drift(kind, wanted[0], other[1]) if change.pointer.endswith(f"/{name}")]
        assert {change.effect for change in own} <= {Effect.NEXT_BOOT, Effect.FORBIDDEN}, own


QEMU = replace(HOST, domain_types=("qemu",))  # a host without KVM has one domain type
OF_MACHINES = [
    field
    for field in FIELDS
    if str(field.id).startswith(VIRTUAL_MACHINE)
    and field.id != "VirtualMachine.domainType"
    and not any(f"{field.id}.".startswith(f"{each}.") for each in NOT_TAKEN_HERE)
]


@pytest.mark.parametrize(("kind", "path", "declared"), OF_MACHINES)
def test_libvirt_gives_each_value_of_a_machine_back(
    qemu_connection: libvirt.virConnect, host_objects: HostObjects, kind: Kind, path: str, declared: Declared
) -> None:
    if KNOWN_TO_QEMU.get(path) == []:
        return  # nothing that QEMU for x86 has
    if path in KNOWN_TO_QEMU:
        declared = replace(declared, keywords={"enum": KNOWN_TO_QEMU[path]})
    for spec in documents(kind, path, declared, QEMU):
        name = host_objects.name("field")
        concrete = lowered(kind, spec, QEMU)
        with made(
            qemu_connection, filled(new_xml(kind, concrete, name=name, host=QEMU, uid=uid_of(name)), spec)
        ) as domain:
            assert_at_rest(kind, concrete, inactive(domain))


def test_what_is_let_off_is_there() -> None:
    assert {*UNSEEN, *LEFT_TO_LIBVIRT} <= {str(field.id) for field in FIELDS}
