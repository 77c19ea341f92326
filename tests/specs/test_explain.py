"""A field is explained from its schema, by any of the names that people use for its kind."""

from __future__ import annotations

import pytest

from specs.effect import Effect
from specs.explain import Explanation, UnknownFieldError, explain
from specs.registry import kinds


def test_a_field_is_explained_with_everything_that_is_known_of_it() -> None:
    found = explain("vm", "runStrategy")
    assert found.path == "VirtualMachine.spec.runStrategy"
    assert found.name == "runStrategy"
    assert found.type == "word"
    assert found.default == "RerunOnFailure"
    assert found.effect is Effect.LIVE
    assert found.choices == ("Always", "RerunOnFailure", "Manual", "Halted")
    assert not found.required
    assert found.description.startswith("When the machine runs")
    assert found.children == ()


@pytest.mark.parametrize(
    ("kind", "field"),
    [("vm", "disks.size"), ("vm.disks.size", ""), ("virtualmachine.spec.disks.size", ""), ("VMS", "spec.disks.size")],
)
def test_a_field_goes_by_many_names(kind: str, field: str) -> None:
    assert explain(kind, field).path == "VirtualMachine.spec.disks.size"


def test_a_list_has_the_fields_of_its_items() -> None:
    found = explain("virtualmachine.spec.disks")
    assert found.type == "list of mappings"
    assert {child.name for child in found.children} >= {"name", "size", "volume", "bus"}


def test_required_fields_are_marked() -> None:
    assert {child.name for child in explain("pool").children if child.required} == {
        "apiVersion",
        "kind",
        "metadata",
        "spec",
    }
    assert explain("net", "mode").required
    assert not explain("net", "subnet").required


def test_the_effect_of_a_change_is_told_where_it_is_fixed() -> None:
    effects = {
        name: explain("vm", name).effect for name in ("title", "cpus", "disks.format", "disks.bus", "cdroms.path")
    }
    assert effects == {
        "title": Effect.LIVE,
        "cpus": Effect.NEXT_BOOT,
        "disks.format": Effect.FORBIDDEN,
        "disks.bus": Effect.NEXT_BOOT,
        "cdroms.path": Effect.LIVE,
    }
    assert explain("net", "subnet").effect is Effect.NEXT_BOOT
    assert explain("net", "dhcp.hosts").effect is Effect.LIVE


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        (("vmm",), "There is no kind 'vmm'; did you mean VirtualMachine?"),
        (("virtualmachin",), "did you mean VirtualMachine?"),
        (("zzz",), "The kinds are Distribution, MediatedDevice, Network"),
        (("vm", "disk"), "VirtualMachine.spec has no field 'disk'; did you mean disks?"),
        (("vm.disks.sise",), "VirtualMachine.spec.disks has no field 'sise'; did you mean size?"),
        (("vm", "memory.max"), "VirtualMachine.spec.memory has no fields below it"),
        (("vm", "metadata.nam"), "VirtualMachine.metadata has no field 'nam'; did you mean name?"),
    ],
)
def test_what_is_not_there_is_answered_with_what_is(words: tuple[str, ...], sentence: str) -> None:
    with pytest.raises(UnknownFieldError) as error:
        explain(*words)
    assert sentence in str(error.value)


@pytest.mark.parametrize("kind", sorted(kinds()))
def test_every_field_of_every_kind_can_be_explained(kind: str) -> None:
    def walk(found: Explanation) -> int:
        assert found.description
        assert found.type
        return 1 + sum(walk(explain(child.path)) for child in found.children)

    assert walk(explain(kind)) > 10
