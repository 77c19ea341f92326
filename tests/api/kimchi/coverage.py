"""Which of the specification's addresses a file of tests has spoken to, so that none is left out on either driver."""

from __future__ import annotations

import re
from collections import defaultdict

import httpx

from tests.api.specification import addresses

# The file that each address belongs to is that of the longest beginning.
FILES = {
    "/": "test_config", "/config": "test_config", "/plugins": "test_peers", "/peers": "test_peers",
    "/users": "test_peers", "/groups": "test_peers", "/tasks": "test_tasks", "/host": "test_host",
    "/storageservers": "test_host", "/interfaces": "test_interfaces", "/networks": "test_networks",
    "/storagepools": "test_storagepools", "/storagepools/{}/storagevolumes": "test_storagevolumes",
    "/templates": "test_templates", "/vms": "test_vms", "/vms/{}/storages": "test_vm_storages",
    "/vms/{}/ifaces": "test_vm_ifaces", "/vms/{}/hostdevs": "test_vm_hostdevs",
}  # fmt: skip
# What no driver has a part in is left to the tests of the machine, and what this machine hasn't to others.
ELSEWHERE = {
    "/debugreports": "tests/api/test_debug_reports.py",
    "/host/packagesupdate": "tests/api/test_host_packages.py",
    "/host/swupdate": "tests/api/test_host_packages.py",
    "/host/repositories": "tests/api/test_host_repositories.py",
    "/storageservers/{}/storagetargets": "tests/api/test_storage_targets.py",
    "/host/devices/{}/vmholders/{}": "tests/api/test_host_devices.py",
}
REFUSED = {
    ("test", "PUT", "/storagepools/{}/storagevolumes/{}"): "differences.VOLUME_DATA",
    ("test", "POST", "/storagepools/{}/storagevolumes/{}/wipe"): "differences.VOLUME_DATA",
    ("test", "POST", "/vms/{}/hostdevs"): "no device here can be given away: tests/labvm/test_devices.py",
    ("qemu", "POST", "/vms/{}/hostdevs"): "no device here can be given away: tests/labvm/test_devices.py",
}


def demanded() -> set[tuple[str, str]]:
    """Every method of every address, and every action."""
    found = {(verb, address.path) for address in addresses() for verb in address.methods}
    return found | {("POST", f"{address.path}/{action}") for address in addresses() for action in address.actions}


def file_of(path: str) -> str:
    """The file of tests that an address belongs to."""
    known = FILES | ELSEWHERE
    return known[max((each for each in known if path == each or path.startswith(f"{each.rstrip('/')}/")), key=len)]


_PATTERNS = {path: re.compile(re.escape(path).replace(r"\{\}", "[^/]+")) for _, path in demanded()}


class Coverage:
    """What one file's tests have done, by driver."""

    def __init__(self, file: str) -> None:
        self._file = file
        self._done: dict[str, set[tuple[str, str]]] = defaultdict(set)
        self.ran: dict[str, set[str]] = defaultdict(set)  # the names of those tests

    def note(self, driver: str, answer: httpx.Response) -> None:
        """Something was asked for. It counts when it was done."""
        if answer.is_error:
            return
        path = answer.request.url.raw_path.decode().partition("?")[0]
        self._done[driver] |= {
            (answer.request.method, each) for each, pattern in _PATTERNS.items() if pattern.fullmatch(path)
        }

    def missing(self, driver: str) -> list[str]:
        """What belongs to the file and wasn't done."""
        mine = {(verb, path) for verb, path in demanded() if file_of(path) == self._file}
        missing = {each for each in mine - self._done[driver] if (driver, *each) not in REFUSED}
        return sorted(" ".join(each) for each in missing)
