"""What the tests of writing share: small documents, edits of them, and a writer for a location."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

from reconciler.source.commit_text import Author
from reconciler.source.opening import open_source
from reconciler.source.source import Source
from reconciler.writing.changes import Documents, Edit, Put, Remove, Written
from reconciler.writing.opening import open_writer
from reconciler.writing.writer import Writer
from specs.reference import Ref

ADA = Author("Ada", "ada@example.org")


def net(name: str) -> Ref:
    return Ref("Network", name)


def new(name: str, **spec: Any) -> dict[str, Any]:
    body = {"mode": "isolated", **spec}
    return {"apiVersion": "onggi/v1", "kind": "Network", "metadata": {"name": name}, "spec": body}


def add(name: str, **spec: Any) -> Edit:
    return lambda _: [Put(net(name), new(name, **spec))]


def change(name: str, key: str, value: Any) -> Edit:
    """One field of a network; what else is in it stays."""

    def edit(documents: Documents) -> list[Put]:
        found = documents.get(net(name))
        assert found is not None
        found["spec"][key] = value
        return [Put(net(name), found)]

    return edit


def remove(name: str) -> Edit:
    return lambda _: [Remove(net(name))]


def once_before(edit: Edit, happening: Callable[[], object]) -> Edit:
    """`edit`, and something that happens between its first call and the commit."""
    waiting = [happening]

    def both(documents: Documents) -> Any:
        changes = edit(documents)
        if waiting:
            waiting.pop()()
        return changes

    return both


class Place:
    """A source and its writer."""

    def __init__(self, location: str, state: Path, **options: Any) -> None:
        self.source: Source = open_source(location, state_dir=state, **options)
        self.writer: Writer = open_writer(self.source)

    def write(self, edit: Edit, message: str = "Change") -> Written:
        return self.writer.write(
            edit, message=message, author=ADA, trailers={"Onggi-Request-Id": "r1", "Onggi-Source": "api"}
        )

    def files(self) -> dict[str, bytes]:
        return {file.path: file.content for file in self.source.read().files}
