"""DNF's `.repo` format: INI sections, edited line by line so that comments, order and unknown keys survive.

Own code, because configparser forgets comments, and the libraries that keep them refuse a whole file for a key or a
section that is there twice, or for a line that is neither.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping

_HEADER = re.compile(r"\[(?P<name>[^\]]*)\]\s*")
_PAIR = re.compile(r"(?P<key>[^\s=#;\[][^=]*?)(?P<sign>[ \t]*=[ \t]*)(?P<value>.*?)(?P<end>\s*)")


class Section:
    """One section: where it begins, and where each of its keys stands. Of a key given twice the last counts."""

    def __init__(self, name: str, start: int) -> None:
        self.name = name
        self.start = start
        self.last = start  # the last line that belongs to it for sure; comments after it may be the next one's
        self.keys: dict[str, tuple[int, int]] = {}  # first line, and the line after its last


class RepoFile:
    """The text of one file. `text()` is what was read until something is changed."""

    def __init__(self, text: str) -> None:
        self._lines = text.split("\n")
        self._scan()

    def text(self) -> str:
        """The whole file."""
        return "\n".join(self._lines)

    @property
    def names(self) -> tuple[str, ...]:
        """The sections' names, each once, in order."""
        return tuple(dict.fromkeys(section.name for section in self._sections))

    def get(self, name: str, key: str) -> str | None:
        """A value, of several lines when it has continuations; None when there is none."""
        section = self._section(name)
        if section is None or key not in section.keys:
            return None
        first, after = section.keys[key]
        pair = _PAIR.fullmatch(self._lines[first])
        rest = [line.strip() for line in self._lines[first + 1 : after] if not _foreign(line)]
        return "\n".join(filter(None, [pair["value"].strip() if pair else "", *rest]))

    def put(self, name: str, key: str, value: str) -> None:
        """Set a value of one line, in its place or after the section's last one."""
        section = self._section(name)
        if section is None:
            raise KeyError(name)
        if key in section.keys:
            first, after = section.keys[key]
            pair = _PAIR.fullmatch(self._lines[first])
            if pair is not None:
                line = f"{pair['key']}{pair['sign']}{value}{_carriage(self._lines[first])}"
                self._lines[first:after] = [line, *filter(_foreign, self._lines[first:after])]
        else:
            self._lines.insert(section.last + 1, f"{key}={value}{_carriage(self._lines[section.start])}")
            if section.last + 2 == len(self._lines):
                self._lines.append("")  # the section's line was the last, without an end
        self._scan()

    def drop(self, name: str, key: str) -> None:
        """Remove a key, if it is there."""
        section = self._section(name)
        if section is not None and key in section.keys:
            first, after = section.keys[key]
            self._lines[first:after] = filter(_foreign, self._lines[first:after])
            self._scan()

    def append(self, name: str, pairs: Mapping[str, str]) -> None:
        """Add a section at the end."""
        text = self.text()
        gap = "" if not text else "\n" if text.endswith("\n") else "\n\n"
        body = "".join(f"{key}={value}\n" for key, value in pairs.items())
        self._lines = f"{text}{gap}[{name}]\n{body}".split("\n")
        self._scan()

    def rename(self, name: str, new: str) -> None:
        """Give every section of that name another one."""
        while (section := self._section(name)) is not None:
            header = self._lines[section.start]
            self._lines[section.start] = f"[{new}]{header.partition(']')[2]}"
            self._scan()

    def remove(self, name: str) -> None:
        """Remove every section of that name, up to its last key; comments after that stay."""
        while (section := self._section(name)) is not None:
            del self._lines[section.start : section.last + 1]
            self._scan()

    def _section(self, name: str) -> Section | None:
        return next((section for section in self._sections if section.name == name), None)

    def _scan(self) -> None:
        self._sections: list[Section] = []
        key = ""
        for place, line in enumerate(self._lines):
            section = self._sections[-1] if self._sections else None
            if header := _HEADER.fullmatch(line):
                self._sections.append(Section(header["name"].strip(), place))
                key = ""
            elif section is None or _foreign(line):
                continue
            elif line[0] in " \t":
                if key:
                    section.keys[key] = (section.keys[key][0], place + 1)
                section.last = place  # also when it continues nothing: it must not continue what is put before it
            elif pair := _PAIR.fullmatch(line):
                key = pair["key"]
                section.keys[key] = (place, place + 1)
                section.last = place
            else:
                key = ""


def words(text: str | None) -> Iterable[str]:
    """The items of a value that is a list: DNF takes blanks, commas and line ends between them."""
    return filter(None, re.split(r"[\s,]+", text or ""))


def _foreign(line: str) -> bool:
    """True for blank lines and comments, which may stand between the lines of a value."""
    return not line.strip() or line.lstrip()[0] in "#;"


def _carriage(line: str) -> str:
    return "\r" if line.endswith("\r") else ""
