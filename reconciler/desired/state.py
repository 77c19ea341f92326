"""The finished value of this stage: what one revision asks for. Immutable."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from reconciler.source.tree import Revision, Unread
from specs.plain import Spec
from specs.problem import Problem
from specs.reference import Ref
from specs.scope import Scope


@dataclass(frozen=True, slots=True)
class Policy:
    """What a document says about how it may be treated."""

    drift: str = "enforce"  # enforce | warn | ignore
    deletion: str = "Retain"  # Retain | Delete
    ignore_fields: tuple[str, ...] = ()  # JSON pointers into the spec
    adopt: bool = False  # annotation onggi/adopt
    protect: bool = False  # annotation onggi/protect
    complete: tuple[str, ...] = ()  # annotation onggi/complete: lists in which nothing undeclared stays
    next_boot: frozenset[str] = frozenset()  # annotation onggi/next-boot: fields whose change isn't made live


class _Content:
    """A dataclass field that takes bytes, or a function that makes them, and gives bytes.

    Images of a thousand cloud-init seeds would fill the memory for nothing: one is wanted only when its volume is made.
    """

    def __get__(self, resource: Resource | None, owner: type[Resource]) -> bytes | None:
        if resource is None:
            return None  # the field's default
        content: bytes | Callable[[], bytes] | None = resource.__dict__["content"]
        return content() if callable(content) else content

    def __set__(self, resource: Resource, content: bytes | Callable[[], bytes] | None) -> None:
        resource.__dict__["content"] = content


@dataclass(frozen=True, eq=False)
class Resource:
    """One thing that the host should have: templates expanded, references made explicit, identity fixed.

    A VM's own disks and its cloud-init seed are resources too (`parent` names the VM). Compared by identity: the
    resolver hands out the same object as long as what it was made from is the same, so that later stages can cache.
    """

    ref: Ref
    uid: str
    spec: Spec
    path: str
    line: int
    policy: Policy = field(default_factory=Policy)
    depends_on: tuple[Ref, ...] = ()
    parent: Ref | None = None
    content: _Content = (
        _Content()
    )  # bytes of a volume that come with it (a cloud-init seed), or what makes them; else None
    # Of all of the above but the place (path and line): equal digests ask for the same thing, and a document that only
    # moved in its file isn't a new wish.
    digest: str = ""

    @property
    def has_content(self) -> bool:
        """True when bytes come with it. Cheap: `content` itself may have to make them first."""
        return self.__dict__["content"] is not None


@dataclass(frozen=True, slots=True, eq=False)
class DesiredState:
    """Everything that one revision asks for, and what of it couldn't be understood.

    `held` are references that are declared but broken, and `held_paths` files that couldn't be read at all: whatever
    came from them stays as it is and is never pruned. `prunable` is False when nothing may be deleted at all (an empty
    source, or one that couldn't be read). `where` is the part of the repository that was looked at.
    """

    revision: Revision
    repository_id: str
    resources: Mapping[Ref, Resource]
    problems: tuple[Problem, ...] = ()
    held: frozenset[Ref] = frozenset()
    held_paths: frozenset[str] = frozenset()
    prunable: bool = True
    where: Scope | None = None
    # The commit that was followed before, when this revision doesn't build on it: somebody has rewritten the history.
    rewritten: str = ""
    blobs: Mapping[str, str] = field(default_factory=dict)  # the files that were read, with their contents' names
    emptied: frozenset[str] = frozenset()  # those of them that hold no document at all
    unread: tuple[Unread, ...] = ()

    def digest_of(self, ref: Ref) -> str | None:
        """The digest of what is declared under a name; None where nothing is."""
        resource = self.resources.get(ref)
        return resource.digest if resource is not None else None

    @property
    def scope(self) -> Scope:
        """Where the documents are, as far as it is known."""
        return self.where or Scope(self.repository_id)
