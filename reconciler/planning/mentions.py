"""What an object may use whose definition can't be read: whatever its text mentions.

That is rather too much, which is right: what nobody uses may be removed.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from html import escape  # as XML has it without quotes; its own module brings the network along

from reconciler.observed.snapshot import Observed
from specs.host import VolumeSource
from specs.reference import Ref

# An attribute's value, or an element's text, as libvirt writes them.
_VALUE = re.compile(r"(?<=')[^'<>]*(?=')|(?<=>)[^<>]+(?=<)")


def mentioned(observed: Observed, volumes: Mapping[Ref, VolumeSource], others: Iterator[Ref]) -> Iterator[Ref]:
    """Of `volumes`, each with its pool, and of `others`, those that the text has as a value."""
    values = set(_VALUE.findall(observed.xml + (observed.live_xml or "")))
    for volume, source in volumes.items():
        if volume != observed.ref and not values.isdisjoint(
            {escape(source.path, quote=False), escape(volume.short_name, quote=False)}
        ):
            yield volume
            yield from volume.holders
    for ref in others:
        if escape(ref.name, quote=False) in values:
            yield ref
