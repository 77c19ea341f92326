"""What several pools may not have in common: a folder."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterator, Sequence
from typing import TYPE_CHECKING

from specs import canonical
from specs.among import Clash, Placed, places, several
from specs.storagepool.types import FOLDERS

if TYPE_CHECKING:
    from specs.reference import Ref
    from specs.storagepool.spec import StoragePoolSpec


def check_among(declared: Sequence[tuple[Placed, StoragePoolSpec]], _known: Collection[Ref]) -> Iterator[Clash]:
    """Pools over one folder: libvirt refuses the second, and each would call the other's volumes its own."""
    pools: dict[str, list[Placed]] = defaultdict(list)
    for document, pool in declared:
        if pool.get("type") in FOLDERS and "path" in pool:
            pools[canonical.path(pool["path"])].append(document)
    for folder, same in pools.items():
        for document in same if several(same) else ():
            sentence = f"{folder} is the folder of another pool too, at {places(same, document)}; choose another."
            yield document, "/spec/path", sentence
