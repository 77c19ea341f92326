"""Answers with what stays the same while this process runs: who has it already is told so."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping

from api.http.endpoint import Answer, Call


def cacheable(
    call: Call,
    content: bytes,
    content_type: str,
    headers: Mapping[str, str] | None = None,
    *,
    caching: str = "no-cache",
) -> Answer:
    """The bytes, or 304. `caching` says for how long clients needn't ask; as it is they ask each time."""
    tag = f'"{hashlib.blake2b(content, digest_size=10).hexdigest()}"'
    told = {"ETag": tag, "Cache-Control": caching, **(headers or {})}
    if tag in (call.request.get_header("If-None-Match") or ""):
        return Answer(content=b"", content_type=content_type, status=304, headers=told)
    return Answer(content=content, content_type=content_type, headers=told)
