"""The documented systemd unit bounds what a taken-over agent could do, and leaves it what it needs."""

from __future__ import annotations

import re
import subprocess
from pathlib import Path

import pytest

from reconciler.settings import bounds
from tests.stories.test_own_user import AS_ITS_UNIT
from tests.test_docs import blocks

INSTALL = Path(__file__).parents[1] / "docs/install.md"
_YES = (
    *("PrivateTmp", "ProtectControlGroups", "ProtectKernelTunables", "ProtectKernelModules", "ProtectKernelLogs"),
    *(
        "ProtectClock",
        "ProtectHostname",
        "NoNewPrivileges",
        "RestrictSUIDSGID",
        "RestrictNamespaces",
        "RestrictRealtime",
    ),
    *("LockPersonality", "RemoveIPC"),
)
_HARMLESS = frozenset(
    ["CAP_CHOWN", "CAP_DAC_OVERRIDE", "CAP_DAC_READ_SEARCH", "CAP_FOWNER", "CAP_KILL", "CAP_SETGID", "CAP_SETUID"]
)
POOLS = ("/var/lib/libvirt", "/srv", "/mnt", "/media")


@pytest.fixture(scope="module")
def unit() -> str:
    """The service as the documentation has it."""
    return next(block for block in blocks(INSTALL, "ini") if "ExecStart=" in block)


def values(unit: str, key: str) -> list[str]:
    """All words of a directive; none when it isn't there."""
    return [word for line in re.findall(rf"^{key}=(.*)$", unit, re.MULTILINE) for word in line.split()]


def test_the_agent_gives_up_what_it_doesn_t_need(unit: str) -> None:
    assert {key: values(unit, key) for key in _YES} == {key: ["yes"] for key in _YES}
    assert values(unit, "ProtectSystem") == ["strict"] and values(unit, "ProtectHome") == ["read-only"]
    assert values(unit, "DevicePolicy") == ["closed"]
    assert set(values(unit, "CapabilityBoundingSet")) == _HARMLESS
    assert values(unit, "SystemCallFilter") == ["@system-service"]
    assert values(unit, "SystemCallArchitectures") == ["native"]


def test_it_keeps_what_it_needs(unit: str) -> None:
    assert {"AF_UNIX", "AF_INET", "AF_INET6", "AF_NETLINK"} == set(values(unit, "RestrictAddressFamilies"))
    assert values(unit, "StateDirectory") == ["onggi"] and values(unit, "StateDirectoryMode") == ["0700"]
    assert {path.lstrip("-") for path in values(unit, "ReadWritePaths")} == set(POOLS), "those where pools may be made"
    assert not values(unit, "MemoryDenyWriteExecute"), "libffi's closures need it"


def test_pools_may_be_made_by_default_where_the_unit_lets_the_agent_write() -> None:
    assert 'POOL_FOLDERS: Final = ("' + '", "'.join(POOLS) + '")' in Path(bounds.__file__).read_text()


def test_the_helper_of_an_agent_that_isn_t_root_has_no_more_than_its_tests_give_it() -> None:
    helper = next(block for block in blocks(INSTALL, "ini") if "onggi pam " in block)
    assert values(helper, "CapabilityBoundingSet") == ["CAP_AUDIT_WRITE", "CAP_CHOWN", "CAP_DAC_READ_SEARCH"]
    given = AS_ITS_UNIT[-1].removeprefix("-all,").split(",")
    assert [f"CAP_{each.removeprefix('+').upper()}" for each in given] == values(helper, "CapabilityBoundingSet")
    assert all(values(helper, key) == ["yes"] for key in _YES if key != "RemoveIPC"), helper
    assert values(helper, "ProtectSystem") == ["strict"] and values(helper, "PrivateNetwork") == ["yes"]


def test_an_agent_of_its_own_user_has_nothing_of_root_s() -> None:
    changes = next(block for block in blocks(INSTALL, "ini") if "User=onggi" in block)
    assert "CapabilityBoundingSet=\n" in changes and "ReadWritePaths=\n" in changes


def test_systemd_agrees_with_what_the_documentation_says_of_the_units(unit: str, tmp_path: Path) -> None:
    found = {block for block in blocks(INSTALL, "ini") if "[Service]" in block}
    [helper] = [block for block in found if "onggi pam " in block]
    [own_user] = [block for block in found if "User=onggi" in block]
    as_own_user = unit.replace("[Install]", own_user.replace("[Service]", "") + "[Install]")
    told = re.sub(r"\s+", " ", INSTALL.read_text())
    assert f"an exposure of {exposure(unit, tmp_path)} (of 10" in told
    assert f"it is {exposure(as_own_user, tmp_path)}, and the helper for PAM has {exposure(helper, tmp_path)}." in told


def exposure(unit: str, folder: Path) -> str:
    service = folder / "onggi.service"
    service.write_text(re.sub("ExecStart=.*", "ExecStart=/bin/true", unit))
    command = ["systemd-analyze", "security", "--offline=yes", "--no-pager", str(service)]
    done = subprocess.run(command, stdin=subprocess.DEVNULL, capture_output=True, text=True)
    level = re.search(r"exposure level for onggi.service: ([0-9.]+) ", done.stdout)
    assert level is not None, done.stdout[-500:] + done.stderr
    return level[1]
