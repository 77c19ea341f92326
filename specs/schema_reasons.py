"""Why a value doesn't fit its JSON Schema, in words: the same of a document and of a request's body.

Who asks ends the sentence: with a remedy that fits a file, or with a full stop. No word of it repeats the value, which
may be a secret.
"""

from __future__ import annotations

from typing import Any, Final

_TYPES: Final = {
    "string": "text",
    "integer": "a whole number",
    "number": "a number",
    "boolean": "true or false",
    "array": "a list",
    "object": "an object",
    "null": "null",
}


def reason(where: str, keyword: str, limit: Any, *, an_object: str = _TYPES["object"]) -> str:
    """How a sentence begins that says what `where` has to be; empty when `keyword` tells a person nothing."""
    match keyword:
        case "type":
            names = [limit] if isinstance(limit, str) else limit
            words = (an_object if name == "object" else _TYPES.get(name, name) for name in names)
            return f"{where} has to be {' or '.join(words)}"
        case "enum":
            return f"{where} has to be one of {', '.join(map(str, limit))}"
        case "const":
            return f"{where} has to be `{limit}`"
        case "minimum" | "exclusiveMinimum":
            return f"{where} has to be {'more than' if keyword == 'exclusiveMinimum' else 'at least'} {limit}"
        case "maximum":
            return f"{where} has to be at most {limit}"
        case "minLength" | "minItems":
            return f"{where} can't be empty"
        case "maxLength" | "maxItems":
            return f"{where} has at most {limit} {'characters' if keyword == 'maxLength' else 'items'}"
        case "uniqueItems":
            return f"{where} lists something twice"
    return ""
