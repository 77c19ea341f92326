"""Sets of numbers as libvirt would write them, wherever they are in a value: `0,1,2` is no drift from `0-2`."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from specs.declared import Declared
from specs.virtualmachine.compute.ranges import NODES, PROCESSORS, normal_ranges

_SETS = (NODES.shared, PROCESSORS.shared)


def normal(field: Declared, value: Any) -> Any:
    """The value of a field, and of all that is in it, in its normal form."""
    whole = field.base or field
    if isinstance(value, str):
        return normal_ranges(value) if whole.shared in _SETS else value
    if isinstance(value, (dict, Mapping)):
        return {name: normal(whole[name], each) if name in whole.fields else each for name, each in value.items()}
    if whole.item is not None:
        return [normal(whole.item, each) for each in value]
    return value
