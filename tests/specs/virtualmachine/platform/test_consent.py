"""What lifts a machine's confinement, or runs another program than QEMU, needs its host's administrator."""

from __future__ import annotations

from typing import Any

import pytest

from reconciler.planning.virtualmachine.rules import RULES
from specs.reach import Reach
from specs.virtualmachine.platform.consent import without_consent
from tests.planning.machines import off
from tests.planning.worlds import wanted

STATIC = {"model": "dac", "type": "static", "label": "+0:+0"}
NEEDY: list[tuple[dict[str, Any], str, str]] = [
    ({"emulator": "/srv/iso/qemu"}, "emulator", "hypervisor"),
    ({"emulator": "/usr/bin/../../srv/qemu-kvm"}, "emulator", "hypervisor"),
    ({"emulator": "/usr/bin/qemu-img"}, "emulator", "hypervisor"),
    ({"securityLabels": [STATIC]}, "securityLabels", "security"),
    ({"securityLabels": [{"type": "none"}]}, "securityLabels", "security"),
    ({"securityLabels": [{"type": "dynamic", "baselabel": "own"}]}, "securityLabels", "security"),
    ({"resourcePartition": "/system"}, "resourcePartition", "security"),
]
FREE: list[dict[str, Any]] = [
    {"emulator": "/usr/bin/qemu-system-aarch64"},
    {"emulator": "/usr/libexec/qemu-kvm"},
    {"securityLabels": [{"model": "apparmor", "type": "dynamic"}]},
    {"memory": 64},
]


@pytest.mark.parametrize(("spec", "field", "area"), NEEDY, ids=str)
def test_it_is_refused_until_the_administrator_agrees(spec: Any, field: str, area: str) -> None:
    ((said, why),) = without_consent(spec, {}, frozenset())
    assert said == field
    assert f"allow-xml ({area})" in why
    assert list(without_consent(spec, {}, frozenset({area}))) == []


@pytest.mark.parametrize("spec", FREE, ids=str)
def test_what_every_machine_may_have_needs_nobody(spec: Any) -> None:
    assert list(without_consent(spec, {}, frozenset())) == []


def test_what_a_machine_has_already_may_stay() -> None:
    spec: Any = {"emulator": "/srv/qemu", "resourcePartition": "/a"}
    assert [field for field, _ in without_consent(spec, spec, frozenset())] == []
    assert [field for field, _ in without_consent(spec, {"emulator": "/srv/qemu"}, frozenset())] == [
        "resourcePartition"
    ]


def test_planning_leaves_the_field_alone_and_does_all_else() -> None:
    document = wanted(securityLabels=[STATIC])
    assert [field for field, _ in RULES.refused(document, off(), Reach())] == [("securityLabels",)]
    assert list(RULES.refused(document, off(), Reach(xml_areas=frozenset({"security"})))) == []
