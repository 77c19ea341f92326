"""The shape of a MediatedDevice's spec."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from specs.mediateddevice.spec import MediatedDeviceSpec
    from specs.reference import Ref

_UUID = re.compile("[0-9a-f]{8}-(?:[0-9a-f]{4}-){3}[0-9a-f]{12}")


def references(_name: str, _spec: MediatedDeviceSpec) -> Iterable[Ref]:
    """It needs nothing that has a document."""
    return ()


def check(name: str, _spec: MediatedDeviceSpec) -> Iterator[tuple[str, str]]:
    """Its name is what it is known by everywhere."""
    if not _UUID.fullmatch(name):
        yield "", "A mediated device is called by its UUID, in lower case: take one from `uuidgen` for its name."
