"""`onggi explain` and `onggi schema`: what may stand in a document, from its schema."""

from __future__ import annotations

import pytest

from specs.registry import kinds
from tests.cli.command import Onggi


@pytest.mark.parametrize("kind", sorted(kinds()))
def test_every_kind_is_explained_with_every_field(onggi: Onggi, kind: str) -> None:
    done = onggi("explain", kind)
    assert done.code == 0
    assert f"KIND:     {kind}" in done.out
    for field in kinds()[kind].schema["properties"]["spec"]["properties"]:
        assert f"\n    {field} <" in done.out


def test_a_field_is_explained_with_type_effect_and_example(onggi: Onggi) -> None:
    done = onggi("explain", "vm.disks.size")
    assert done.code == 0
    assert "FIELD:    spec.disks.size <" in done.out
    assert "CHANGE:   live: comes true in the running object" in done.out
    assert "20GiB" in done.out
    assert onggi("explain", "VirtualMachine.spec.disks.size").out == done.out


def test_a_field_that_is_not_there_is_an_error_with_those_that_are(onggi: Onggi) -> None:
    done = onggi("explain", "vm.disks.sise")
    assert (done.code, done.out) == (1, "")
    assert "did you mean size?" in done.err


def test_a_kind_that_is_not_there_is_an_error_with_those_that_are(onggi: Onggi) -> None:
    for words in (("explain", "pod"), ("schema", "pod"), ("get", "pod")):
        done = onggi(*words)
        assert done.code == 1
        assert "There is no kind 'pod'" in done.err
        assert "VirtualMachine" in done.err


def test_the_schema_is_printed_as_it_is(onggi: Onggi) -> None:
    assert onggi("schema", "vms").json == kinds()["VirtualMachine"].schema


def test_scripts_get_the_explanation_as_data(onggi: Onggi) -> None:
    told = onggi("explain", "network.mode", "-o", "json").json
    assert (told["kind"], told["field"], told["effect"]) == ("Network", "spec.mode", "next-boot")
    assert "nat" in told["choices"]


def test_without_a_kind_the_kinds_are_listed(onggi: Onggi) -> None:
    done = onggi("explain")
    assert done.code == 0, done.err
    words = {line.split()[0] for line in done.out.splitlines() if line and not line.startswith("More")}
    assert words == set(kinds())
    found = {each["kind"]: each["aliases"] for each in onggi("explain", "-o", "json").json}
    assert "vm" in found["VirtualMachine"]
