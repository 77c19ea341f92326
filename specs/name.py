"""What a name may look like: the one rule that keeps names safe in XML, paths, URLs and a terminal, and apart from
each other for whoever reads them. Two names that look the same are a trap: nobody sees which of them is meant.

The schemas hold the same rule as a pattern, so that editors see it; this module has the sentence that says what to do.
"""

from __future__ import annotations

import re
import unicodedata
from typing import Final

MAX_CHARACTERS: Final = 128
MAX_BYTES: Final = 200  # leaves room in a file name of 255 for what onggi adds: `<vm>-<disk>.qcow2`

# Unicode's control and format characters, and whatever it calls ignorable: fillers, tags, what turns the text around.
UNSEEN: Final = (
    r"\u0000-\u001f\u007f-\u009f\u00ad\u034f\u061c\u115f\u1160\u17b4\u17b5\u180b-\u180f\u200b\u200e\u200f\u2028-\u202e"
    r"\u2060-\u206f\u2800\u3164\ufeff\uffa0\ufff0-\ufffb"
    "\U0001bca0-\U0001bca3\U0001d173-\U0001d17a\U000e0000-\U000e0fff"
)
# What joins characters or chooses how one looks, which emoji need; and blanks that look like the ordinary one.
_JOINERS: Final = r"\u200c\u200d\ufe00-\ufe0f"
_ODD_BLANKS: Final = r"\u00a0\u1680\u2000-\u200a\u202f\u205f\u3000"
# What stands for something else, or for nothing that all agree on: the private characters, those in place of an object
# or of what couldn't be read, and those that are none. Each is drawn as a box, or as nothing.
_STAND_INS: Final = r"\ue000-\uf8ff\ufffc-\uffff" "\U000f0000-\U0010ffff"
INVISIBLE: Final = UNSEEN + _JOINERS + _ODD_BLANKS + _STAND_INS

# Path separators, quotes, XML's own characters, and what can't be seen.
_FORBIDDEN: Final = r"/\\\"'<>&" + INVISIBLE
_NAME: Final = rf"[^{_FORBIDDEN}\s.\-](?:[^{_FORBIDDEN}]{{0,126}}[^{_FORBIDDEN}\s])?"

NAME_PATTERN: Final = f"^{_NAME}$"
VOLUME_PATTERN: Final = f"^{_NAME}(?:/{_NAME})?$"  # `volume`, or `pool/volume`
TITLE_PATTERN: Final = f"^[^{UNSEEN}]*$"  # one line for people

# No list of these is short, and each version of Unicode has fewer: no pattern has them.
_NO_CHARACTERS: Final = frozenset({"Cn", "Cs"})
_WHOLE = re.compile(_NAME)
_UNSAFE = re.compile(f"[{_FORBIDDEN}]")


def name_problem(name: str) -> str:
    """One sentence on why `name` can't be a name and what to do, fit for a log; empty for a good one."""
    if not name:
        return "A name can't be empty; write one."
    if len(name) > MAX_CHARACTERS or len(name.encode("utf-8", "surrogatepass")) > MAX_BYTES:
        return f"A name has at most {MAX_CHARACTERS} characters and {MAX_BYTES} bytes; choose a shorter one."
    if not unicodedata.is_normalized("NFC", name):
        return (
            f"A name is written in Unicode's composed form (NFC), or it has a twin; write {composed(name)!r} instead."
        )
    if _WHOLE.fullmatch(name):
        unknown = next((each for each in name if unicodedata.category(each) in _NO_CHARACTERS), "")
        return f"A name can't have {_called(unknown)}; choose one without it." if unknown else ""
    if (unsafe := _UNSAFE.search(name)) is not None:
        return f"A name can't have {_called(unsafe[0])}; choose one without it."
    if name[0] in ".-":
        return f"A name can't begin with `{name[0]}`; choose one that begins with a letter or digit."
    return "A name can't begin or end with a blank; remove it."


def composed(name: str) -> str:
    """The name with each letter and its accents as one character, as keyboards write them."""
    return unicodedata.normalize("NFC", name)


def _called(character: str) -> str:
    if character in "/\\\"'<>&":
        return f"the character {character}"
    if unicodedata.category(character) == "Zs":
        return f"the blank U+{ord(character):04X}, which isn't the ordinary one"
    if unicodedata.category(character) in ("Co", "Cn", "Cs", "So"):
        return f"U+{ord(character):04X}, which is shown in another way everywhere"
    return {"\n": "a line break", "\0": "a NUL character", "\t": "a tab"}.get(
        character, f"the invisible character U+{ord(character):04X}"
    )
