"""The machine through HTTP: what it is and does. It is told to go down only where nobody listens."""

from __future__ import annotations

import fcntl
from collections.abc import Iterator
from pathlib import Path

import libvirt
import psutil
import pytest

from reconciler.host.packages import ALL_UPDATED, AptPackages
from reconciler.host.power import HostPower
from tests.api.host import Calls, harmless_host
from tests.api.live import LiveApi, live_api
from tests.host.package_trees import AptTree, apt_tree
from tests.lab.repositories import Repository
from tests.lab.waiting import until


@pytest.fixture
def calls() -> Calls:
    return Calls()


@pytest.fixture
def packages(tmp_path: Path) -> AptTree:
    """Another machine's packages, which are there to be updated."""
    tree = apt_tree(tmp_path / "machine")
    tree.install(tree.publish("kimchi", "1.0"))
    return tree


@pytest.fixture
def api(
    hand: libvirt.virConnect, repository: Repository, tmp_path: Path, calls: Calls, packages: AptTree
) -> Iterator[LiveApi]:
    apt = AptPackages(settings=packages.settings, root=packages.root, timeout_s=120, lock_wait_s=60)
    host = harmless_host(packages.root, calls, packages=lambda: apt)
    repository.commit({}, "Begin")
    with live_api(repository, tmp_path / "state", host=host) as running:
        yield running


@pytest.fixture
def at_rest(hand: libvirt.virConnect) -> Iterator[None]:
    """No machine runs: the test driver's own one is off meanwhile."""
    domain = hand.lookupByName("test")
    domain.destroy()
    yield
    domain.create()


def test_a_machine_is_told_of(api: LiveApi) -> None:
    found = api.client.get("/host").json()
    assert found["memory"] == psutil.virtual_memory().total
    assert found["cpus"] == psutil.cpu_count()
    assert {"cpu_model", "os_distro", "os_version", "os_codename"} <= found.keys()


def test_its_load_is_told_second_by_second(api: LiveApi) -> None:
    now = api.client.get("/host/stats").json()
    assert 0 <= now["cpu_utilization"] <= 100
    assert now["memory"]["total"] == psutil.virtual_memory().total
    assert now["memory"]["avail"] == sum(now["memory"][key] for key in ("free", "buffers", "cached"))

    def history() -> dict[str, list[object]]:
        found: dict[str, list[object]] = api.client.get("/host/stats/history").json()
        assert found.pop("actions") == now["actions"] == []
        return found

    until(lambda: len(history()["cpu_utilization"]) >= 3, 60, "three samples are there")
    assert history().keys() == now.keys() - {"actions"}
    assert len({len(each) for each in history().values()}) == 1


def test_its_cpus_are_those_that_libvirt_tells_of(api: LiveApi) -> None:
    expected = {"threading_enabled": True, "sockets": 2, "cores": 8, "threads_per_core": 1, "actions": []}
    assert api.client.get("/host/cpuinfo").json() == expected  # the test driver's


@pytest.mark.parametrize(
    ("action", "code"), [("reboot", "KCHHOST0002E"), ("shutdown", "KCHHOST0001E")]
)  # fmt: skip
def test_it_stays_up_while_a_machine_runs(api: LiveApi, calls: Calls, action: str, code: str) -> None:
    answer = api.client.post(f"/host/{action}")
    assert answer.status_code == 400
    assert answer.json()["reason"].startswith(f"{code}: ")
    assert "run on it: test;" in answer.json()["reason"]
    assert calls.made == []


@pytest.mark.usefixtures("at_rest")
@pytest.mark.parametrize(("action", "verb"), [("reboot", "reboot"), ("shutdown", "poweroff")])
def test_it_goes_down_when_none_runs(api: LiveApi, calls: Calls, action: str, verb: str) -> None:
    answer = api.client.post(f"/host/{action}")
    assert answer.status_code == 200
    assert answer.json() == api.client.get("/host").json()
    assert calls.made == [f"systemctl --no-ask-password --no-block {verb}"]


@pytest.mark.usefixtures("at_rest")
def test_a_machine_that_was_started_a_moment_ago_counts(api: LiveApi, calls: Calls, hand: libvirt.virConnect) -> None:
    hand.lookupByName("test").create()
    try:
        assert api.client.post("/host/shutdown").status_code == 400
    finally:
        hand.lookupByName("test").destroy()
    assert calls.made == []


def test_no_test_can_take_this_machine_down(api: LiveApi) -> None:
    power = api.serving.host.power
    assert isinstance(power, HostPower)
    assert isinstance(power._run, Calls)


def test_its_packages_are_brought_up_to_date_by_a_task(api: LiveApi, packages: AptTree) -> None:
    packages.publish("kimchi", "1.1")
    begun = api.client.post("/host/swupdate")
    assert begun.json()["target_uri"] == "/host/swupdate"
    ended = api.task(begun)
    assert (ended["status"], ended["message"]) == ("finished", ALL_UPDATED)
    assert packages.installed("kimchi") == "1.1"


def test_an_update_with_nothing_to_do_says_so(api: LiveApi) -> None:
    ended = api.task(api.client.post("/host/swupdate"))
    assert ended["status"] == "finished"
    assert "nothing to do" in ended["message"]


def test_a_second_update_waits_for_the_end_of_the_first(api: LiveApi, packages: AptTree) -> None:
    packages.publish("kimchi", "1.1")
    with (packages.root / "var/lib/apt/lists/lock").open("w") as lock:
        fcntl.lockf(lock, fcntl.LOCK_EX)  # somebody at the console, who uses APT too
        begun = api.client.post("/host/swupdate")
        task = f"/tasks/{begun.json()['id']}"
        until(lambda: "lock" in api.client.get(task).json()["message"], 60, "the progress is told")
        assert api.client.post("/host/swupdate").status_code == 409
    assert api.task(begun)["message"] == ALL_UPDATED
    assert packages.installed("kimchi") == "1.1"


def test_updates_are_listed(api: LiveApi, packages: AptTree) -> None:
    packages.publish("kimchi", "1.2")
    assert api.task(api.client.post("/host/swupdate"))["status"] == "finished"
    assert api.client.get("/host/packagesupdate").json() == []
    missing = api.client.get("/host/packagesupdate/kimchi")
    assert missing.status_code == 404
    assert missing.json()["reason"].startswith("KCHPKGUPD0002E: ")


def test_an_update_is_shown(api: LiveApi, packages: AptTree) -> None:
    tool = api.serving.host.packages()
    assert tool is not None
    packages.publish("kimchi", "1.2")
    tool._refresh(print, lambda: False)
    expected = {"package_name": "kimchi", "arch": "all", "version": "1.2", "repository": "localhost", "actions": []}
    assert api.client.get("/host/packagesupdate").json() == [expected]
    assert api.client.get("/host/packagesupdate/kimchi").json() == expected
