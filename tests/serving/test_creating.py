"""What can't be made leaves nothing behind, and takes nothing away that somebody has put their hand to meanwhile."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from types import SimpleNamespace
from typing import Any

import pytest

from reconciler.errors import NotApplied, Transient
from reconciler.serving.client import Client
from reconciler.serving.creating import NewObject, create, made_later
from reconciler.writing.changes import Edit, Put
from specs.reference import Ref

REF = Ref("Network", "lab")
DOCUMENT = {"kind": "Network", "metadata": {"name": "lab"}, "spec": {"mode": "nat"}}
CLIENT = Client("api")


class TakenError(Exception):
    """Somebody has that name."""


@dataclass
class Repository:
    """Takes changes of documents; whatever is put there fails on the host, after `meanwhile`."""

    documents: dict[Ref, Any] = field(default_factory=dict)
    host: set[Ref] = field(default_factory=set)
    error: Exception | None = None
    meanwhile: Callable[[], None] = lambda: None
    messages: list[str] = field(default_factory=list)

    @property
    def world(self) -> Any:
        return SimpleNamespace(snapshot=SimpleNamespace(objects=self.host), closed="")

    def get(self, ref: Ref) -> Any:
        return self.documents.get(ref)

    def refs(self) -> frozenset[Ref]:
        return frozenset(self.documents)

    def make(self, edit: Edit, message: str, _client: Client, _refs: Iterable[Ref], **_more: Any) -> Any:
        changes = edit(self)  # type: ignore[arg-type]
        self.messages.append(message)
        for change in changes:
            if isinstance(change, Put):
                self.documents[change.ref] = change.document
            else:
                del self.documents[change.ref]
        if any(isinstance(change, Put) for change in changes) and self.error is not None:
            self.meanwhile()
            raise self.error
        return SimpleNamespace(world=self.world)


def make(repository: Repository, stopping: bool = False) -> tuple[Any, list[str]]:
    done: list[str] = []
    new = NewObject(
        REF,
        DOCUMENT,
        "network",
        "Create network lab",
        taken=TakenError,
        before=lambda: done.append("before"),
        leftover=lambda _world: done.append("leftover"),
    )
    try:
        return create(repository, new, CLIENT, stopping=lambda: stopping), done  # type: ignore[arg-type]
    except (NotApplied, Transient, TakenError) as error:
        return error, done


FAILED = NotApplied("no", reason="Failed")


def test_what_can_be_made_is_committed() -> None:
    repository = Repository()
    world, done = make(repository)
    assert (repository.documents, done) == ({REF: DOCUMENT}, ["before"])
    assert made_later(world, REF) == "It is committed, and made later: nothing is applied now."
    repository.host.add(REF)
    assert made_later(world, REF) is None


@pytest.mark.parametrize("where", ["documents", "host"])
def test_a_name_that_is_somebodys_is_refused_and_nothing_written(where: str) -> None:
    repository = Repository(
        documents={REF: {}} if where == "documents" else {}, host={REF} if where == "host" else set()
    )
    error, done = make(repository)
    assert (type(error), done, repository.messages) == (TakenError, [], [])


def test_what_the_host_refuses_is_taken_back_document_and_object() -> None:
    repository = Repository(error=FAILED)
    error, done = make(repository)
    assert (error, done, repository.documents) == (FAILED, ["before", "leftover"], {})
    assert repository.messages == ["Create network lab", "Take back network lab, which can't be made"]


def test_a_document_that_somebody_has_changed_meanwhile_stays_and_so_does_its_object() -> None:
    repository = Repository(error=FAILED)
    theirs = {**DOCUMENT, "spec": {"mode": "isolated"}}
    repository.meanwhile = lambda: repository.documents.update({REF: theirs})
    _error, done = make(repository)
    assert (repository.documents, done) == ({REF: theirs}, ["before"])


def test_what_of_it_came_is_removed_also_when_somebody_has_removed_its_document() -> None:
    repository = Repository(error=FAILED)
    repository.meanwhile = repository.documents.clear
    assert make(repository)[1] == ["before", "leftover"]


@pytest.mark.parametrize(("error", "stopping"), [(Transient("later"), False), (FAILED, True)])
def test_what_only_takes_longer_stays_committed(error: Exception, stopping: bool) -> None:
    repository = Repository(error=error)
    assert make(repository, stopping) == (error, ["before"])
    assert repository.documents == {REF: DOCUMENT}


def test_who_cannot_take_it_back_still_tells_why_it_could_not_be_made() -> None:
    repository = Repository(error=FAILED)

    def break_down() -> None:
        def make_no_more(*_arguments: Any, **_more: Any) -> Any:
            raise Transient("the repository is away")

        repository.make = make_no_more  # type: ignore[method-assign]

    repository.meanwhile = break_down
    assert make(repository) == (FAILED, ["before"])
