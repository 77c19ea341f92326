"""Plain data, by what it is: what its users don't know the fields of, or nobody has declared.

A spec of a known kind has a type of its own (`specs/<kind>/spec.py`, made of the declared fields), and the ways there
are `KIND.declared(spec)` and `KIND.lowered(spec)`. A `New…` is one that is being put together.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

# A spec of any kind: for what goes over all of them alike (binds, differences, templates, digests, the writer).
Spec = Mapping[str, Any]
NewSpec = dict[str, Any]

# A whole document: apiVersion, kind, metadata and a spec, as a client or a file says it. Only validation knows whether.
DocumentData = Mapping[str, Any]
NewDocument = dict[str, Any]

# JSON of a shape that is told to others, or that others tell: of no more than texts, numbers, lists and the like.
Json = Mapping[str, Any]
NewJson = dict[str, Any]
