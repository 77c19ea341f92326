"""What a host can't do of a machine's processors holds that machine up, with a sentence."""

from __future__ import annotations

import pytest

from specs.problem import Unrenderable
from tests.specs.virtualmachine.world import KVM, QEMU, TEST_DRIVER, lowered


def test_the_hosts_own_cpu_needs_a_host_with_kvm() -> None:
    spec = {"cpuMode": "host-passthrough"}
    with pytest.raises(Unrenderable, match="KVM"):
        lowered(spec, QEMU, "web")
    for host in (KVM, TEST_DRIVER):
        assert lowered(spec, host, "web")["cpuMode"] == "host-passthrough"
