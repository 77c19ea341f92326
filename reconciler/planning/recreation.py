"""What vanished from the host comes back as it was: its last definition, with its document applied on top as ever.

A stored definition is no more than what the host had. It goes through the same patches and checks as one that is there,
and whatever doesn't fit the present any more is left out: another owner's mark, a UUID that something else has, a drive
that another machine uses by now. What was undefined while it runs is still there, and is only made persistent again.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from reconciler.desired.identity import object_uid
from reconciler.desired.state import Resource
from reconciler.observed.snapshot import Observed
from reconciler.planning.rules import rules_of
from specs.effect import Change, Effect
from specs.mark import read_mark
from specs.reference import Ref

if TYPE_CHECKING:
    from reconciler.planning.context import Context
    from reconciler.planning.last_seen import LastSeen
    from specs.binding import Element

WHY_MADE_AGAIN = "gone from the host; made again as it was last seen there, with what its document says"
WHY_PERSISTENT = "undefined on the host while it is active; made persistent again"
PERSISTENT = Change("/persistent", False, True, Effect.LIVE)


def vanished(resource: Resource, context: Context) -> Observed | None:
    """What the host had of a resource that isn't there now, as it would be if it were: off, and with its UUID.

    None when nobody remembers it, or when it would be something else today.
    """
    last = _last(resource.ref, context)
    if last is None or last.uid in context.by_uid:
        return None
    derived = object_uid(context.desired.repository_id, resource.ref, "")
    if resource.uid not in (last.uid, derived):
        return None  # the document means another one
    root = _sound(last, resource.ref, context)
    if root is None:
        return None
    from specs.binding import serialise  # lxml is loaded only by who really reads XML

    state = rules_of(resource.ref.kind).revived(root, resource, context)
    return Observed(
        resource.ref, last.uid, serialise(root), state=state, autostart=last.autostart, mark=read_mark(root)
    )


def as_persistent(observed: Observed, context: Context) -> Observed:
    """What is active and was undefined, with the definition that it had: the running one may lack what only waited."""
    last = _last(observed.ref, context)
    if last is None or last.uid != observed.uid:
        return observed
    root = _sound(last, observed.ref, context)
    if root is None:
        return observed
    from specs.binding import serialise

    return replace(observed, xml=serialise(root), autostart=last.autostart and observed.autostart)


def was_autostarted(ref: Ref, context: Context) -> bool:
    """Whether it started with the host when it was last seen."""
    last = _last(ref, context)
    return last is not None and last.autostart


def _last(ref: Ref, context: Context) -> LastSeen | None:
    entry = context.owned.get(ref)
    if entry is None or not entry.uid:
        return None
    last = context.last_seen(ref)
    return last if last is not None and last.uid == entry.uid else None


def _sound(last: LastSeen, ref: Ref, context: Context) -> Element | None:
    """The definition, if it is one of this kind that isn't marked as somebody else's."""
    from lxml import etree

    from specs.binding import parse, set_text_at

    try:
        root = parse(last.xml)
    except (etree.XMLSyntaxError, ValueError):
        return None
    rules = rules_of(ref.kind)
    if root.tag != rules.root:
        return None
    mark = read_mark(root)
    if mark is not None and mark.repository_id != context.desired.repository_id:
        return None
    if rules.name_at:
        set_text_at(root, rules.name_at, ref.name)
    set_text_at(root, rules.uid_at, last.uid)
    return root
