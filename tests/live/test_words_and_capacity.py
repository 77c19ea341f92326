"""What a running machine is called, and how much of what it may have it has."""

from __future__ import annotations

from tests.lab.live_fields import shows_live
from tests.live.machine import LiveMachine


@shows_live("title", "description")
def test_words_change_while_it_runs(machine: LiveMachine) -> None:
    machine.start()
    machine.change(title="web", description="two\nlines")
    assert (machine.live().findtext("title"), machine.live().findtext("description")) == ("web", "two\nlines")


@shows_live("cpus")
def test_qemu_has_the_processor_that_comes(machine: LiveMachine) -> None:
    machine.start(cpus=1, maximumCpus=4)
    machine.change(cpus=3)
    assert len(machine.ask("query-cpus-fast")) == 3
    assert machine.config("vcpu/@current") == machine.live("vcpu/@current") == "3"
