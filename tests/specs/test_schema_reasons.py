"""Documents and requests' bodies are refused in the same words."""

from __future__ import annotations

from typing import Any

import pytest

from api.http.refusal import Refusal
from api.http.schema import Checked
from specs.registry import Kind
from specs.schema_errors import schema_errors
from specs.schema_reasons import reason

CASES: list[tuple[dict[str, Any], Any]] = [
    ({"type": "string"}, 5),
    ({"type": "integer"}, "5"),
    ({"type": ["boolean", "array"]}, 1.5),
    ({"enum": ["a", "b"]}, "c"),
    ({"const": "a"}, "b"),
    ({"minimum": 3}, 2),
    ({"maximum": 3}, 4),
    ({"minLength": 1}, ""),
    ({"maxLength": 1}, "ab"),
    ({"minItems": 1}, []),
    ({"maxItems": 1}, [1, 2]),
    ({"uniqueItems": True}, [1, 1]),
]


@pytest.mark.parametrize(("rule", "value"), CASES, ids=lambda each: str(each))
def test_both_doors_begin_their_sentence_alike(rule: dict[str, Any], value: Any) -> None:
    schema = {"properties": {"field": rule}}
    (keyword,) = rule
    begun = reason("`field`", keyword, rule[keyword])
    assert begun

    kind = Kind("Pure", "pures", (), "specs", lambda _name, _spec: (), lambda _name, _spec: ())
    kind.__dict__["schema"] = schema  # of no file
    ((pointer, sentence),) = schema_errors(kind, {"field": value})
    assert pointer == "/field"
    if rule != {"type": "string"}:  # of that a document can say more: write it in quotes
        assert sentence.startswith(begun)
    with pytest.raises(Refusal) as refused:
        Checked(schema).check({"field": value})
    assert refused.value.reason == f"KCHAPI0008E: {begun}."


def test_what_is_beyond_words_is_left_to_who_asks() -> None:
    assert reason("`field`", "pattern", "^a$") == ""
