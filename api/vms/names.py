"""Names for machines to be. Taken is what the host has, what is declared, and what is promised to a running task."""

from __future__ import annotations

import re
from collections.abc import Iterator
from itertools import count
from typing import Final

from api.http.refusal import Refusal, bad
from reconciler.loop.passes import World
from reconciler.serving.names import Promise
from reconciler.serving.serving import Serving
from specs.name import name_problem
from specs.reference import STORAGE_VOLUME, VIRTUAL_MACHINE, Ref

_MOST: Final = 999


def promise(serving: Serving, name: str) -> Promise:
    """The name for a new machine, until it is released. Raises Refusal 400 for one that can't be one or is taken."""
    ref = Ref(VIRTUAL_MACHINE, name)
    if problem := name_problem(name):
        raise bad("KCHVM0011E", problem)
    promised = serving.names.take(ref) if not is_taken(serving.world, ref) else None
    if promised is None:
        raise name_taken(name)
    return promised


def promise_from_template(serving: Serving, template: str) -> Promise:
    """`<template>-vm-<i>` with the first number for which neither a machine nor a disk is there."""
    found = serving.names.first(_from_template(serving.world, template.replace("/", "-")))
    if found is None:
        raise bad("KCHUTILS0003E", f"There are {_MOST} machines of the template {template} already; choose a name.")
    if problem := name_problem(found.ref.name):
        serving.names.release(found)
        raise bad("KCHVM0011E", problem)
    return found


def promise_clone(serving: Serving, original: str) -> Promise:
    """`<original>-clone-<n>`, n being one more than the highest that is there."""
    found = serving.names.first(_clones(serving.world, original))
    assert found is not None  # noqa: S101  # numbers don't end
    if problem := name_problem(found.ref.name):
        serving.names.release(found)
        raise bad("KCHVM0011E", problem)
    return found


def name_taken(name: str) -> Refusal:
    """400."""
    return bad("KCHVM0001E", f"There is a machine {name} already; choose another name.")


def is_taken(world: World, ref: Ref) -> bool:
    """Whether there is one, on the host or in a document."""
    return ref in world.snapshot.objects or ref in world.desired.resources or ref in world.desired.held


def _from_template(world: World, template: str) -> Iterator[Ref]:
    disks = [ref.short_name for ref in world.snapshot.objects if ref.kind == STORAGE_VOLUME]
    for number in range(1, _MOST + 1):
        ref = Ref(VIRTUAL_MACHINE, f"{template}-vm-{number}")
        if not is_taken(world, ref) and not any(disk.startswith(f"{ref.name}-") for disk in disks):
            yield ref


def _clones(world: World, original: str) -> Iterator[Ref]:
    pattern = re.compile(rf"{re.escape(original)}-clone-([0-9]{{1,9}})(?:-.*)?")
    known = [*world.snapshot.objects, *world.desired.resources, *world.desired.held]
    names = {ref.short_name for ref in known if ref.kind in (VIRTUAL_MACHINE, STORAGE_VOLUME)}
    numbers = [int(match[1]) for name in names if (match := pattern.fullmatch(name))]
    for number in count(max(numbers, default=0) + 1):
        yield Ref(VIRTUAL_MACHINE, f"{original}-clone-{number}")
