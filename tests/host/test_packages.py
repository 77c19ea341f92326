"""Updates of packages on a real APT and a real DNF, each in a scratch root with a repository of its own."""

from __future__ import annotations

import fcntl
import subprocess
import sys
import tempfile
import threading
from pathlib import Path

import pytest

from reconciler.errors import Cancelled, NotFound, Refused, Terminal, Transient
from reconciler.host.packages import ALL_UPDATED, AptPackages, DnfPackages, Upgrade, _simulated, open_packages
from tests.host.package_trees import AptTree, apt_tree
from tests.lab.waiting import until


@pytest.fixture
def tree(tmp_path: Path) -> AptTree:
    tree = apt_tree(tmp_path)
    tree.install(tree.publish("kimchi", "1.0"))
    tree.install(tree.publish("namul", "5"))
    return tree


@pytest.fixture
def packages(tree: AptTree) -> AptPackages:
    return AptPackages(settings=tree.settings, root=tree.root, timeout_s=120, lock_wait_s=60)


def test_an_update_is_listed_installed_and_gone_from_the_list(tree: AptTree, packages: AptPackages) -> None:
    tree.publish("kimchi", "1.1~rc1+b2", depends="garlic")
    tree.publish("garlic", "7")
    lines: list[str] = []
    wanted = (Upgrade("kimchi", "1.1~rc1+b2", "all", "localhost"),)
    assert packages.upgrade(lines.append) == wanted
    assert tree.installed("kimchi") == "1.1~rc1+b2"
    assert tree.installed("garlic") == "7"
    assert tree.installed("namul") == "5"
    assert packages.upgradable() == ()
    assert any(line.startswith("Setting up kimchi") for line in lines)
    assert lines[-1] == ALL_UPDATED


def test_one_update_can_be_looked_at(tree: AptTree, packages: AptPackages) -> None:
    tree.publish("kimchi", "2")
    tree.publish("namul", "6")
    packages._refresh(print, lambda: False)
    assert [each.package_name for each in packages.upgradable()] == ["kimchi", "namul"]
    assert packages.get("namul").version == "6"
    with pytest.raises(NotFound):
        packages.get("rice")


def test_with_nothing_to_do_it_says_so(packages: AptPackages) -> None:
    with pytest.raises(Refused) as refused:
        packages.upgrade(print)
    assert refused.value.reason == "NothingToUpdate"


def test_the_packages_scripts_ask_nobody_and_no_service_is_restarted(tree: AptTree, packages: AptPackages) -> None:
    # The scratch root has no shell, so that a hook of APT's, which runs outside of it, tells what scripts are told.
    hooks = tree.root / "etc/apt/apt.conf.d/hook"
    hooks.write_text(f'DPkg::Pre-Invoke {{ "env > {tree.root}/seen; cat >> {tree.root}/seen"; }};\n')
    tree.publish("kimchi", "2")
    packages.upgrade(print)
    seen = (tree.root / "seen").read_text().splitlines()
    assert {"DEBIAN_FRONTEND=noninteractive", "NEEDRESTART_MODE=l", "LC_ALL=C"} <= {*seen}


def test_a_package_that_fails_is_told_and_its_neighbours_are_left_alone(tree: AptTree, packages: AptPackages) -> None:
    tree.publish("kimchi", "2", postinst="#!/no/such/shell\n")
    with pytest.raises(Terminal, match="The packages can't be updated"):
        packages.upgrade(print)
    assert tree.installed("namul") == "5"


def test_a_repository_that_cant_be_read_doesnt_keep_the_others_back(tree: AptTree, packages: AptPackages) -> None:
    (tree.root / "etc/apt/sources.list.d/gone.list").write_text("deb file:/no/such/folder stable main\n")
    tree.publish("kimchi", "2")
    lines: list[str] = []
    packages.upgrade(lines.append)
    assert tree.installed("kimchi") == "2"
    assert any(line.startswith("Some lists of packages can't be fetched") for line in lines)


@pytest.mark.parametrize("lock", ["var/lib/apt/lists/lock", "var/lib/dpkg/lock-frontend"])
def test_it_waits_while_another_tool_works(tree: AptTree, packages: AptPackages, lock: str) -> None:
    tree.publish("kimchi", "2")
    told = threading.Event()
    lines: list[str] = []

    def hear(line: str) -> None:
        lines.append(line)
        if "lock" in line.lower():
            told.set()

    with (tree.root / lock).open("w") as file:
        fcntl.lockf(file, fcntl.LOCK_EX)
        updating = threading.Thread(target=packages.upgrade, args=(hear,))
        updating.start()
        until(told.is_set, 60, "it says that it waits")
        assert tree.installed("kimchi") == "1.0"
    updating.join(120)
    assert tree.installed("kimchi") == "2", lines


def test_a_wait_for_another_tool_comes_to_an_end(tree: AptTree) -> None:
    packages = AptPackages(settings=tree.settings, root=tree.root, timeout_s=60, lock_wait_s=0.1)
    with (tree.root / "var/lib/apt/lists/lock").open("w") as file:
        fcntl.lockf(file, fcntl.LOCK_EX)
        with pytest.raises(Transient, match="in use by another tool"):
            packages.upgrade(print)


NOBODY = """
import os, sys
from pathlib import Path
from reconciler.errors import Terminal
from reconciler.host.packages import AptPackages
packages = AptPackages(settings=Path(sys.argv[1]), timeout_s=60, lock_wait_s=60)
os.setresuid(65534, 65534, 65534)
try:
    packages.upgrade(print)
except Terminal as error:
    print(error)
"""


def test_who_may_not_update_is_told_so_and_doesnt_wait_for_a_lock() -> None:
    with tempfile.TemporaryDirectory() as folder:
        Path(folder).chmod(0o755)
        tree = apt_tree(Path(folder) / "root")
        done = subprocess.run(
            [sys.executable, "-c", NOBODY, tree.settings], capture_output=True, text=True, timeout=120, check=True
        )
    assert "let the agent run as root" in done.stdout.splitlines()[-1]


def test_it_can_be_stopped_while_it_waits_and_one_runs_at_a_time(tree: AptTree, packages: AptPackages) -> None:
    tree.publish("kimchi", "2")
    stop = threading.Event()
    lines: list[str] = []
    ended: list[Exception] = []

    def work() -> None:
        try:
            packages.upgrade(lines.append, stop=stop.is_set)
        except Exception as error:
            ended.append(error)

    with (tree.root / "var/lib/dpkg/lock-frontend").open("w") as file:
        fcntl.lockf(file, fcntl.LOCK_EX)
        updating = threading.Thread(target=work)
        updating.start()
        until(lambda: ended or any("lock" in line for line in lines), 60, "it waits")
        assert ended == [], lines
        with pytest.raises(Refused) as refused:
            packages.upgrade(print)
        assert refused.value.reason == "UpdateRunning"
        stop.set()
        updating.join(120)
    assert [type(error) for error in ended] == [Cancelled]
    assert tree.installed("kimchi") == "1.0"
    packages.upgrade(print)
    assert tree.installed("kimchi") == "2"


def test_what_an_earlier_update_was_killed_in_is_finished_first(tree: AptTree, packages: AptPackages) -> None:
    status = tree.root / "var/lib/dpkg/status"
    status.write_text(status.read_text().replace("install ok installed", "install ok unpacked", 1))
    (tree.root / "var/lib/dpkg/updates/0001").write_text("")
    tree.publish("namul", "6")
    lines: list[str] = []
    packages.upgrade(lines.append)
    assert any("interrupted" in line for line in lines)
    assert (tree.installed("kimchi"), tree.installed("namul")) == ("1.0", "6")


def test_lines_that_mean_nothing_are_no_updates() -> None:
    output = (
        "Reading package lists...\n"
        "Inst libc6 [2.36-9] (2.36-10 Debian:12.9/stable, Debian-Security:12/stable-security [amd64]) []\n"
        "Inst libc6:i386 [2.36-9] (2.36-10 Debian:12.9/stable [i386])\n"
        "Inst brand-new (1 Debian:12.9/stable [all])\n"
        "Inst odd [1] (2 )\nInst\nInst x [\nConf libc6 (2.36-10 Debian:12.9/stable [amd64])\n"
    )
    assert list(_simulated(output)) == [
        Upgrade("libc6", "2.36-10", "amd64", "Debian:12.9/stable, Debian-Security:12/stable-security"),
        Upgrade("libc6", "2.36-10", "i386", "Debian:12.9/stable"),
        Upgrade("odd", "2", "", ""),
    ]


def test_a_host_without_a_package_tool_has_none(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", "")
    assert open_packages() is None


def rpm(folder: Path, version: str) -> Path:
    spec = folder / f"kimchi-{version}.spec"
    spec.write_text(
        f"Name: kimchi\nVersion: {version}\nRelease: 1\nSummary: x\nLicense: MIT\nBuildArch: noarch\n"
        "%description\nx\n%files\n"
    )
    subprocess.run(
        ["rpmbuild", "-bb", "--define", f"_topdir {folder}/build", "--define", f"_rpmdir {folder}", spec],
        check=True,
        capture_output=True,
    )
    return folder / "noarch" / f"kimchi-{version}-1.noarch.rpm"


def test_dnf_lists_and_installs_updates_too(tmp_path: Path) -> None:
    root, served = tmp_path / "root", tmp_path / "served"
    served.mkdir()
    (root / "etc/yum.repos.d").mkdir(parents=True)
    (root / "etc/yum.repos.d/served.repo").write_text(f"[served]\nname=x\nbaseurl=file://{served}\ngpgcheck=0\n")
    options = [
        f"--installroot={root}", "--releasever=1", f"--setopt=reposdir={root}/etc/yum.repos.d",
        f"--setopt=cachedir={root}/cache", f"--setopt=logdir={root}",
    ]  # fmt: skip
    packages = DnfPackages(options=options, timeout_s=120)
    rpm(served, "1.0")
    subprocess.run(["createrepo_c", served], check=True, capture_output=True)
    subprocess.run(["dnf", "-y", *options, "install", "kimchi"], check=True, capture_output=True)
    with pytest.raises(Refused) as refused:
        packages.upgrade(print)
    assert refused.value.reason == "NothingToUpdate"
    rpm(served, "1.1")
    subprocess.run(["createrepo_c", "--update", served], check=True, capture_output=True)
    assert packages.upgrade(print) == (Upgrade("kimchi", "1.1-1", "noarch", "served"),)
    asked = subprocess.run(["rpm", f"--root={root}", "-q", "kimchi"], capture_output=True, text=True, check=True)
    assert asked.stdout == "kimchi-1.1-1.noarch\n"
    assert packages.upgradable() == ()
