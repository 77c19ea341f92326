"""What breaks a schema is found where the gate says that something does, whatever the value is."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from api.app import resource_classes
from api.http.endpoint import endpoints
from specs.registry import kinds
from specs.schema_mistakes import Shape
from specs.url import FORMATS

VALUES = st.recursive(
    st.none() | st.booleans() | st.integers(-9, 9) | st.floats(allow_nan=False) | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=8,
)


def bodies() -> Iterator[tuple[str, dict[str, Any]]]:
    for resource in resource_classes():
        for name, endpoint in endpoints(resource).items():
            if endpoint.body is not None:
                yield f"{resource.__name__}.{name}", dict(endpoint.body.schema)


SHAPES = {
    **{kind.name: Shape(kind.schema, FORMATS) for kind in kinds().values()},
    **{name: Shape(schema) for name, schema in bodies()},
}


@given(st.sampled_from(sorted(SHAPES)), st.data())
def test_a_value_has_a_mistake_exactly_when_it_does_not_fit(name: str, data: st.DataObject) -> None:
    shape = SHAPES[name]
    known = shape.schema.get("properties", {})
    value = data.draw(VALUES | st.dictionaries(st.sampled_from(sorted(known) or ["a"]), VALUES, max_size=4))
    assert bool(list(shape.mistakes(value))) is not shape.fits(value)


@pytest.mark.parametrize("kind", kinds().values(), ids=lambda kind: kind.name)
def test_each_field_that_is_missing_or_unknown_is_told_by_its_name(kind: Any) -> None:
    shape = SHAPES[kind.name]
    names = {(found.keyword, found.name) for found in shape.mistakes({"one": 1, "two": 2})}
    assert {("additionalProperties", "one"), ("additionalProperties", "two")} < names
    assert {("required", name) for name in kind.schema["required"]} < names


def test_a_pattern_ends_where_the_text_ends() -> None:
    (found,) = Shape({"pattern": "^[a-z]+$"}).mistakes("web\n")
    assert found.keyword == "pattern"


@pytest.mark.parametrize("pattern", ["^(?!x)", r"^[^\u0078]*$", r"^[^\x78]$"])
def test_whatever_a_pattern_is_made_of_each_text_that_breaks_it_is_told(pattern: str) -> None:
    shape = Shape({"properties": {"name": {"pattern": pattern}, "title": {"pattern": pattern}}})
    found = sorted(shape.mistakes({"name": "x", "title": "x"}), key=lambda mistake: mistake.path)
    assert [(each.path, each.keyword, each.rule) for each in found] == [
        (("name",), "pattern", {"pattern": pattern}),
        (("title",), "pattern", {"pattern": pattern}),
    ]


def test_of_a_very_large_value_one_mistake_is_told() -> None:
    (found,) = Shape({"items": {"type": "string"}}).mistakes([1] * 2_000)
    assert (found.keyword, found.path) == ("type", (0,))


def test_a_very_large_value_has_its_unknown_and_missing_fields_named_too() -> None:
    shape = Shape({"properties": {"a": {"items": {"additionalProperties": False, "required": ["b"]}}}})
    assert {found.name for found in shape.mistakes({"a": [{"c": 1}, *[{"b": 1}] * 2_000]})} <= {"b", "c"}


def test_what_is_nested_too_deeply_is_told_as_that() -> None:
    lists = {"type": "array", "items": {"$ref": "#/$defs/lists"}}
    value: Any = "x"
    for _ in range(900):
        value = [value]
    with pytest.raises(ValueError, match="nested too deeply"):
        list(Shape({"$ref": "#/$defs/lists", "$defs": {"lists": lists}}).mistakes(value))
