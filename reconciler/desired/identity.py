"""Who a document is across renames, clones and rewritten histories: the UUID of its object.

Derived from what is written down, never from a clock or a random number, so that every reading agrees.
"""

from __future__ import annotations

import uuid
from typing import Final

from specs.reference import Ref

_NAMESPACE: Final = uuid.UUID("8f3b6c1e-5a0d-5b7e-9f64-2d1c7a90e4b3")  # fixed for good: another one renames everything


def object_uid(repository_id: str, ref: Ref, declared_uid: str) -> str:
    """An object's UUID: `metadata.uid` when there is one, else derived from the repository, the kind and the name."""
    if declared_uid:
        return declared_uid.lower()
    return str(uuid.uuid5(_NAMESPACE, f"{repository_id}\n{ref.kind}\n{ref.name}"))
