"""The shell of a page: all that is HTML. What is on the page is drawn by its script, which asks the API like everybody.

It is the same for whoever asks, and for every object, so it tells nobody anything. Nothing but files of this server may
be loaded, no script or style stands in the text, and no frame may have it.
"""

from __future__ import annotations

from html import escape
from typing import Final

from api.assets.built import HOW_TO_BUILD, entry
from api.http.endpoint import Answer

# Pictures as data: what a guest draws, and its mouse's pointer, are made by the script. The digest is that of a style
# element without a word in it, which xterm.js begins with.
_POLICY: Final = (
    "default-src 'none'; script-src 'self'; img-src 'self' data:; connect-src 'self'; "
    "style-src 'self' 'sha256-47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU='; "
    "base-uri 'none'; form-action 'none'; frame-ancestors 'none'; "
    "require-trusted-types-for 'script'; trusted-types 'none'"
)
_HTML: Final = "text/html; charset=utf-8"
_HEAD: Final = (
    "<!doctype html><html lang='en'><head><meta charset='utf-8'>"
    "<meta name='viewport' content='width=device-width, initial-scale=1'><title>onggi</title>"
)


def shell(view: str) -> Answer:
    """The page; where nothing is built a sentence that says how to."""
    files = entry(view)
    if files is None:
        told = f"{_HEAD}</head><body><main><p>{escape(HOW_TO_BUILD)}</p></main></body></html>\n"
        return Answer(content=told.encode(), content_type=_HTML, status=503)
    page = (
        f"{_HEAD}<link rel='icon' href='data:,'><link rel='stylesheet' href='/assets/{files.style}'>"
        f"<script type='module' src='/assets/{files.script}'></script></head>"
        "<body><noscript>This page is drawn by its script, which the browser doesn't run.</noscript></body></html>\n"
    )
    return Answer(content=page.encode(), content_type=_HTML, headers={"Content-Security-Policy": _POLICY})
