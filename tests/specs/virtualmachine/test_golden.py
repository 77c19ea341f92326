"""Specs and the XML that each becomes. `python -m tests.specs.virtualmachine.test_golden` writes what it is now."""

from __future__ import annotations

from pathlib import Path

import libvirt
import pytest
import yaml

from tests.lab.libvirtd import HostObjects
from tests.specs.virtualmachine.world import (
    KVM,
    QEMU,
    TEST_DRIVER,
    changed,
    defined,
    diff,
    filled,
    inactive,
    rendered,
    unchanged,
)

GOLDEN = Path(__file__).parent / "golden"
HOSTS = {"kvm": KVM, "qemu": QEMU, "test-driver": TEST_DRIVER}
CASES = sorted(path.parent.relative_to(GOLDEN).as_posix() for path in GOLDEN.glob("*/*/spec.yaml"))
QEMU_CASES = [case for case in CASES if case.startswith("qemu/")]


def render(case: str, name: str = "web") -> str:
    return rendered(yaml.safe_load((GOLDEN / case / "spec.yaml").read_text()), HOSTS[case.partition("/")[0]], name)


@pytest.mark.parametrize("case", CASES)
def test_a_spec_becomes_the_expected_xml(case: str) -> None:
    assert render(case) == (GOLDEN / case / "expected.xml").read_text()


@pytest.mark.parametrize("case", QEMU_CASES)
def test_qemu_gives_back_what_was_meant(
    case: str, qemu_connection: libvirt.virConnect, host_objects: HostObjects
) -> None:
    spec, name = yaml.safe_load((GOLDEN / case / "spec.yaml").read_text()), host_objects.name("golden")
    with defined(qemu_connection, filled(render(case, name), spec)) as domain:
        text = inactive(domain)
        assert diff(spec, text, QEMU, name=name) == []
        assert changed(text, spec, QEMU, name=name) == unchanged(text)


if __name__ == "__main__":
    for each in CASES:
        (GOLDEN / each / "expected.xml").write_text(render(each))
