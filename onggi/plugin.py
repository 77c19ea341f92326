"""What plugins may import: these names stay, and mean what they do, for as long as documents say `onggi/v1`.

Where they really live isn't promised. What a plugin is, and what each name is good for, is in `docs/plugins.md`.
"""

from collections.abc import Mapping
from typing import Any

from api.http.endpoint import ANYBODY, Answer, Call, Resource, action, delete, get, post, put
from api.http.refusal import Refusal
from api.http.schema import arr, boolean, integer, number, obj, or_null, text
from reconciler.identity.role import Role
from specs.reference import VIRTUAL_MACHINE, Ref
from specs.registry import Kind

__all__ = [
    "ANYBODY",
    "Answer",
    "Call",
    "Kind",
    "Ref",
    "Refusal",
    "Resource",
    "Role",
    "action",
    "arr",
    "boolean",
    "delete",
    "documents",
    "get",
    "integer",
    "number",
    "obj",
    "or_null",
    "post",
    "put",
    "sees_machine",
    "text",
]


def documents(resource: Resource, kind: str) -> dict[str, Mapping[str, Any]]:
    """The spec of each document of a kind in force, by name. Until the first pass is through the answer is 503."""
    declared = resource.serving.world.desired.resources
    return {ref.name: each.spec for ref, each in declared.items() if ref.kind == kind}


def sees_machine(resource: Resource, call: Call, name: str) -> bool:
    """Whether whoever asks may know of a machine. For users the answer is 503 until the first pass is through."""
    return resource.serving.sight(call.client).sees(Ref(VIRTUAL_MACHINE, name))
