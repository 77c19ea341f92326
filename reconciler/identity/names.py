"""What somebody may be called here: the one rule, wherever the name comes from, so that commits, events and logs say it
as it is, and nobody passes for another by what can't be seen.

A name stands alone on one line, is the only one of all that look like it, and comes out of a commit's author as it went
in: git takes some signs away from its ends.
"""

from __future__ import annotations

import re
import unicodedata
from typing import Final

from reconciler.errors import Forbidden
from specs.name import INVISIBLE

LONGEST: Final = 128  # characters
TOKEN: Final = "token "  # noqa: S105  # what a token's name begins with in commits and logs
_RESERVED: Final = (TOKEN, "uid ")  # the latter for users of the kernel's that have no name
_UNSEEN: Final = re.compile(f"[{INVISIBLE}]")
_TAKEN_BY_GIT: Final = " .,:;\"\\'"  # from both ends
_NO_CHARACTERS: Final = frozenset({"Cc", "Cf", "Cn", "Co", "Cs", "Zl", "Zp"})


class OddNameError(Forbidden):
    """Somebody has proven who they are, and can't be called that here."""


def name_problem(name: str) -> str:
    """One sentence on why nobody can be called that; empty for a good name. The name isn't in it."""
    if not name:
        return "A user name can't be empty."
    if len(name) > LONGEST:
        return f"A user name has at most {LONGEST} characters."
    if _UNSEEN.search(name) or any(unicodedata.category(each) in _NO_CHARACTERS for each in name):
        return "A user name can't have characters that aren't seen, or that are seen as nothing of their own."
    if not unicodedata.is_normalized("NFC", name):
        return "A user name is written in Unicode's composed form (NFC), or it has a twin."
    if unicodedata.category(name[0]).startswith("M"):
        return "A user name can't begin with an accent that belongs to the sign before."
    if "<" in name or ">" in name:
        return "A user name can't have < or >, which stand around a commit's address."
    if name.strip(_TAKEN_BY_GIT) != name:
        return f"A user name can't begin or end with a blank or one of {_TAKEN_BY_GIT.strip()}"
    if looks(name).startswith(_RESERVED):
        return f"A user name can't begin with {' or '.join(repr(each) for each in _RESERVED)}: those are this server's."
    return ""


def check_name(name: str) -> str:
    """The name. Raises OddNameError."""
    if problem := name_problem(name):
        raise OddNameError(f"The account's name can't be used here. {problem}")
    return name


def looks(name: str) -> str:
    """What names have in common that people take for the same: their letters, small or not, wide or not."""
    return unicodedata.normalize("NFKC", unicodedata.normalize("NFKC", name).casefold())
