"""The machine tells what it is; what it doesn't tell is empty, with the reason."""

from __future__ import annotations

import os
from pathlib import Path

import psutil
import pytest

from reconciler.host import facts
from reconciler.host.facts import OperatingSystem, cpu_model, machine_facts, operating_system


def test_the_facts_of_this_machine() -> None:
    found = machine_facts()
    assert found.memory == psutil.virtual_memory().total
    assert found.cpus == os.sysconf("SC_NPROCESSORS_ONLN")
    release = Path("/etc/os-release").read_text()
    assert f'NAME="{found.os_distro}"' in release
    assert found.os_version in release
    assert found.cpu_model in Path("/proc/cpuinfo").read_text()


def test_no_program_is_needed_for_them(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", "")
    operating_system.cache_clear()
    cpu_model.cache_clear()
    assert machine_facts().os_distro


@pytest.mark.parametrize(
    ("release", "told"),
    [
        (
            'NAME="Fedora Linux"\nVERSION_ID=40\nVERSION="40 (Forty)"\nID=fedora\n',
            ("Fedora Linux", "40", "Forty"),
        ),
        (
            'NAME="Ubuntu"\nVERSION_ID="24.04"\nVERSION_CODENAME=noble\nID=ubuntu\n',
            ("Ubuntu", "24.04", "noble"),
        ),
        ("", ("", "", "")),
        ('NAME="no end of the quote\nVERSION_ID=1', ("", "", "")),
    ],
)
def test_an_operating_system_is_what_its_os_release_says(release: str, told: tuple[str, ...], tmp_path: Path) -> None:
    (tmp_path / "etc").mkdir()
    (tmp_path / "etc/os-release").write_text(release)
    assert operating_system(tmp_path) == OperatingSystem(*told)


def test_a_root_without_os_release(tmp_path: Path) -> None:
    assert operating_system(tmp_path) == OperatingSystem("", "", "")


@pytest.mark.parametrize(
    ("cpuinfo", "model"),
    [
        ("processor\t: 0\nmodel\t\t: 17\nmodel name\t: AMD EPYC\n\nprocessor: 1\nmodel name: other\n", "AMD EPYC"),
        ("processor\t: 0\ncpu\t\t: POWER9, altivec supported\nclock : 3800MHz\n", "POWER9, altivec supported"),
        ("processor\t: 0\nBogoMIPS\t: 50.00\nCPU implementer\t: 0x41\n", "A Board"),
    ],
)
def test_the_model_of_the_cpu_by_architecture(cpuinfo: str, model: str, tmp_path: Path) -> None:
    (tmp_path / "cpuinfo").write_text(cpuinfo)
    (tmp_path / "model").write_bytes(b"A Board\0")
    assert cpu_model(tmp_path / "cpuinfo", tmp_path / "model") == model


def test_what_isnt_told_is_empty_and_has_a_reason(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(facts, "cpu_model", lambda: cpu_model(tmp_path / "none", tmp_path / "none"))
    monkeypatch.setattr(facts, "operating_system", lambda: operating_system(tmp_path))
    found = machine_facts()
    assert (found.cpu_model, found.os_distro) == ("", "")
    assert len(found.missing) == 2
