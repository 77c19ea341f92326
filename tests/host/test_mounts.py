"""Which file system a folder is on, and whether other machines write to it."""

from __future__ import annotations

from pathlib import Path

import pytest

from reconciler.host.mounts import file_system, is_shared

MOUNTS = """\
21 1 8:1 / / rw,relatime shared:1 - ext4 /dev/sda1 rw
22 21 0:5 / /dev rw shared:2 - devtmpfs udev rw
30 21 0:40 / /srv rw shared:3 - xfs /dev/sdb1 rw
31 30 0:41 / /srv/isos rw shared:4 - nfs4 server:/isos rw,vers=4.2
32 31 0:42 / /srv/isos rw - btrfs /dev/sdc rw
33 21 0:43 / /mnt/with\\040a\\040space rw - cifs //server/share rw
half a line
"""


@pytest.mark.parametrize(
    ("path", "kind"),
    [
        ("/", "ext4"),
        ("/var/lib", "ext4"),
        ("/srv", "xfs"),
        ("/srvx", "ext4"),
        ("/srv/isos/deep", "btrfs"),
        ("/mnt/with a space/x", "cifs"),
    ],
)
def test_the_last_mount_around_a_folder_tells(path: str, kind: str) -> None:
    assert file_system(path, MOUNTS) == kind
    assert file_system(path, "") == ""


def test_what_is_not_known_for_one_machines_is_shared(tmp_path: Path) -> None:
    assert not is_shared(str(tmp_path))
    assert is_shared("/proc/self")
