"""What a commit says: in whose name, and its message. Whatever is given, nothing in it can pass for something else."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from specs.name import INVISIBLE

_LONGEST: Final = 200  # characters of a name or of a trailer's value
# Whatever could end a line of a commit's header, start another field, or turn the text around in a terminal.
_UNPRINTABLE: Final = re.compile(rf"[{INVISIBLE}\ud800-\udfff]+")
_LONGEST_ADDRESS: Final = 2000  # a name's, each character encoded
_CRUD: Final = " .,:;<>\"\\'"  # git takes these away from both ends of a name
_TRAILER: Final = re.compile(r"[A-Za-z][A-Za-z0-9-]{0,63}")


@dataclass(frozen=True, slots=True)
class Author:
    """Who asked for a change. Whatever is given, what is kept is safe in a commit's header."""

    name: str
    email: str

    def __post_init__(self) -> None:
        # Something stands where something was: what differs in nothing else may not become the same.
        name = _clean(_UNPRINTABLE.sub("?", re.sub("[<>]", "", self.name))).strip(_CRUD)
        email = re.sub(r"[<>\s]", "", _clean(self.email, longest=_LONGEST_ADDRESS)).strip(_CRUD)
        object.__setattr__(self, "name", name or "unknown")
        object.__setattr__(self, "email", email or "unknown@localhost")


def commit_message(message: str, trailers: Mapping[str, str]) -> str:
    """The whole message. Nothing that is given can pass for a trailer: they stand alone in the last paragraph, and a
    message of several paragraphs has one at least.

    Raises ValueError for a trailer's name that isn't one.
    """
    lines = [_clean(line, longest=1000) for line in message.splitlines()]
    text = "\n".join(lines).strip() or "Change documents"
    subject, _, rest = text.partition("\n")
    body = f"\n\n{rest.strip()}" if rest.strip() else ""
    found = []
    for name, value in trailers.items():
        if not _TRAILER.fullmatch(name):
            raise ValueError(f"{name!r} isn't the name of a trailer")
        if cleaned := _clean(value):
            found.append(f"{name}: {cleaned}\n")
    if body and not found:
        found = ["Onggi-Source: onggi\n"]
    return f"{subject[:_LONGEST]}{body}\n" + ("\n" + "".join(found) if found else "")


def _clean(text: str, *, longest: int = _LONGEST) -> str:
    return _UNPRINTABLE.sub(" ", text).strip()[:longest].strip()
