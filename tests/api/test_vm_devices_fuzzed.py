"""Requests that nobody would write, about the devices and snapshots of a machine that is really there.

What is made up at random rarely names a machine; here the machine is given and the rest is made up.
"""

from __future__ import annotations

from collections.abc import Iterator

import libvirt
import pytest
import schemathesis

from tests.api.live import LiveApi, live_api
from tests.api.made_up import CHECKS, document, made_up_of_the_document, the_same_each_time
from tests.api.parts import define, disk_xml
from tests.lab.repositories import Repository
from tests.stories.hosts import SHARED

__all__ = ["document"]

NAME = "fuzzed"
GIVEN = {"name": NAME, "dev": "sda", "mac": "52:54:00:00:00:01"}

of_a_machines_devices = made_up_of_the_document.include(path_regex=r"^/vms/\{name\}/[a-z]+s\b")


@pytest.fixture(scope="module")
def api(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LiveApi]:
    folder = tmp_path_factory.mktemp("fuzzed")
    repository = Repository(folder / "repository")
    repository.commit({}, "Begin")
    hand = libvirt.open(SHARED)
    card = "<interface type='network'><mac address='52:54:00:00:00:01'/><source network='default'/></interface>"
    define(hand, NAME, disk_xml("", "sda", "raw", "sata", "cdrom") + card)
    with live_api(repository, folder / "state") as running:
        yield running
    domain = hand.lookupByName(NAME)
    domain.undefineFlags(libvirt.VIR_DOMAIN_UNDEFINE_SNAPSHOTS_METADATA)
    hand.close()


@of_a_machines_devices.parametrize()
@the_same_each_time
def test_no_request_about_a_machine_gets_an_answer_that_is_not_told_of(api: LiveApi, case: schemathesis.Case) -> None:
    if case.method != "DELETE":  # it would have nothing left to be asked about
        case.path_parameters = {name: GIVEN.get(name, value) for name, value in (case.path_parameters or {}).items()}
    else:
        case.path_parameters = {**(case.path_parameters or {}), "name": NAME}
    answer = case.call(base_url=api.url, timeout=60, allow_redirects=False)
    assert answer.status_code != 500, answer.text
    case.validate_response(answer, checks=CHECKS)
