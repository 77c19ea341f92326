"""Pictures of screens: whatever a hypervisor gives becomes a PNG, whole or as a thumbnail. Bytes in, bytes out.

What a guest shows is hostile: only the two formats that hypervisors use are read, and no more than a screen's worth.
"""

from __future__ import annotations

import io
from typing import TYPE_CHECKING

from reconciler.errors import Terminal

if TYPE_CHECKING:
    from PIL.Image import Image

MOST_BYTES = 128 * 1024 * 1024  # as a hypervisor sends it: 8K with three bytes for each dot has 100 MB
THUMBNAIL = (256, 256)
_BLACK = (640, 480)
_MOST_DOTS = 64 * 1024 * 1024
_FORMATS = ("PNG", "PPM")


def png(picture: bytes) -> bytes:
    """The picture as a PNG; a PNG is given back as it is once its header is in order. Raises Terminal."""
    opened = _opened(picture)
    return picture if opened.format == "PNG" else _written(opened)


def thumbnail(picture: bytes) -> bytes:
    """A PNG that isn't larger than 256 × 256, in the same proportions. Raises Terminal."""
    small = _opened(picture).convert("RGB")
    small.thumbnail(THUMBNAIL)
    return _written(small)


def black(size: tuple[int, int] = _BLACK) -> bytes:
    """The screen of a machine that has none."""
    from PIL import Image  # NOTE: here and below: not loaded by who looks at no picture

    return _written(Image.new("RGB", size))


def _opened(picture: bytes) -> Image:
    from PIL import Image

    try:
        opened = Image.open(io.BytesIO(picture), formats=_FORMATS)
        if opened.width * opened.height > _MOST_DOTS:
            raise Terminal(f"The screen has {opened.width} × {opened.height} dots; that is no screen.")
        opened.load()
    except (OSError, ValueError, SyntaxError, Image.DecompressionBombError):
        raise Terminal("The picture of the screen can't be read; try again.") from None
    return opened


def _written(image: Image) -> bytes:
    written = io.BytesIO()
    image.save(written, "PNG")
    return written.getvalue()
