"""What an object may use whose definition can't be read: whatever its text mentions.

That is rather too much, which is right: what nobody uses may be removed.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping

from reconciler.observed.snapshot import Observed
from specs.escaping import escaped
from specs.host import VolumeSource
from specs.reference import Ref

# An attribute's value, or an element's text, as libvirt writes them.
_VALUE = re.compile(r"(?<=')[^'<>]*(?=')|(?<=>)[^<>]+(?=<)")


def mentioned(observed: Observed, volumes: Mapping[Ref, VolumeSource], others: Iterator[Ref]) -> Iterator[Ref]:
    """Of `volumes`, each with its pool, and of `others`, those that the text has as a value."""
    values = set(_VALUE.findall(observed.xml + (observed.live_xml or "")))
    for volume, source in volumes.items():
        if volume != observed.ref and not values.isdisjoint({escaped(source.path), escaped(volume.short_name)}):
            yield volume
            yield from volume.holders
    for ref in others:
        if escaped(ref.name) in values:
            yield ref
