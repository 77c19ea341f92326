"""Files that root makes in somebody else's repository belong to them, so that their own git can go on working there.

What is given away was opened without following a link, is a plain file or folder with one name, and was root's.
"""

from __future__ import annotations

import os
import stat
from pathlib import Path


def give(descriptor: int, like: Path) -> None:
    """Give an open file, which we have made, to the owner of a folder."""
    if os.geteuid() == 0 and (owner := like.stat()).st_uid != 0:
        os.fchown(descriptor, owner.st_uid, owner.st_gid)


def give_below(folder: Path, *paths: str) -> None:
    """Give the files at these paths, and the folders on their way, to the owner of `folder`, where root has them."""
    if os.geteuid() != 0 or folder.stat().st_uid == 0:
        return
    for path in paths:
        above = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
        try:
            for part in path.split("/"):
                below = os.open(part, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC, dir_fd=above)
                os.close(above)
                above = below
                status = os.fstat(above)
                alone = stat.S_ISDIR(status.st_mode) or (stat.S_ISREG(status.st_mode) and status.st_nlink == 1)
                if alone and status.st_uid == 0:
                    give(above, folder)
        except OSError:
            continue  # packed meanwhile, or never written because it was there
        finally:
            os.close(above)
