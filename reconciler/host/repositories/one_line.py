"""APT's one-line format (`.list`): `deb [options] URI suite component…`, a commented line being a disabled entry.

A line is changed in place, word by word: its options, its blanks and its comment stay as they are.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

from reconciler.errors import Refused

# `[…]` and `"…"` hold blanks together, as in `cdrom:[Debian 12]/`.
_WORD = r'(?:\[[^\]\n]*\]|"[^"\n]*"|[^\s\[\]"#])+'
_ENTRY = re.compile(
    rf"(?P<before>[#\s]*)(?P<type>deb|deb-src)[ \t]+(?P<options>\[[^\]\n]*\][ \t]+)?(?P<uri>{_WORD})"
    rf"[ \t]+(?P<dist>{_WORD})(?P<comps>(?:[ \t]+{_WORD})*)[ \t\r]*(?P<comment>#.*)?"
)
_ADDRESS = re.compile(r"[A-Za-z][A-Za-z0-9+.-]*:")


class OneLineFile:
    """The text of one `.list` file. `text()` is byte for byte what was read until an entry is changed."""

    def __init__(self, text: str) -> None:
        self.lines: list[str | None] = list(text.split("\n"))
        self.entries = [entry for place in range(len(self.lines)) if (entry := _entry(self.lines, place)) is not None]

    def text(self) -> str:
        """The whole file."""
        return "\n".join(line for line in self.lines if line is not None)


class OneLineEntry:
    """One entry, in use or commented out."""

    repo_id = None  # there is no place for one

    def __init__(self, lines: list[str | None], place: int, match: re.Match[str]) -> None:
        self._lines = lines
        self._place = place
        self._match = match

    @property
    def binary(self) -> bool:
        """True for packages that can be installed, False for sources."""
        return self._match["type"] == "deb"

    @property
    def uris(self) -> tuple[str, ...]:
        """Its address."""
        return (self._match["uri"],)

    @property
    def suites(self) -> tuple[str, ...]:
        """Its suite, or a path that ends with a slash."""
        return (self._match["dist"],)

    @property
    def comps(self) -> tuple[str, ...]:
        """Its components, none beside a path."""
        return tuple(self._match["comps"].split())

    @property
    def enabled(self) -> bool:
        """False when it is commented out."""
        return "#" not in self._match["before"]

    def enable(self, enabled: bool) -> None:
        """Take the comment signs away, or put one there."""
        line = self._match.string
        if not enabled:
            self._put(f"# {line}")
            return
        while line.lstrip().startswith("#"):
            line = re.sub(r"^\s*#+ ?", "", line)
        self._put(line)

    def change(self, uri: str | None, suite: str | None, comps: Sequence[str] | None) -> None:
        """Put other words in place of those that are given."""
        match, line = self._match, self._match.string
        for group, value in (
            ("comps", None if comps is None else "".join(f" {each}" for each in comps)),
            ("dist", suite),
            ("uri", uri),
        ):  # from the end, so that what comes before stays where it is
            if value is not None:
                line = line[: match.start(group)] + value + line[match.end(group) :]
        self._put(line)

    def call(self, _repo_id: str) -> None:
        """Raises Refused: its id is made up."""
        raise Refused(
            "The repository stands in one line, which has no place for an id; write it into a .sources file for that.",
            reason="BadRepositoryId",
        )

    def remove(self) -> None:
        """Take the line out of the file."""
        self._lines[self._place] = None

    def _put(self, line: str) -> None:
        match = _ENTRY.fullmatch(line)
        if match is None:  # pragma: no cover - what is put in was checked
            raise ValueError(line)
        self._lines[self._place] = line
        self._match = match


def _entry(lines: list[str | None], place: int) -> OneLineEntry | None:
    match = _ENTRY.fullmatch(lines[place] or "")
    if match is None or not _ADDRESS.match(match["uri"]):
        return None
    if not match["comps"] and not match["dist"].endswith("/"):
        return None  # prose, or a line that APT refuses as well
    return OneLineEntry(lines, place, match)
