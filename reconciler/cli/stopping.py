"""SIGINT and SIGTERM as a wish to end in order. A second one changes nothing: whoever means it has SIGKILL."""

from __future__ import annotations

import os
import signal
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import FrameType

_SIGNALS = (signal.SIGINT, signal.SIGTERM)


class Bell:
    """Wakes the main thread: rung by a signal or by another thread, any number of times.

    A pipe, because it is the one thing that may be touched in a signal handler whatever the main thread holds just now.
    """

    def __init__(self) -> None:
        self._read, self._write = os.pipe()
        os.set_blocking(self._write, False)

    def ring(self) -> None:
        """Wake up who waits, now or as soon as he does."""
        try:
            os.write(self._write, b".")
        except BlockingIOError:
            return  # it has been rung 65,536 times already

    def wait(self) -> None:
        """Sleep until it rings."""
        os.read(self._read, 1)

    def close(self) -> None:
        """Give the pipe back."""
        os.close(self._read)
        os.close(self._write)


@contextmanager
def on_signals(act: Callable[[], None]) -> Iterator[None]:
    """Call `act` in the main thread for each SIGINT and SIGTERM during the block. It has to be quick and harmless."""

    def handle(_number: int, _frame: FrameType | None) -> None:
        act()

    before = {number: signal.signal(number, handle) for number in _SIGNALS}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
