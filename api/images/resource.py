"""/images/{file}: the pictures to which the `icon` of a machine or a template leads."""

from __future__ import annotations

from typing import Final

from api.http.cacheable import cacheable
from api.http.endpoint import Answer, Call, Resource, get
from api.http.refusal import not_found
from api.http.schema import text
from api.images.drawn import find
from reconciler.identity.role import Role

# What a picture may do where somebody opens it by itself: nothing but show.
_HEADERS: Final = {"Content-Security-Policy": "default-src 'none'; sandbox"}


class Icon(Resource):
    """One picture."""

    address = "/images/{file}"
    tag = "Service"

    @get(
        "A picture for a machine or a template: icon-debian.svg, icon-vm.svg, ... An SVG by the name of a .png, too.",
        text(), content_type="image/svg+xml", role=Role.USER,
        theirs="They are the same for everybody.",
    )  # fmt: skip
    def read(self, call: Call, file: str) -> Answer:
        """A file of this package."""
        content = find(file)
        if content is None:
            raise not_found("", f"The picture {file}")
        return cacheable(call, content, "image/svg+xml", _HEADERS, caching="max-age=86400")
