"""A spec of any kind, as plain data.

What goes over every kind alike takes this: binds, differences, templates, digests, the writer of documents. Whatever
knows its kind takes that one's types, which `docs/generate.py` makes of its declared fields (`specs/<kind>/spec.py`):
`KIND.declared(spec)` and `KIND.lowered(spec)` are the ways from here to there.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

Spec = Mapping[str, Any]
NewSpec = dict[str, Any]  # one that is being put together
