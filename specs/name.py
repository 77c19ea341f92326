"""What a name may look like: the one rule that keeps names safe in XML, paths, URLs and a terminal.

The schemas hold the same rule as a pattern, so that editors see it; this module has the sentence that says what to do.
"""

from __future__ import annotations

import re
from typing import Final

MAX_CHARACTERS: Final = 128
MAX_BYTES: Final = 200  # leaves room in a file name of 255 for what onggi adds: `<vm>-<disk>.qcow2`

# Path separators, quotes, XML's own characters, control characters, and what can't be seen or turns the text around.
_FORBIDDEN: Final = r"/\\\"'<>&\u0000-\u001f\u007f-\u009f\u200b-\u200f\u2028-\u202e\u2060-\u206f\ufeff"
_NAME: Final = rf"[^{_FORBIDDEN}\s.\-](?:[^{_FORBIDDEN}]{{0,126}}[^{_FORBIDDEN}\s])?"

NAME_PATTERN: Final = f"^{_NAME}$"
VOLUME_PATTERN: Final = f"^{_NAME}(?:/{_NAME})?$"  # `volume`, or `pool/volume`

_WHOLE = re.compile(_NAME)
_UNSAFE = re.compile(f"[{_FORBIDDEN}]")


def name_problem(name: str) -> str:
    """One sentence on why `name` can't be a name and what to do, fit for a log; empty for a good one."""
    if not name:
        return "A name can't be empty; write one."
    if len(name) > MAX_CHARACTERS or len(name.encode("utf-8", "surrogatepass")) > MAX_BYTES:
        return f"A name has at most {MAX_CHARACTERS} characters and {MAX_BYTES} bytes; choose a shorter one."
    if _WHOLE.fullmatch(name):
        return ""
    if (unsafe := _UNSAFE.search(name)) is not None:
        return f"A name can't have {_called(unsafe[0])}; choose one without it."
    if name[0] in ".-":
        return f"A name can't begin with `{name[0]}`; choose one that begins with a letter or digit."
    return "A name can't begin or end with a blank; remove it."


def _called(character: str) -> str:
    if character in "/\\\"'<>&":
        return f"the character {character}"
    return {"\n": "a line break", "\0": "a NUL character", "\t": "a tab"}.get(
        character, f"the invisible character U+{ord(character):04X}"
    )
