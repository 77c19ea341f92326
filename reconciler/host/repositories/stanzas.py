"""APT's deb822 format (`.sources`): stanzas of fields, edited through python-debian so that everything else survives.

NOTE: its round-trip part lives in a module with a leading underscore; Debian's own tools use it under that name, and
nothing else of it keeps comments.
"""

from __future__ import annotations

from collections.abc import Sequence

from debian._deb822_repro import parse_deb822_file
from debian._deb822_repro.parsing import Deb822FileElement, Deb822ParagraphElement

from reconciler.errors import Terminal

ID_FIELD = "X-Repository-Id"  # APT leaves fields that it doesn't know alone
_NO = ("no", "false", "without", "off", "disable", "0")


class StanzaFile:
    """The text of one `.sources` file. Raises Terminal when it isn't deb822."""

    def __init__(self, text: str) -> None:
        self._whole_lines = text.endswith("\n") or not text
        lines = (text if self._whole_lines else f"{text}\n").split("\n")
        try:
            self._file = parse_deb822_file([f"{line}\n" for line in lines[:-1]])
            self.entries = [StanzaEntry(self._file, paragraph) for paragraph in self._file]
        except ValueError as error:
            raise Terminal(f"It isn't in APT's deb822 format ({error}); correct it.") from None

    def text(self) -> str:
        """The whole file."""
        text = self._file.dump()
        return text if self._whole_lines else text.removesuffix("\n")


class StanzaEntry:
    """One stanza. It may name several addresses and suites, which are enabled and changed together."""

    def __init__(self, file: Deb822FileElement, paragraph: Deb822ParagraphElement) -> None:
        self._file = file
        self._paragraph = paragraph

    @property
    def repo_id(self) -> str | None:
        """The id that is written in it."""
        return " ".join(self._words(ID_FIELD)) or None

    @property
    def binary(self) -> bool:
        """True for packages that can be installed, False for sources alone."""
        return "deb" in self._words("Types") and bool(self.uris and self.suites)

    @property
    def uris(self) -> tuple[str, ...]:
        """Its addresses, at least one."""
        return self._words("URIs")

    @property
    def suites(self) -> tuple[str, ...]:
        """Its suites, or paths that end with a slash."""
        return self._words("Suites")

    @property
    def comps(self) -> tuple[str, ...]:
        """Its components, none beside a path."""
        return self._words("Components")

    @property
    def enabled(self) -> bool:
        """False when it says so."""
        return " ".join(self._words("Enabled")).lower() not in _NO

    def enable(self, enabled: bool) -> None:
        """Say whether it is used, all of it."""
        self._paragraph["Enabled"] = "yes" if enabled else "no"

    def change(self, uri: str | None, suite: str | None, comps: Sequence[str] | None) -> None:
        """Put other values in the fields that are given."""
        for name, value in (("URIs", uri), ("Suites", suite)):
            if value is not None:
                self._paragraph[name] = value
        if comps:
            self._paragraph["Components"] = " ".join(comps)
        elif comps is not None and "Components" in self._paragraph:
            del self._paragraph["Components"]

    def call(self, repo_id: str) -> None:
        """Write another id in it."""
        self._paragraph[ID_FIELD] = repo_id

    def remove(self) -> None:
        """Take the stanza out of the file."""
        self._file.remove(self._paragraph)

    def _words(self, name: str) -> tuple[str, ...]:
        value = str(self._paragraph.get(name, ""))
        return tuple(word for line in value.split("\n") if not line.startswith("#") for word in line.split())
