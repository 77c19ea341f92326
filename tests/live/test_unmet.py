"""What a host lacks for a machine's memory keeps that machine from starting, and nothing else from coming true."""

from __future__ import annotations

from reconciler.planning.operations import Start
from tests.live.machine import LiveMachine
from tests.stories.live_guest import document


def test_a_machine_that_needs_huge_pages_waits_alone_and_says_why(machine: LiveMachine) -> None:
    guest = machine.guest
    guest.spec = {"memory": 64, "domainType": "emulated", "runStrategy": "Always", "paused": True}
    lan = guest.objects.name("lan")
    guest.repository.commit({"lan.yaml": document("Network", lan, {"mode": "isolated"})})
    guest.commit(memoryBacking={"hugePages": True, "pages": [{"size": "1GiB"}]})
    done = guest.line.converge()
    (failed,) = [outcome for outcome in done.outcomes if not outcome.ok]
    assert any(isinstance(operation, Start) for operation in failed.step.operations)
    assert "huge" in failed.message and not guest.domain.isActive()
    assert guest.connection.networkLookupByName(lan).isActive()
