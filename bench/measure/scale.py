"""Does planning cost the same for each document however many there are? New machines, in one process, on no host.

Beside it the shortest program that does a part of the same: read each file's YAML, and write a definition from it. What
counts is the processor's time: nothing is waited for here, and what else the machine does shouldn't count.
"""

from __future__ import annotations

import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import yaml

from bench import definitions, names
from bench.repository import Repository
from bench.table import Row, seconds
from reconciler.line.line import Line
from reconciler.settings.settings import MOST_FILES, Settings
from reconciler.source.limits import allow

MANY = 10_000
_FEW = 1_000
_MOST = 1.3  # of the cost of a document among a thousand: nothing that is superlinear hides below that


def measure(many: int = MANY) -> Iterator[Row]:
    """Compares `many` with a thousand. The host is libvirt's test driver, where none of them is."""
    allow(MOST_FILES)
    with tempfile.TemporaryDirectory(prefix=names.PREFIX) as place:
        few_each, _ = _each(Path(place) / "few", _FEW)
        many_each, bare_each = _each(Path(place) / "many", many)
    what = f"plan {many} new machines"
    yield Row(what, "bare loop: YAML to XML, for each", seconds(bare_each), "1.00 × the bare loop")
    yield Row(what, f"onggi, for each of {_FEW}", seconds(few_each), f"{few_each / bare_each:.2f} × the bare loop")
    ratio = many_each / few_each
    yield Row(
        what,
        f"onggi, for each of {many}",
        seconds(many_each),
        f"{ratio:.2f} × each of {_FEW}, {many_each / bare_each:.2f} × the bare loop",
        f"at most {_MOST} × each of {_FEW}",
        ratio <= _MOST,
    )


def _each(folder: Path, machines: int) -> tuple[float, float]:
    """The seconds for each machine that a plan takes, and that the bare loop takes."""
    repository = Repository(folder / "repository", machines, with_needs=True)
    settings = Settings(repository=str(repository.path), connect="test:///default", state=folder / "state")
    with Line.open(settings, exclusive=True) as line:

        def plan() -> None:
            found = line.plan()
            if found.blocked or len(found.steps) < 2 * machines:  # with a disk each
                raise RuntimeError(f"{len(found.steps)} steps, and blocked: {found.blocked[:1]}")

        planned = _busy(plan)
    bare = _busy(lambda: _bare(repository.path))
    return planned / machines, bare / machines


def _busy(call: Callable[[], object]) -> float:
    begun = time.process_time()
    call()
    return time.process_time() - begun


def _bare(folder: Path) -> int:
    size = 0
    for file in folder.glob("vms/*/*.yaml"):
        document = yaml.load(file.read_bytes(), Loader=yaml.CSafeLoader)
        name, spec = document["metadata"]["name"], document["spec"]
        size += len(definitions.machine(name, f"/bench/{name}.qcow2", spec["memory"]))
    return size
