"""A spec's types tell the truth: mypy takes them for granted wherever a field is read.

They are made from the declared fields; what lowering and the binds make of a document is code, which could make of it
something else than the types say.
"""

from __future__ import annotations

import ast
import importlib
import types
import typing
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, Literal, Required, Union, get_args, get_origin, get_type_hints, is_typeddict

import pytest

from specs.binding import parse, read
from specs.carried import NTH
from specs.declared import Declared
from specs.reference import VIRTUAL_MACHINE
from specs.registry import Kind, kinds, own_kinds
from tests.laws.samples import HOST, documents, lowered, paths
from tests.specs.rendering import new_xml
from tests.specs.virtualmachine.world import filled

ROOT = Path(__file__).resolve().parents[2]
WITH_XML = [kind for kind in kinds().values() if kind.has_xml]
FIELDS = [
    pytest.param(kind, *each, id=each[0]) for kind in WITH_XML for each in paths(kind.declarations.SPEC, kind.name)
]


def misfits(value: Any, of: Any, at: str = "", *, whole: bool = True) -> Iterator[str]:
    """Where a value isn't of a type; a `whole` one has every field that is required."""
    origin, parts = get_origin(of), get_args(of)
    if origin is Required:
        yield from misfits(value, parts[0], at, whole=whole)
    elif is_typeddict(of):
        fields = get_type_hints(of, include_extras=True)
        yield from (f"{at}/{key}" for key in value.keys() - fields.keys() - {NTH})  # of which every list may need it
        required = {key for key, each in fields.items() if get_origin(each) is Required}
        yield from (f"{at}/{key} isn't there" for key in (required if whole else set()) - value.keys())
        for key in value.keys() & fields.keys():
            yield from misfits(value[key], fields[key], f"{at}/{key}", whole=whole)
    elif origin in (types.UnionType, Union):
        if all(list(misfits(value, part, at, whole=whole)) for part in parts):
            yield at
    elif origin is Literal:
        yield from () if value in parts else (at,)
    elif origin is typing.get_origin(Sequence[str]):
        fits = isinstance(value, Sequence) and not isinstance(value, str)
        yield from (w for each in value for w in misfits(each, parts[0], at, whole=whole)) if fits else (at,)
    elif origin is typing.get_origin(Mapping[str, str]):
        yield from (w for each in value.values() for w in misfits(each, parts[1], at, whole=whole))
    elif not isinstance(value, of) or (isinstance(value, bool) and of is int):
        yield at


def type_of(kind: Kind, name: str) -> Any:
    """One of the classes of a kind's `spec.py`."""
    return getattr(importlib.import_module(f"{kind.package}.spec"), name)


@pytest.mark.parametrize("kind", own_kinds().values(), ids=lambda kind: kind.name)
def test_every_declared_field_and_no_other_is_in_the_type_of_a_document(kind: Kind) -> None:
    assert type_of(kind, f"{kind.name}Spec").__annotations__.keys() == kind.declarations.SPEC.fields.keys()


@pytest.mark.parametrize(("kind", "path", "declared"), FIELDS)
def test_a_document_is_of_its_type_as_written_and_lowered_and_observed(
    kind: Kind, path: str, declared: Declared
) -> None:
    written, concrete = type_of(kind, f"{kind.name}Spec"), type_of(kind, f"Lowered{kind.name}")
    for spec in documents(kind, path, declared):
        assert list(misfits(spec, written)) == []
        made = lowered(kind, spec)
        assert list(misfits(made, concrete)) == []
        xml = new_xml(kind, made, name="web", host=HOST)
        found = read(kind.xml.BINDS, parse(filled(xml, spec) if kind.name == VIRTUAL_MACHINE else xml))
        assert list(misfits(found, concrete, whole=False)) == []


def test_what_is_misspelt_or_of_another_type_is_no_part_of_it() -> None:
    machine = type_of(kinds()[VIRTUAL_MACHINE], f"{VIRTUAL_MACHINE}Spec")
    assert list(misfits({"memorry": 1024}, machine)) == ["/memorry"]
    assert list(misfits({"cpus": "2"}, machine)) == ["/cpus"]
    assert list(misfits({"disks": [{"bus": "pci"}]}, machine)) == ["/disks/bus"]
    assert list(misfits({"controllers": [{"type": "usb"}]}, machine)) == ["/controllers/index isn't there"]


# What is read from these has a type already, is only being put together, or is no spec.
OTHERS = frozenset({"draft", "result", "completion", "shown", "made"})


def fields_read(tree: ast.Module) -> Iterator[tuple[int, str]]:
    """(line, code) where a field is read by its name right from a document's, a resource's or an object's spec."""
    for node in ast.walk(tree):
        match node:
            case ast.Call(func=ast.Attribute(value=holder, attr="get"), args=[ast.Constant(), *_]):
                pass
            case ast.Subscript(value=holder, slice=ast.Constant()):
                pass
            case ast.Compare(left=ast.Constant(), ops=[ast.In() | ast.NotIn()], comparators=[holder]):
                pass
            case _:
                continue
        whole = holder.values[0] if isinstance(holder, ast.BoolOp) else holder
        is_spec = isinstance(whole, ast.Attribute) and whole.attr in ("spec", "config", "live")
        if is_spec and ast.unparse(whole.value) not in OTHERS:
            yield node.lineno, ast.unparse(node)


@pytest.mark.parametrize("package", ["specs", "reconciler", "api"])
def test_a_field_is_read_by_its_kinds_type(package: str) -> None:
    """`KIND.declared(resource.spec)["disks"]`: there mypy knows what `resource.spec["disks"]` may be misspelt for."""
    past = [
        f"{path.relative_to(ROOT)}:{line}: {code}"
        for path in sorted((ROOT / package).rglob("*.py"))
        for line, code in fields_read(ast.parse(path.read_text()))
    ]
    assert past == []
