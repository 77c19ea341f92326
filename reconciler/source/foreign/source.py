"""A repository or folder that others than us may write, as a source: a child with their identity reads it for us.

Whatever they have put there, it leads the child only where they could have gone themselves, and holds it up for as long
as one question may last.
"""

from __future__ import annotations

import hashlib
import os
import select
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Final

from reconciler.confined.frames import BrokenTalkError, Frame, Most
from reconciler.confined.identity import Identity
from reconciler.confined.process import Confined, Limits
from reconciler.confined.trust import Others
from reconciler.errors import Conflict, OnggiError, SourceError, Transient
from reconciler.source import limits
from reconciler.source.commit_text import Author
from reconciler.source.foreign import telling
from reconciler.source.source import Moved
from reconciler.source.tree import Revision, SourceTree
from specs.plain import NewJson

_MODULE: Final = "reconciler.writing.foreign_child"
_PATIENCE_S: Final = 30.0
_LOOK_S: Final = 1.0
_LONGEST_PAUSE_S: Final = 30.0
_ERRORS: Final[dict[str, type[OnggiError]]] = {"Conflict": Conflict, "Transient": Transient}


class ForeignSource:
    """What is at `location`, which `others` may write."""

    is_remote = False
    answered = True
    problem = ""

    def __init__(self, location: Path, others: Others, *, branch: str = "", sub_path: str = "", reading: str) -> None:
        """Opens it. Raises SourceError, as for what is ours."""
        self.others = others
        self.uncommitted: tuple[str, ...] = ()
        self.key = str(location)
        task = {
            "location": str(location), "branch": branch, "path": sub_path, "reading": reading,
            "max_files": limits.most_files(),
        }  # fmt: skip
        identity = others.identity if os.geteuid() == 0 else None
        self.changes_identity = identity is not None
        memory = (1 << 30) + 6 * limits.most_bytes()
        bounds = Limits(
            patience_s=_PATIENCE_S, memory=memory, answer=telling.most(), question=Most(64_000, limits.most_bytes())
        )
        self._child = Confined(_MODULE, task, identity, bounds)
        self._last: SourceTree | None = None
        self._known_to = -1  # the child that knows what we have read last
        self._reading = threading.Lock()
        try:
            opened = self.ask({"verb": "open"}).header
            key, self.sub_path = telling.printable(opened["key"]), telling.printable(opened["sub_path"])
        except (KeyError, TypeError):
            self.close()
            raise SourceError(self._failed("it said what isn't a source")) from None
        except BaseException:
            self.close()
            raise
        # It may be a folder around the named one, or the named one: nothing else is called by its name.
        if os.path.realpath(location).startswith(f"{key.rstrip('/')}/") or os.path.realpath(location) == key:
            self.key = key

    def fetch(self) -> bool:
        """Nothing to do: what is there is here."""
        return False

    def close(self) -> None:
        """End the child, whatever it does."""
        self._child.close()

    def read(self) -> SourceTree:
        """The newest revision; the same object while nothing changes. Raises SourceError."""
        return self.tree(writing=False)

    def tree(self, *, writing: bool) -> SourceTree:
        """As `read`; with `writing` also for the place that is written. Raises Conflict for what can't be."""
        with self._reading:
            known = self._last if self._known_to == self._child.born else None
            said = str(known.revision) if known is not None else ""
            frame = self.ask({"verb": "read", "known": said, "writing": writing})
            if self._known_to != self._child.born:
                known = None  # another child than the one that we thought to ask
            if frame.header.get("same") is True and known is not None:
                return known
            try:
                tree, self.uncommitted = telling.understood(frame, known)
            except BrokenTalkError as error:
                self._child.restarted()
                raise SourceError(self._failed(str(error))) from None
            self._known_to = self._child.born
            self._last = _kept(tree, self._last)
            return self._last

    def shared(self, commit: str) -> str:
        """A folder has no history; what is committed here is here."""
        return commit if self._last is not None and self._last.revision.algorithm == "sha1" else ""

    def builds_on(self, since: str, commit: str) -> bool:
        """As the source behind. Raises SourceError."""
        return self.ask({"verb": "builds_on", "since": since, "commit": commit}).header.get("result") is True

    def last_good(self) -> None:
        """Nothing is kept: nothing guards what is read."""

    def watch_paths(self) -> tuple[Path, ...]:
        """Nothing that we look at ourselves; `watcher` has the child do so."""
        return ()

    def watcher(self, wake: Callable[[], object]) -> ForeignWatch:
        """Calls `wake` after each change."""
        return ForeignWatch(self, self._child, wake)

    def name(self, content: bytes) -> str:
        """A content's name as this source gives it."""
        if self._last is not None and self._last.revision.algorithm == "sha1":
            return hashlib.sha1(b"blob %d\0" % len(content) + content, usedforsecurity=False).hexdigest()
        return hashlib.sha256(content).hexdigest()

    def taken(self, path: str) -> bool:
        """Whether anything is at a path of what was read for writing, or in the way of it."""
        return self.ask({"verb": "taken", "path": path}).header.get("result") is not False

    def put(self, tree: SourceTree, files: dict[str, bytes | None], message: str, author: Author) -> Revision:
        """Have the child write. Raises as a place does."""
        parts: list[bytes] = []
        for path, content in files.items():
            parts += (path.encode(), b"" if content is None else b"\n" + content)
        header = {
            "verb": "put", "revision": str(tree.revision), "message": message,
            "name": author.name, "email": author.email,
        }  # fmt: skip
        try:
            return telling.revision_of(self.ask(header, parts).header.get("revision"))
        except BrokenTalkError as error:
            raise SourceError(self._failed(str(error))) from None

    def recover(self) -> None:
        """Finish what an earlier run was cut off in."""
        self.ask({"verb": "recover"})

    def ask(self, header: NewJson, parts: list[bytes] | None = None) -> Frame:
        """The child's answer. Raises what it has raised, and SourceError when it has none to give."""
        try:
            frame = self._child.ask(Frame(header, parts or []))
        except BrokenTalkError as error:
            raise SourceError(self._failed(str(error))) from None
        kind = frame.header.get("error")
        if kind is None:
            return frame
        if kind == "Moved":
            raise Moved
        try:
            message = telling.printable(frame.header.get("message"))
        except TypeError:
            message = "it needed too much memory" if kind == "MemoryError" else "it failed"
        if not message.endswith("."):
            raise SourceError(self._failed(message))
        raise _ERRORS.get(str(kind), SourceError)(message)

    def _failed(self, reason: str) -> str:
        return (
            f"{self.key} can't be read as {self.who} ({reason}): look for a link, a pipe or a folder there that "
            f"{self.who} can't read, or make it root's alone (chown -R root, chmod -R go-w) if nobody else has to "
            "write it."
        )

    @property
    def who(self) -> str:
        """As whom it is read."""
        return self.others.identity.name if self.changes_identity else Identity.of(os.geteuid()).name


def _kept(tree: SourceTree, before: SourceTree | None) -> SourceTree:
    """The same object for the same content: what is made of it is kept by that."""
    return before if before is not None and before == tree else tree


class ForeignWatch:
    """Has the child watch, and calls `wake` from a thread of its own."""

    def __init__(self, source: ForeignSource, child: Confined, wake: Callable[[], object]) -> None:
        self._source = source
        self._child = child
        self._wake = wake
        self._stopping = threading.Event()
        self._thread: threading.Thread | None = None

    def start(self) -> None:
        """Watch."""
        if self._thread is None:
            self._thread = threading.Thread(target=self._run, name="source-watch", daemon=True)
            self._thread.start()

    def stop(self) -> None:
        """Stop watching; `wake` isn't called after that."""
        self._stopping.set()
        if self._thread is not None:
            self._thread.join(_LOOK_S * 2)
            self._thread = None

    def _run(self) -> None:
        pause_s = _LOOK_S
        while not self._stopping.is_set():
            try:
                self._source.ask({"verb": "watch"})
                pause_s = _LOOK_S
                self._listen()
            except OnggiError:
                pause_s = min(2 * pause_s, _LONGEST_PAUSE_S)
            # What happened between two children nobody saw.
            if not self._stopping.wait(pause_s):
                self._wake()

    def _listen(self) -> None:
        """Until the child is another one."""
        try:
            born, news = self._child.listening()
        except BrokenTalkError:
            return
        try:
            poll = select.poll()
            poll.register(news, select.POLLIN)
            while not self._stopping.is_set() and born == self._child.born:
                if not poll.poll(_LOOK_S * 1000):
                    continue
                try:
                    if not os.read(news, 4096):
                        return
                except OSError:
                    return
                if not self._stopping.is_set():
                    self._wake()
        finally:
            os.close(news)
