"""/assets/{file}: the scripts and styles of the pages."""

from __future__ import annotations

from api.assets.built import built_file
from api.http.cacheable import cacheable
from api.http.endpoint import ANYBODY, OURS, Answer, Call, Resource, get
from api.http.refusal import not_found
from api.http.response_headers import FOREVER
from api.http.schema import text


class Asset(Resource):
    """One file."""

    address = "/assets/{file}"
    tag = "Pages"
    since = OURS

    @get(
        "A script or a style of the pages; its name changes with its content.",
        text(), content_type="text/javascript", also=("text/css",), statuses=(404,), role=ANYBODY,
    )  # fmt: skip
    def read(self, call: Call, file: str) -> Answer:
        """A file of this package; browsers ask once."""
        found = built_file(file)
        if found is None:
            raise not_found("", f"The file {file}")
        return cacheable(call, found.content, found.content_type, caching=FOREVER)
