"""Which tests run beside each other when a session has several workers.

The tests on the machine's own libvirtd share its processors, networks and pools: they are one chain, which begins first
and which one worker runs from its beginning to its end. Others with something large in common say so with the mark
`chain`, and are one of their own. The tests of any other file stay together as well, for what a module shares. The
other workers take file after file meanwhile, and the one that had the first chain helps them afterwards.

What is left of a session is most often the first chain: whoever runs anything else leaves the processors to it.
"""

from __future__ import annotations

import json
import os
from collections import Counter
from pathlib import Path

import pytest
from xdist.remote import Producer
from xdist.scheduler import LoadFileScheduling

from tests.lab.libvirtd import RECORD_VARIABLE

FIRST = "qemu"
NICENESS = 5


class FilesBesideChains(LoadFileScheduling):
    """`--dist loadfile`, with the tests of a chain as if they were one file."""

    def __init__(self, config: pytest.Config, log: Producer | None = None) -> None:
        super().__init__(config, log)
        config.option.loadscopereorder = False  # in the order of the collection: long files are no last ones
        self._chains: dict[str, str] | None = None

    def _split_scope(self, nodeid: str) -> str:
        if self._chains is None:  # every worker has told of its tests by now
            self._chains = json.loads(_list_of_chains().read_text())
        return self._chains.get(nodeid) or super()._split_scope(nodeid)


def pytest_configure(config: pytest.Config) -> None:
    config.addinivalue_line("markers", "chain(name): runs on the same worker as all others of this chain")


def pytest_xdist_make_scheduler(config: pytest.Config, log: Producer) -> FilesBesideChains | None:
    return FilesBesideChains(config, log) if config.getoption("dist") == "loadfile" else None


@pytest.hookimpl(trylast=True)
def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """What is left when all others have deselected: a worker puts chains first and tells the main process of them."""
    _refuse_two_of_one_name(items)
    if not hasattr(config, "workerinput"):
        return
    items.sort(key=lambda item: (_chain(item) != FIRST, _chain(item) is None))
    chains = {item.nodeid: chain for item in items if (chain := _chain(item))}
    half_written = _list_of_chains().with_suffix(f".{os.getpid()}")
    half_written.write_text(json.dumps(chains))
    half_written.rename(_list_of_chains())  # all workers have the same


@pytest.hookimpl(tryfirst=True)
def pytest_runtest_setup(item: pytest.Item) -> None:
    """A worker that begins with something else stands back for good: the first chain is no longer its business."""
    if hasattr(item.config, "workerinput") and _chain(item) != FIRST:
        os.setpriority(os.PRIO_PROCESS, 0, max(NICENESS, os.getpriority(os.PRIO_PROCESS, 0)))


def _chain(item: pytest.Item) -> str | None:
    if mark := item.get_closest_marker("chain"):
        return str(mark.args[0])
    return FIRST if item.get_closest_marker("qemu") else None


def _refuse_two_of_one_name(items: list[pytest.Item]) -> None:
    """Workers are given tests by name: of several with the same they would run one, and nobody would know."""
    several = [name for name, times in Counter(item.nodeid for item in items).items() if times > 1]
    if several:
        raise pytest.UsageError(f"several tests have the same name, give each its own: {', '.join(several)}")


def _list_of_chains() -> Path:
    return Path(os.environ[RECORD_VARIABLE]) / "chains"
