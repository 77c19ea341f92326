"""How much of each object of the corpus the exported documents hold: `python -m tests.corpus.measure [NAME...]`.

Each is defined on qemu:///system, exported, removed, and made again from its documents. NAMEs are parts of the files'
names; with `-v` what is lost, and what has come, is listed; with `-d` the documents are printed.
"""

from __future__ import annotations

import argparse
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import libvirt

from tests.corpus.host import corpus
from tests.corpus.rebuilding import Rebuilt, rebuild
from tests.lab.libvirtd import QEMU_SYSTEM, STORAGE, HostObjects


@contextmanager
def measured(name: str, connection: libvirt.virConnect) -> Iterator[Rebuilt]:
    """One object, which is gone afterwards."""
    objects = HostObjects(connection)
    folder = Path(tempfile.mkdtemp(prefix="onggi-measure-"))
    images = STORAGE / f"{objects.prefix}measured"
    images.mkdir()
    try:
        yield rebuild(name, QEMU_SYSTEM, objects.prefix, images, folder, at_rest=lambda *_: None)
    finally:
        objects.remove_all()
        shutil.rmtree(images)
        shutil.rmtree(folder)


def main() -> None:
    """Print a line for each, and the sum."""
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("names", nargs="*", metavar="NAME")
    options.add_argument("-v", "--verbose", action="store_true")
    options.add_argument("-d", "--documents", action="store_true")
    asked = options.parse_args()
    libvirt.registerErrorHandler(lambda context, error: None, None)
    connection = libvirt.open(QEMU_SYSTEM)
    same, count, kept, total, in_overlay = 0, 0, 0, 0, 0
    for name in corpus():
        if asked.names and not any(each in name for each in asked.names):
            continue
        try:
            with measured(name, connection) as found:
                compared, overlay = found.comparison, found.in_overlay
        except Exception as error:
            print(f"{name:58} {type(error).__name__}: {str(error)[:160]}")
            continue
        count, same = count + 1, same + compared.equal
        kept, total, in_overlay = kept + compared.kept, total + compared.total, in_overlay + overlay
        word = "equal" if compared.equal else "" if found.rebuilt else f"not made again: {found.why[:200]}"
        shares = _share(compared.kept, compared.total), _share(compared.kept - overlay, compared.total)
        print(f"{name:58} {shares[0]} fields {shares[1]} {word}")
        if asked.documents:
            print(found.document)
        if asked.verbose:
            print("".join(f"    told {left}\n" for left in found.left), end="")
            print("".join(f"    lost {fact}\n" for fact in compared.lost), end="")
            print("".join(f"    came {fact}\n" for fact in compared.added), end="")
    connection.close()
    print(
        f"{same} of {count} objects are equal; of {total} facts {_share(kept, total).strip()} are kept, "
        f"{_share(kept - in_overlay, total).strip()} by fields"
    )


def _share(part: int, whole: int) -> str:
    return f"{100 * part / max(whole, 1):5.1f} %"


if __name__ == "__main__":
    main()
