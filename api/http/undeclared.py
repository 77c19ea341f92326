"""What can be documented of a falcon resource that declares nothing but its role: its methods, and their docstrings."""

from __future__ import annotations

import inspect
from collections.abc import Iterator
from typing import Final

from api.http.endpoint import ANYTHING, Endpoint
from reconciler.identity.role import Role

_METHODS: Final = ("GET", "POST", "PUT", "DELETE", "PATCH")


def undeclared_endpoints(resource: type) -> Iterator[Endpoint]:
    """One for each `on_get`, `on_post`, ... of a class; nothing is known of what they take and answer."""
    for method in _METHODS:
        responder = getattr(resource, f"on_{method.lower()}", None)
        if callable(responder):
            told = inspect.getdoc(responder) or inspect.getdoc(resource) or "Nothing is told of it."
            first, _, rest = told.partition("\n\n")
            yield Endpoint(
                method, " ".join(first.split()), ANYTHING, getattr(resource, "role", Role.ADMIN), raw=True,
                content_type="*/*", description=rest.strip(),
            )  # fmt: skip
