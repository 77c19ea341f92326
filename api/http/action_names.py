"""`actions`: every representation of a resource names what may be POSTed to its address, one rule for all of them.

A resource is known by the title of what reading it gives. Whoever gives the same, be it a list of them, the answer to a
change or to an action, names the actions too. What only we have has no actions, and says nothing of them.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any, Final

from api.http.endpoint import OURS, Resource, endpoints
from api.http.schema import Schema, arr, text

ACTIONS: Final = "actions"
_ABOUT: Final = "What can be done with it: a POST to its address with `/` and one of these behind it."


class ActionNames:
    """The names of the actions of each kind of resource."""

    def __init__(self, classes: Iterable[type[Resource]] = ()) -> None:
        self._names: dict[str, list[str]] = {}
        for each in classes:
            declared = endpoints(each).values()
            for endpoint in declared:
                reads = endpoint.method == "GET" and not (endpoint.name or endpoint.raw)
                if each.since != OURS and reads and (title := _title(endpoint.returns)):
                    found = self._names.get(title, [])
                    self._names[title] = sorted({*found, *(other.name for other in declared if other.name)})

    def schema(self, schema: Schema) -> Schema:
        """A resource's schema with the property; any other as it is."""
        names = self._names.get(_title(schema))
        if names is None or ACTIONS in schema["properties"]:
            return schema
        told = arr(text(enum=names) if names else text(), description=_ABOUT)
        return {
            **schema,
            "properties": {**schema["properties"], ACTIONS: told},
            "required": [*schema.get("required", ()), ACTIONS],
        }

    def value(self, schema: Schema | None, value: Any) -> Any:
        """What was answered by a schema, with the actions of the resources in it. What was given stays as it is."""
        if schema is None or not value:
            return value
        if isinstance(value, list):
            names = self._of(schema.get("items", {}))
            return value if names is None else [{**each, ACTIONS: names} for each in value]
        names = self._of(schema)
        return value if names is None or not isinstance(value, Mapping) else {**value, ACTIONS: names}

    def _of(self, schema: Schema) -> list[str] | None:
        """Of the resource that a schema is about, be it only one of what may come."""
        shapes = (schema, *schema.get("anyOf", ()))
        return next((self._names[title] for each in shapes if (title := _title(each)) in self._names), None)


def _title(schema: Schema | None) -> str:
    """Of an object's schema that has one."""
    return str(schema.get("title", "")) if schema is not None and schema.get("type") == "object" else ""
