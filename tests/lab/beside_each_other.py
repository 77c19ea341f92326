"""Which tests run beside each other when a session has several workers.

The tests on the machine's own libvirtd share its processors, networks and pools: they are one chain, which begins first
and which one worker runs from its beginning to its end. The tests of any other file stay together as well, for what a
module shares. The other workers take file after file meanwhile, and the one that had the chain helps them afterwards.
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

CHAIN = "qemu"


class FilesBesideOneChain(LoadFileScheduling):
    """`--dist loadfile`, with the tests on the machine's own libvirtd as if they were one file."""

    def __init__(self, config: pytest.Config, log: Producer | None = None) -> None:
        super().__init__(config, log)
        config.option.loadscopereorder = False  # in the order of the collection: long files are no last ones
        self._chain: frozenset[str] | None = None

    def _split_scope(self, nodeid: str) -> str:
        if self._chain is None:  # every worker has told of its tests by now
            self._chain = frozenset(json.loads(_list_of_the_chain().read_text()))
        return CHAIN if nodeid in self._chain else super()._split_scope(nodeid)


def pytest_xdist_make_scheduler(config: pytest.Config, log: Producer) -> FilesBesideOneChain | None:
    return FilesBesideOneChain(config, log) if config.getoption("dist") == "loadfile" else None


@pytest.hookimpl(trylast=True)
def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """What is left when all others have deselected: a worker puts the chain first and tells the main process of it."""
    _refuse_two_of_one_name(items)
    if not hasattr(config, "workerinput"):
        return
    items.sort(key=lambda item: item.get_closest_marker("qemu") is None)
    chain = [item.nodeid for item in items if item.get_closest_marker("qemu")]
    half_written = _list_of_the_chain().with_suffix(f".{os.getpid()}")
    half_written.write_text(json.dumps(chain))
    half_written.rename(_list_of_the_chain())  # all workers have the same


def _refuse_two_of_one_name(items: list[pytest.Item]) -> None:
    """Workers are given tests by name: of several with the same they would run one, and nobody would know."""
    several = [name for name, times in Counter(item.nodeid for item in items).items() if times > 1]
    if several:
        raise pytest.UsageError(f"several tests have the same name, give each its own: {', '.join(several)}")


def _list_of_the_chain() -> Path:
    return Path(os.environ[RECORD_VARIABLE]) / "chain"
