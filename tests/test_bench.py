"""What the benchmark declares is something that onggi would make; how long that takes is nobody's test."""

from __future__ import annotations

from pathlib import Path

from bench.repository import Repository
from reconciler.line.line import Line
from reconciler.settings.settings import Settings


def test_nothing_keeps_the_benchmarks_machines_from_being_planned(tmp_path: Path, private_test_uri: str) -> None:
    repository = Repository(tmp_path / "repository", 3, with_needs=True)
    settings = Settings(
        repository=str(repository.path),
        connect=private_test_uri,
        state=tmp_path / "state",
        allowed_pool_folders=("/var/lib/libvirt", "/srv"),  # of what nobody has set, not the tests' own
    )
    with Line.open(settings, exclusive=True) as line:
        plan = line.plan()
    assert plan.blocked == ()
    assert len(plan.steps) == 2 + 2 * 3  # network and pool; each machine and its disk
