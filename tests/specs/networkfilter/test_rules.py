"""What a NetworkFilter document may not say, and where that is told."""

from __future__ import annotations

import json
from typing import Any

import pytest

from specs.document import parse
from specs.networkfilter import KIND
from specs.networkfilter.model import references
from specs.reference import NETWORK_FILTER, Ref
from specs.validate import validate, validate_set

DROP = {"action": "drop", "direction": "in"}


def problems(*named: tuple[str, list[dict[str, Any]]]) -> list[tuple[str, str]]:
    documents = []
    for name, rules in named:
        body = {"apiVersion": "onggi/v1", "kind": KIND.name, "metadata": {"name": name}, "spec": {"rules": rules}}
        documents += parse(f"{name}.yaml", json.dumps(body).encode()).documents
    found = [problem for each in documents for problem in validate(each)] or list(validate_set(documents))
    return [(each.pointer, each.message) for each in found]


@pytest.mark.parametrize(
    ("rule", "pointer", "sentence"),
    [
        ({**DROP, "protocol": "udp", "match": {"flags": "SYN/ALL"}}, "/match/flags", "choose another protocol"),
        ({**DROP, "match": {"srcipaddr": "192.0.2.1"}}, "", "depends on the `protocol`"),
        ({"filter": "web"}, "/filter", "can't include itself"),
        ({**DROP, "filter": "clean-traffic"}, "", "nothing else"),
        ({**DROP, "parameters": [{"name": "IP", "value": "192.0.2.1"}]}, "", "included filter's"),
        ({"action": "drop"}, "", "needs a `direction`"),
        ({}, "", "add one of them"),
        ({**DROP, "protocol": "tcp", "match": {"dstportstart": 70000}}, "/match/dstportstart", "correct it"),
        (
            {**DROP, "protocol": "tcp", "match": {"dstportstart": 1}, "noMatch": {"dstportstart": 2}},
            "/noMatch/dstportstart",
            "remove one",
        ),
    ],
)
def test_what_a_rule_cant_say(rule: dict[str, Any], pointer: str, sentence: str) -> None:
    (found,) = problems(("web", [rule]))
    assert found[0] == f"/spec/rules/0{pointer}"
    assert sentence in found[1]


def test_a_filter_of_libvirts_own_isnt_declared() -> None:
    ((_, sentence),) = problems(("clean-traffic", []))
    assert "one of libvirt's own filters" in sentence


def test_filters_that_include_each_other_are_told() -> None:
    found = problems(*((name, [{"filter": other}]) for name, other in (("a", "b"), ("b", "c"), ("c", "b"))))
    assert sorted(sentence.partition(";")[0] for _, sentence in found) == [
        "These filters include each other, b → c → b",
        "These filters include each other, c → b → c",
    ]


def test_only_declared_filters_are_needed() -> None:
    spec: Any = {"rules": [{"filter": "clean-traffic"}, {"filter": "base"}, DROP]}
    assert list(references("web", spec)) == [Ref(NETWORK_FILTER, "base")]
