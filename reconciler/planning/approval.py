"""What a person has to say yes to before it is done, and the name that the yes goes by.

A digest names one set of consequences: the revision that asks for them and the objects as they are now. When either
moves, the digest is another one and an earlier yes says nothing any more.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable

from reconciler.observed.snapshot import Observed

NEEDS_APPROVAL = "NeedsApproval"


def approval_digest(subject: str, revision: str, objects: Iterable[Observed]) -> str:
    """The digest of `subject` (a word such as `delete`), asked for by a revision, with what it would befall."""
    about = sorted(
        (str(each.ref), each.uid, hashlib.sha256(each.xml.encode()).hexdigest(), each.active) for each in objects
    )
    text = json.dumps([subject, revision, about])
    return f"sha256:{hashlib.sha256(text.encode()).hexdigest()[:32]}"
