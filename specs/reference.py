"""How one thing is named everywhere: a kind and a name."""

from __future__ import annotations

from typing import NamedTuple

VIRTUAL_MACHINE = "VirtualMachine"
TEMPLATE = "Template"
DISTRIBUTION = "Distribution"
STORAGE_POOL = "StoragePool"
STORAGE_VOLUME = "StorageVolume"
NETWORK = "Network"
NETWORK_FILTER = "NetworkFilter"
SECRET = "Secret"  # noqa: S105  (a kind's name)
MEDIATED_DEVICE = "MediatedDevice"

# What lies in another object is called after it: the field of its spec that says in which, and that one's kind.
_WITHIN = {STORAGE_VOLUME: ("pool", STORAGE_POOL)}


def holder_of(kind: str) -> str:
    """The field that says in which other object one of a kind lies; empty for what lies in none."""
    return _WITHIN.get(kind, ("", ""))[0]


class Ref(NamedTuple):
    """A kind and a name, such as `VirtualMachine/web`. A volume's name carries its pool: `default/web-root.qcow2`.

    NOTE: a tuple, because it is the key of nearly every mapping: a dataclass's hash and comparison run in Python, and
    were most of what a pass over a thousand machines at rest cost.
    """

    kind: str
    name: str

    def __str__(self) -> str:
        return f"{self.kind}/{self.name}"

    @classmethod
    def volume(cls, pool: str, name: str) -> Ref:
        """The reference of a storage volume inside `pool`."""
        return cls(STORAGE_VOLUME, f"{pool}/{name}")

    @classmethod
    def volume_named(cls, text: str, pool: str) -> Ref:
        """The volume that a document means by `volume`, which is in `pool`, or by `pool/volume`."""
        return cls(STORAGE_VOLUME, text if "/" in text else f"{pool}/{text}")

    @property
    def holders(self) -> tuple[Ref, ...]:
        """What it lies in, as its name says: a volume's pool; empty for every other kind."""
        return (Ref(_WITHIN[self.kind][1], self.pool),) if self.kind in _WITHIN else ()

    @property
    def pool(self) -> str:
        """A volume's pool; empty for every other kind."""
        return self.name.partition("/")[0] if self.kind in _WITHIN else ""

    @property
    def short_name(self) -> str:
        """The name without a volume's pool."""
        return self.name.partition("/")[2] if self.kind in _WITHIN else self.name
