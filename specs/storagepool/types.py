"""What the types of storage pools have in common: the one place that knows which of them are alike in what.

Among them are types that no document can declare and a host may have all the same.
"""

from __future__ import annotations

from typing import Final

FOLDERS: Final = frozenset({"dir", "kimchi-iso"})  # known by their folder alone
MOUNTED: Final = frozenset({"fs", "netfs"})  # a folder in which something is mounted
OF_FILES: Final = FOLDERS | MOUNTED | {"vstorage"}  # their volumes are files
LUNS: Final = frozenset({"iscsi", "iscsi-direct", "scsi", "mpath"})  # nobody makes volumes in these
FORMATTED: Final = frozenset({"disk", "logical"})  # whose making formats devices
OF_DEVICES: Final = LUNS | FORMATTED  # their volumes are block devices
