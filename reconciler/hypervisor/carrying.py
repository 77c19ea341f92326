"""Carries an observed object over from the previous snapshot when nothing about it changed.

Later stages cache by the object's identity, so "equal" has to be found out here, by comparing texts and never by
parsing.
"""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Any

from reconciler.observed.snapshot import Observed
from specs.binding import parse
from specs.mark import NAMESPACE, Mark, read_mark
from specs.reference import Ref

_NOTHING: Mapping[str, Any] = MappingProxyType({})


def carried(
    before: Observed | None,
    ref: Ref,
    *,
    uid: str,
    xml: str,
    live_xml: str | None = None,
    state: str,
    reason: str = "",
    autostart: bool = False,
    persistent: bool = True,
    details: Mapping[str, Any] = _NOTHING,
) -> Observed:
    """The previous object when all of this is as it was, else a new one. Its mark is read only from a text that is
    new.
    """
    if before is None or before.xml != xml:
        mark = _mark(xml)
    elif (
        before.uid == uid
        and before.live_xml == live_xml
        and before.state == state
        and before.reason == reason
        and before.autostart == autostart
        and before.persistent == persistent
        and before.details == details
    ):
        return before
    else:
        xml, mark = before.xml, before.mark  # one copy of the text in memory
    return Observed(ref, uid, xml, live_xml, state, reason, autostart, persistent, mark, details)


def _mark(xml: str) -> Mark | None:
    return read_mark(parse(xml)) if NAMESPACE in xml else None
