"""A plain folder as a place to write: whole files take the place of others, and only of those that were read."""

from __future__ import annotations

import hashlib

from reconciler.errors import Conflict, SourceError
from reconciler.source.folder import Folder
from reconciler.source.source import Moved
from reconciler.source.tree import Revision
from reconciler.writing import inside
from reconciler.writing.place import Note
from reconciler.writing.rewriting import Files, Tip


class FolderPlace:
    """Nothing remembers who wrote: there is no history."""

    def __init__(self, folder: Folder) -> None:
        self._folder = folder

    def tip(self) -> Tip:
        """The files as they are now."""
        return Tip(
            self._folder.read(), self._folder.sub_path, self._taken, lambda text: hashlib.sha256(text).hexdigest()
        )

    def put(self, tip: Tip, files: Files, note: Note) -> tuple[Revision, bool]:  # noqa: ARG002  # no history
        """Write the files. Raises Moved when one isn't as it was read any more."""
        root, before = self._folder.root, {file.path: file.content for file in tip.tree.files}
        asides: dict[str, str] = {}
        try:
            for path, content in files.items():
                if content is not None:
                    asides[path] = inside.prepare(root, path, content)
            for path in files:
                if inside.read(root, path) != before.get(path):
                    raise Moved
            for path in files:
                if path in asides:
                    inside.take_place(root, path, asides[path])
                    del asides[path]
                else:
                    inside.remove(root, path)
        except inside.InTheWayError as error:
            raise Conflict(f"The files in {root} can't be written: {error.strerror}; move it away.") from None
        except OSError as error:
            raise SourceError(
                f"The files in {root} can't be written ({error.strerror}); free some space, or make the folder "
                "writable for this user."
            ) from None
        finally:
            for path, aside in asides.items():
                inside.forget(root, path, aside)
        return self._folder.read().revision, False

    def recover(self) -> None:
        """Nothing can be half done: a file is there as a whole, or as it was."""

    def _taken(self, path: str) -> bool:
        try:
            return inside.read(self._folder.root, path) is not None
        except OSError:
            return True
