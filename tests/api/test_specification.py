"""Nothing of the specification is missing: its addresses, methods, actions, parameters and fields against ours."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any

import pytest

from api.docs.table import since
from api.http.discovery import resource_classes
from api.http.endpoint import SPECIFIED as SINCE
from api.http.endpoint import endpoints
from api.http.openapi import openapi
from tests.api.specification import Address, Field, addresses

SPECIFIED = addresses()
# A value that the text lists and that no request or answer can hold: null stands for the absence of a console.
NO_VALUES = frozenset({"null"})


@pytest.fixture(scope="module")
def document() -> Mapping[str, Any]:
    return openapi(resource_classes(), "0")


# The current snapshot is one of the machine's, at whose address something can be done with it.
MEANT = {"/vms/{}/snapshots/current": "/vms/{}/snapshots/{}"}
# The original answers at these, and documents none of them.
UNDOCUMENTED = frozenset({"/images/{}", "/host/devices/{}/vm_holders", "/host/devices/{}/vm_holders/{}"})


def test_what_is_said_to_be_of_the_specification_stands_in_it() -> None:
    specified = {(each.path, verb) for each in SPECIFIED for verb in each.methods}
    specified |= {(f"{each.path}/{action}", "POST") for each in SPECIFIED for action in each.actions}
    declared = {
        (re.sub(r"{[\w:]+}", "{}", f"{each.address}/{found.name}" if found.name else each.address), found.method)
        for each in resource_classes()
        for found in endpoints(each).values()
        if since(each, found) == SINCE
    }
    assert {each for each in declared if each[0] not in UNDOCUMENTED} == specified


def paths(document: Mapping[str, Any]) -> dict[str, Mapping[str, Any]]:
    return {re.sub(r"{\w+}", "{}", path): item for path, item in document["paths"].items()}


def test_the_specification_was_read_as_a_whole() -> None:
    assert len(SPECIFIED) == 52
    assert sum(len(address.actions) for address in SPECIFIED) == 22
    assert {verb for address in SPECIFIED for verb in address.methods} == {"GET", "POST", "PUT", "DELETE"}


@pytest.mark.parametrize("address", SPECIFIED, ids=lambda address: address.path)
def test_every_address_has_its_methods_and_actions(address: Address, document: Mapping[str, Any]) -> None:
    ours = paths(document)
    assert address.path in ours
    for verb in address.methods:
        assert verb.lower() in ours[address.path], verb
    for action in address.actions:
        assert "post" in ours.get(f"{address.path}/{action}", {}), action


@pytest.mark.parametrize("address", SPECIFIED, ids=lambda address: address.path)
def test_every_field_and_parameter_is_taken_or_given(address: Address, document: Mapping[str, Any]) -> None:
    ours = paths(document)
    missing: list[str] = []
    for verb, method in address.methods.items():
        operation = ours[address.path][verb.lower()]
        if verb == "GET":
            missing += _missing(method.fields, _answer(operation, document), document, f"{verb} ")
        elif verb in ("POST", "PUT"):
            missing += _missing(method.fields, _body(operation, document), document, f"{verb} ")
        parameters = [_resolved(each, document) for each in operation.get("parameters", ())]
        known = {each["name"] for each in parameters if each["in"] == "query"}
        missing += [f"{verb} ?{each.name}" for each in method.parameters if each.name not in known]
    for action, fields in address.actions.items():
        operation = ours[f"{address.path}/{action}"]["post"]
        missing += _missing(fields, _body(operation, document) if fields else {}, document, f"{action} ")
    assert not missing


@pytest.mark.parametrize("address", SPECIFIED, ids=lambda address: address.path)
def test_every_representation_of_a_resource_names_its_actions(address: Address, document: Mapping[str, Any]) -> None:
    ours = paths(document)
    at, read = address.path, _answer(ours[address.path]["get"], document)
    if read.get("type") == "array":  # of a collection the members are resources; of plain facts nothing is
        at, read = f"{at}/{{}}", _resolved(read["items"], document)
    at = MEANT.get(at, at)
    shape = next((each for each in _branches(read, document) if each.get("properties")), None)
    if at not in ours or shape is None:
        assert not address.actions
        return
    known = sorted(path.removeprefix(f"{at}/") for path, item in ours.items() if _is_action(path, at, item))
    assert set(address.actions) <= set(known)
    assert shape["properties"]["actions"]["items"].get("enum", []) == known
    assert "actions" in shape["required"]


def _is_action(path: str, address: str, item: Mapping[str, Any]) -> bool:
    """Only POSTed to, right below a resource."""
    below = path.removeprefix(f"{address}/")
    return path != below and "/" not in below and "{" not in below and "post" in item and "get" not in item


def test_members_of_a_collection_are_as_full_as_the_resource(document: Mapping[str, Any]) -> None:
    ours = paths(document)
    for address in SPECIFIED:
        collection = address.path.removesuffix("/{}")
        if collection == address.path or "GET" not in address.methods or collection not in ours:
            continue
        one, many = (_answer(ours[path]["get"], document) for path in (address.path, collection))
        names = {each.name for each in address.methods["GET"].fields}
        assert names <= _properties(many, document).keys() | (names - _properties(one, document).keys()), collection


# Schemas


def _resolved(schema: Mapping[str, Any], document: Mapping[str, Any]) -> Mapping[str, Any]:
    while "$ref" in schema:
        _, _, group, name = schema["$ref"].split("/")
        schema = document["components"][group][name]
    return schema


def _answer(operation: Mapping[str, Any], document: Mapping[str, Any]) -> Mapping[str, Any]:
    content = _resolved(operation["responses"]["200"], document).get("content", {})
    return next((each["schema"] for each in content.values()), {})


def _body(operation: Mapping[str, Any], document: Mapping[str, Any]) -> Mapping[str, Any]:
    """What any of the body's types takes, together."""
    content = operation.get("requestBody", {}).get("content", {})
    return {"anyOf": [each["schema"] for each in content.values()]}


def _branches(schema: Mapping[str, Any], document: Mapping[str, Any]) -> Iterator[Mapping[str, Any]]:
    schema = _resolved(schema, document)
    yield schema
    for word in ("anyOf", "oneOf", "allOf"):
        for each in schema.get(word, ()):
            yield from _branches(each, document)
    if "items" in schema:
        yield from _branches(schema["items"], document)


def _properties(schema: Mapping[str, Any], document: Mapping[str, Any]) -> dict[str, Mapping[str, Any]]:
    found: dict[str, Mapping[str, Any]] = {}
    for each in _branches(schema, document):
        found.update(each.get("properties", {}))
    return found


def _values(schema: Mapping[str, Any], document: Mapping[str, Any]) -> set[Any]:
    return {value for each in _branches(schema, document) for value in each.get("enum", ())}


def _missing(fields: list[Field], schema: Mapping[str, Any], document: Mapping[str, Any], place: str) -> Iterator[str]:
    properties = _properties(schema, document)
    for each in fields:
        if each.name not in properties:
            yield f"{place}{each.name}"
            continue
        below = properties[each.name]
        if _properties(below, document):
            yield from _missing(each.below, below, document, f"{place}{each.name}.")
        elif values := _values(below, document):
            yield from (f"{place}{each.name}={v.name}" for v in each.below if v.name not in values | NO_VALUES)
