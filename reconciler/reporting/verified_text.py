"""What `onggi verify` found, as text and as JSON."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from reconciler.status.value_text import printable
from specs.plain import NewJson

if TYPE_CHECKING:
    from reconciler.exporting.verifying import Verdict, Verified
    from specs.facts import Fact

_MOST = 20  # facts of one object that are told


def verified_text(found: Verified, *, everything: bool) -> str:
    """A paragraph for each object that wouldn't be the same, and the sum."""
    lines = [line for each in found.verdicts if not each.equal for line in _object(each, everything=everything)]
    lines += [f"{ref} is declared and isn't on this host" for ref in found.absent]
    same = sum(each.equal for each in found.verdicts)
    return "\n".join(
        [*lines, f"{same} of {len(found.verdicts)} objects would be made again as they are. {share(found)}"]
    )


def share(found: Verified) -> str:
    """How much of the host the documents hold."""
    return held_text(found.kept, found.total)


def held_text(kept: int, total: int) -> str:
    """The same, from numbers. It is only all of it when it is."""
    percent = 100 if kept == total else min(99.9, 100 * kept / total)
    return f"The documents hold {kept} of the {total} facts that its definitions say ({percent:.4g} %)."


def verified_json(found: Verified) -> NewJson:
    """The whole of it."""
    return {
        "equal": found.equal,
        "kept": found.kept,
        "total": found.total,
        "objects": [
            {
                "kind": each.ref.kind,
                "name": each.ref.name,
                "equal": each.equal,
                "kept": each.comparison.kept,
                "total": each.comparison.total,
                "lost": _facts(each.comparison.lost),
                "added": _facts(each.comparison.added),
                "reason": each.why,
            }
            for each in found.verdicts
        ],
        "absent": [{"kind": ref.kind, "name": ref.name} for ref in found.absent],
    }


def _facts(found: tuple[Fact, ...]) -> list[NewJson]:
    return [{"path": each.path, "value": each.value} for each in found]


def _object(verdict: Verdict, *, everything: bool) -> Iterator[str]:
    if verdict.why:
        yield printable(f"{verdict.ref}: {verdict.why}")
        return
    lost, added = verdict.comparison.lost, verdict.comparison.added
    yield f"{verdict.ref}: {len(lost)} of its {verdict.comparison.total} facts aren't in its document"
    lines = [*(f"  - {fact}" for fact in lost), *(f"  + {fact}" for fact in added)]
    shown = lines if everything else lines[:_MOST]
    yield from map(printable, shown)
    if len(shown) < len(lines):
        yield f"  … and {len(lines) - len(shown)} more (--all)"
