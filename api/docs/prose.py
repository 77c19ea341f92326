"""The little Markdown that descriptions are written in, as HTML."""

from __future__ import annotations

import re
from html import escape


def prose(text: str) -> str:
    """Paragraphs and lists."""
    parts = []
    for block in re.split(r"\n\s*\n", text.strip()):
        if block.startswith("- "):
            items = "".join(f"<li>{inline(item)}</li>" for item in re.split(r"(?:^|\n)- ", block) if item)
            parts.append(f"<ul>{items}</ul>")
        else:
            parts.append(f"<p>{inline(block)}</p>")
    return "".join(parts)


def inline(text: str) -> str:
    """Code and bold text; everything else is escaped."""
    made = re.sub(r"`([^`]+)`", r"<code>\1</code>", escape(text, quote=False))
    return re.sub(r"\*\*([^*]+)\*\*", r"<strong>\1</strong>", made)
