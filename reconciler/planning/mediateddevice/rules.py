"""What is so of mediated devices, and what planning asks of them."""

from __future__ import annotations

from reconciler.planning.rules import Rules
from specs.reference import MEDIATED_DEVICE


class DeviceRules(Rules):
    """Of mediated devices, which are defined and then started or not. libvirt doesn't stop one that a machine has."""

    kind = MEDIATED_DEVICE
    root = "device"
    name_at = ""
    uid_at = "capability/uuid"


RULES = DeviceRules()
