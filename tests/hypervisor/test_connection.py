"""Connections come when needed, and a lost one is a sentence and then a new one."""

from __future__ import annotations

import subprocess
import sys
import threading
from contextlib import ExitStack

import pytest

from reconciler.errors import Disconnected
from reconciler.hypervisor import Hypervisor
from reconciler.hypervisor.connection import Connections, Lane
from reconciler.planning.operations import SetAutostart
from specs.reference import Ref
from tests.hostile.private_libvirtd import PrivateLibvirtd, private_libvirtd
from tests.hypervisor.conftest import machine
from tests.lab.waiting import until

__all__ = ["private_libvirtd"]  # a fixture


def test_opening_touches_nothing_until_something_is_asked() -> None:
    hypervisor = Hypervisor.open("qemu+unix:///system?socket=/nowhere/libvirt-sock")
    assert not hypervisor.connected
    hypervisor.close()


def test_a_host_that_cannot_be_reached_is_a_sentence_with_the_uri_and_what_to_do() -> None:
    uri = "qemu+unix:///system?socket=/nowhere/libvirt-sock"
    hypervisor = Hypervisor.open(uri)
    with pytest.raises(Disconnected, match=r"can't be reached: .*check that libvirtd runs") as caught:
        hypervisor.observe(None, None)
    assert uri in str(caught.value)
    with pytest.raises(Disconnected):
        hypervisor.perform(SetAutostart(Ref("VirtualMachine", "web"), on=True))
    hypervisor.close()


def test_a_driver_inside_the_process_is_the_same_world_for_all_threads(test_host: Hypervisor) -> None:
    machines = [machine(f"vm-{number}", kind="test") for number in range(12)]
    threads = [threading.Thread(target=test_host.perform, args=(each.define,)) for each in machines]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert {each.ref for each in machines} == set(test_host.observe(None, None).objects)


def test_errors_are_not_printed(test_host: Hypervisor, capfd: pytest.CaptureFixture[str]) -> None:
    test_host.observe(None, None)
    test_host.observe(test_host.observe(None, None), frozenset({Ref("VirtualMachine", "nobody")}))
    assert capfd.readouterr().err == ""


def test_no_connection_is_ever_used_by_two_threads_at_once(private_libvirtd: PrivateLibvirtd) -> None:
    """Two waiting on one could write into the stack of a third (CVE-2024-4418), so the events have one of their own."""
    connections = Connections(private_libvirtd.uri, quick=2, slow=2, changed=lambda _: None, devices=lambda: None)
    with ExitStack() as lent:
        places = [Lane.QUICK, Lane.QUICK, Lane.SLOW, Lane.SLOW, Lane.DATA, Lane.DATA, Lane.SAMPLING]
        taken = [lent.enter_context(connections.lend("look", lane)) for lane in places]
        assert len({id(each) for each in taken}) == len(places)
        assert private_libvirtd.clients() == len(places) + 1
    connections.close()
    until(lambda: private_libvirtd.clients() == 0, 10, "all connections are closed")


LOST_WHILE_ASKED = """
import sys, threading
from reconciler.hypervisor.connection import Connections

connections, over = Connections(sys.argv[1], changed=lambda _: None, devices=lambda: None), threading.Event()

def ask():
    while not over.is_set():
        connections.connected

asking = [threading.Thread(target=ask) for _ in range(2)]
for thread in asking:
    thread.start()
for _ in range(30):
    with connections.lend("look") as connection:
        connection.listAllDomains()
    connections._lose(connections.generation)
over.set()
for thread in asking:
    thread.join()
print("whole")
"""


def test_a_connection_may_be_lost_while_others_ask_whether_it_lives(private_libvirtd: PrivateLibvirtd) -> None:
    """Closed under them it would end the process, so it is one of its own."""
    words = [sys.executable, "-c", LOST_WHILE_ASKED, private_libvirtd.uri]
    done = subprocess.run(words, capture_output=True, text=True, timeout=300, check=False)
    assert (done.returncode, done.stdout) == (0, "whole\n"), done.stderr


def test_after_a_restart_of_libvirtd_the_next_call_connects_again_and_reads_everything(
    private_libvirtd: PrivateLibvirtd,
) -> None:
    marks: list[Ref | None] = []
    hypervisor = Hypervisor.open(private_libvirtd.uri)
    hypervisor.subscribe(marks.append)
    web = machine("web")
    hypervisor.perform(web.define)
    before = hypervisor.observe(None, None)
    assert web.ref in before.objects

    private_libvirtd.kill()
    until(lambda: None in marks, 10, "the loss is told")
    assert not hypervisor.connected
    with pytest.raises(Disconnected, match="can't be reached"):
        hypervisor.observe(before, frozenset())

    private_libvirtd.start()
    marks.clear()
    # Nothing is marked, but who knows what happened meanwhile: everything is read.
    after = until(lambda: hypervisor.observe(before, frozenset()), 20, "it is connected again", every_s=0.2)
    assert hypervisor.connected
    assert None in marks
    assert after.objects[web.ref] is before.objects[web.ref]
    hypervisor.close()
