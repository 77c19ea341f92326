"""What every test may use. The fixtures live in `tests/lab`, one subject in each module."""

import ipaddress
import logging
import socket
from collections.abc import Iterator
from contextlib import suppress
from typing import Any

import pytest
from hypothesis import HealthCheck, settings

pytest_plugins = [
    "tests.lab.guest_image",
    "tests.lab.cloud_image",
    "tests.lab.libvirtd",
    "tests.lab.beside_each_other",
    "tests.lab.other_user",
    "tests.lab.repositories",
    "tests.lab.secluded_libvirtd",
    "tests.lab.small_disk",
    "tests.lab.whole_code",
]

# No test is timed, properties included: the machine may be busy. What hangs ends by pytest's own limit.
settings.register_profile("onggi", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("onggi")


@pytest.fixture(autouse=True)
def _log_of_the_next_test() -> Iterator[None]:
    """A command that a test runs in this process takes the whole log over; the next test gets it back."""
    loggers = logging.getLogger(), logging.getLogger("onggi")
    before = [(each, each.handlers[:], each.level) for each in loggers]
    yield
    for logger, handlers, level in before:
        logger.handlers[:] = handlers
        logger.setLevel(level)


@pytest.fixture(autouse=True)
def _no_name_is_asked_for_elsewhere(monkeypatch: pytest.MonkeyPatch) -> None:
    """No test asks a name server: what it would answer is another thing on each network."""
    ask = socket.getaddrinfo

    def ask_here(host: Any, *rest: Any, **options: Any) -> Any:
        name = host.decode() if isinstance(host, bytes) else host
        if not name or name in ("localhost", socket.gethostname()):
            return ask(host, *rest, **options)
        with suppress(ValueError):
            ipaddress.ip_address(name.partition("%")[0])
            return ask(host, *rest, **options)
        raise socket.gaierror(socket.EAI_NONAME, "Name or service not known")

    monkeypatch.setattr(socket, "getaddrinfo", ask_here)
