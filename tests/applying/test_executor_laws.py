"""What holds for every plan: each step ends once, a failure stops what depends on it, a kill leaves nothing unclear."""

from __future__ import annotations

import signal
import subprocess
import sys
import threading
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from reconciler.applying.executor import Executor, Progress
from reconciler.errors import Terminal
from reconciler.ledger.ledger import Ledger
from reconciler.planning.plan import Step
from reconciler.status.outcome import Result
from specs.reference import Ref
from tests.applying.world import FolderHost, define, network, plan, volume


@st.composite
def graphs(draw: st.DrawFn) -> tuple[list[Step], set[Ref]]:
    """Steps, each after some of those before it, in any order; and the objects that will fail."""
    count = draw(st.integers(1, 25))
    refs = [
        Ref.volume(draw(st.sampled_from(["p", "q"])), f"v{number}") if draw(st.booleans()) else network(f"n{number}")
        for number in range(count)
    ]
    steps: list[Step] = []
    for number, ref in enumerate(refs):
        after = draw(st.sets(st.sampled_from(refs[:number]), max_size=3)) if number else set()
        steps.append(volume(ref, *after) if ref.pool else define(ref, *after, start=draw(st.booleans())))
    failing = draw(st.sets(st.sampled_from(refs), max_size=4))
    return draw(st.permutations(steps)), failing


@settings(max_examples=150, deadline=None)
@given(graph=graphs())
def test_every_step_ends_once_and_only_dependents_of_failures_are_left_out(
    tmp_path_factory: pytest.TempPathFactory, graph: tuple[list[Step], set[Ref]]
) -> None:
    steps, failing = graph
    folder = tmp_path_factory.mktemp("world")
    state = tmp_path_factory.mktemp("state")
    host, order = FolderHost(folder), []

    def before(ref: Ref) -> object:
        order.append(ref)
        if ref in failing:
            raise Terminal("no")
        return None

    host.before = {step.ref: lambda stop, ref=step.ref: before(ref) for step in steps}  # type: ignore[misc]
    ended: list[Ref] = []

    def tell(progress: Progress) -> None:
        if progress.outcome is not None:
            ended.append(progress.step.ref)

    with Ledger.open(state) as ledger:
        outcomes = Executor(host, ledger).apply(plan(*steps), stop=threading.Event(), on_progress=tell)
        owned, unfinished = set(ledger.ownership.all()), ledger.intents.unfinished()

    after = {step.ref: step.after for step in steps}

    def doomed(ref: Ref) -> bool:
        return any(need in failing or doomed(need) for need in after[ref])

    expected = {
        ref: Result.SKIPPED if doomed(ref) else Result.FAILED if ref in failing else Result.CREATED for ref in after
    }
    assert {outcome.step.ref: outcome.result for outcome in outcomes} == expected
    assert sorted(ended) == sorted(after)
    done = {ref for ref, result in expected.items() if result is Result.CREATED}
    assert {ref for ref in after if host.has(ref)} == done
    assert all(order.index(need) < order.index(ref) for ref in done for need in after[ref])
    assert {ref for ref in owned if ref.pool} == {ref for ref in done if ref.pool}
    assert unfinished == ()


_KILLED = """
import sys, threading
from pathlib import Path
from reconciler.applying.executor import Executor
from reconciler.ledger.ledger import Ledger
from tests.applying.world import FolderHost, define, network, plan, volume
from specs.reference import Ref

class SlowHost(FolderHost):
    def perform(self, operation, *, stop, progress):
        if operation.ref.pool:  # a volume grows while it is made
            with self.path(operation.ref).open("w") as file:
                for _ in range(200):
                    file.write("x")
                    file.flush()
                file.write("whole")
        else:
            super().perform(operation, stop=stop, progress=progress)

host, ledger = SlowHost(Path(sys.argv[1])), Ledger.open(Path(sys.argv[2]))
steps = []
for number in range(2000):
    ref = Ref.volume(f"pool{number % 3}", f"v{number}")
    steps += [volume(ref), define(network(f"n{number}"), ref)]
print("ready", flush=True)
def tell(progress):
    if progress.outcome is not None:
        print(flush=True)
Executor(host, ledger).apply(plan(*steps), stop=threading.Event(), on_progress=tell)
"""


@pytest.mark.parametrize("ends", [1, 3, 10, 40, 150, 400])
def test_after_a_kill_what_is_half_made_is_known_and_what_is_in_use_is_whole_and_ours(
    tmp_path: Path, ends: int
) -> None:
    folder, state = tmp_path / "world", tmp_path / "state"
    folder.mkdir()
    state.mkdir()
    process = subprocess.Popen([sys.executable, "-c", _KILLED, str(folder), str(state)], stdout=subprocess.PIPE)
    assert process.stdout is not None
    for _ in range(1 + ends):
        assert process.stdout.readline()
    process.send_signal(signal.SIGKILL)
    process.communicate()

    host = FolderHost(folder)
    with Ledger.open(state) as ledger:
        owned, unfinished = set(ledger.ownership.all()), set(ledger.intents.unfinished())
    assert len(list(folder.iterdir())) >= ends
    for number in range(2000):
        made, user = Ref.volume(f"pool{number % 3}", f"v{number}"), network(f"n{number}")
        if host.has(made) and made not in unfinished:
            assert host.path(made).read_text().endswith("whole")
            assert made in owned
        if host.has(user):
            assert made not in unfinished
            assert user in owned
