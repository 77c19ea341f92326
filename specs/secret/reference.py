"""How pools and volumes refer to a secret of libvirt's: by what it is for, which is a Secret's name, or by its UUID."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from specs.declared import Declared, mapping, text
from specs.name import name_problem
from specs.notations import UUID
from specs.reference import SECRET, Ref


def secret_reference(about: str, **more: Any) -> Declared:
    """A reference; `more` are its effect and place."""
    return mapping(
        about,
        {
            "usage": text(
                "What it is for: the name of its Secret document, or that one's `usage.id`.",
                r"^[^\x00-\x1f]{1,255}$",
                error="It is one line of at most 255 characters; correct it.",
            ),
            "uuid": UUID.but("Its UUID."),
        },
        one=True,
        error="A secret is named by exactly one of `usage` and `uuid`; remove the other one.",
        **more,
    )


def needed_secret(reference: Mapping[str, Any] | None) -> Iterator[Ref]:
    """The Secret that a reference means, where it can have a document of that name."""
    usage = (reference or {}).get("usage", "")
    if usage and not name_problem(usage):
        yield Ref(SECRET, usage)


def secrets_in(spec: Any) -> Iterator[Mapping[str, Any]]:
    """All references in some part of a spec, however deep in it."""
    for each in spec.values() if isinstance(spec, Mapping) else spec:
        if isinstance(each, Mapping | list | tuple):
            yield from secrets_in(each)
    secret = spec.get("secret") if isinstance(spec, Mapping) else None
    if isinstance(secret, Mapping):
        yield secret
