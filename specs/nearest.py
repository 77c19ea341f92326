"""What was probably meant by a word that isn't known."""

from __future__ import annotations

from collections.abc import Iterable

_MOST_LETTERS = 64  # of a word that is looked for: the search takes long for long ones


def nearest(word: str, known: Iterable[str]) -> list[str]:
    """The one of the known words that is most like `word`, as a list; an empty one when none is."""
    import difflib  # only who has made a mistake waits for it

    return difflib.get_close_matches(word[:_MOST_LETTERS], known, n=1)
