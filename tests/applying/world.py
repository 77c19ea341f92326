"""A host that is a folder: what was done to it is what lies there. Small enough to be obviously right."""

from __future__ import annotations

import threading
from collections.abc import Callable, Collection
from pathlib import Path

from reconciler.planning.operations import CreateVolume, Define, DeleteVolume, Operation, Start, Stop, Undefine
from reconciler.planning.ownership import Owned
from reconciler.planning.plan import Action, Plan, Step
from specs.effect import Effect
from specs.reference import NETWORK, Ref

REVISION = "main@sha1:0123"

Before = Callable[[threading.Event], object]


class FolderHost:
    """Performs operations on files. `before[ref]` runs first and may raise, wait or look around; what is `used` is
    discarded for nobody.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.before: dict[Ref, Before] = {}
        self.used: set[Ref] = set()
        self.settled: list[frozenset[str]] = []  # the files that were there at each call
        self._lock = threading.Lock()
        self._in_pool: set[str] = set()

    def perform(
        self, operation: Operation, *, stop: threading.Event, progress: Callable[[int, int | None], None]
    ) -> None:
        path = self.path(operation.ref)
        if operation.ref in self.before:
            self.before[operation.ref](stop)
        match operation:
            case CreateVolume():
                with self._lock:
                    if not operation.url:
                        assert operation.ref.pool not in self._in_pool, "two volumes are made in one pool at once"
                        self._in_pool.add(operation.ref.pool)
                path.write_text(operation.xml)
                progress(len(operation.xml), len(operation.xml))
                with self._lock:
                    self._in_pool.discard(operation.ref.pool)
            case Define():
                path.write_text(operation.xml)
            case Start():
                path.with_suffix(".running").touch()
            case Stop():
                path.with_suffix(".running").unlink(missing_ok=True)
            case Undefine() | DeleteVolume():
                path.unlink(missing_ok=True)

    def present(self, refs: Collection[Ref]) -> frozenset[Ref]:
        return frozenset(ref for ref in refs if self.has(ref))

    def discard_unfinished(self, ref: Ref) -> bool:
        if ref in self.before:
            self.before[ref](threading.Event())
        if ref in self.used or not self.has(ref):
            return False
        self.path(ref).unlink()
        return True

    def settle(self) -> None:
        self.settled.append(self.names())

    def path(self, ref: Ref) -> Path:
        return self.folder / str(ref).replace("/", "_")

    def has(self, ref: Ref) -> bool:
        return self.path(ref).exists()

    def names(self) -> frozenset[str]:
        return frozenset(path.name for path in self.folder.iterdir())


def network(name: str) -> Ref:
    return Ref(NETWORK, name)


def plan(*steps: Step) -> Plan:
    return Plan(REVISION, steps)


def define(ref: Ref, *after: Ref, start: bool = False) -> Step:
    """The creation of something with a UUID."""
    uid = f"uid-of-{ref.name}"
    operations: tuple[Operation, ...] = (Define(ref, uid, f"<{ref.name}/>"), *((Start(ref),) if start else ()))
    owned = Owned(ref, uid, "a.yaml", facts={"digest": "d1", "subnet": "192.168.99.0/24"})
    return Step(ref, Action.CREATE, "declared", Effect.LIVE, operations, after=frozenset(after), owned=owned)


def volume(ref: Ref, *after: Ref, url: str = "") -> Step:
    """The creation of a volume."""
    owned = Owned(ref, "", "a.yaml", facts={"digest": "d1"})
    operation = CreateVolume(ref, f"<{ref.short_name}/>", url=url)
    return Step(ref, Action.CREATE, "declared", Effect.LIVE, (operation,), after=frozenset(after), owned=owned)


def remove(ref: Ref, *after: Ref) -> Step:
    """The removal of something."""
    operation = DeleteVolume(ref) if ref.pool else Undefine(ref, f"uid-of-{ref.name}")
    return Step(ref, Action.DELETE, "its document is gone", Effect.LIVE, (operation,), after=frozenset(after))
