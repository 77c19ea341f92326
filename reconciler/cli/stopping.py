"""SIGINT and SIGTERM as a wish to end in order. A second one changes nothing: whoever means it has SIGKILL."""

from __future__ import annotations

import os
import signal
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import FrameType

_SIGNALS = (signal.SIGINT, signal.SIGTERM)
_END = 0  # no signal has this number


@contextmanager
def on_signals(act: Callable[[], None]) -> Iterator[None]:
    """Call `act` in a thread of its own for each SIGINT and SIGTERM during the block.

    A handler in Python runs only once the main thread gets to do something, and the kernel may hand a signal to any
    other thread, which leaves the main one asleep. The byte that Python's C code writes for each signal always comes.
    """
    arrived, written = os.pipe()
    os.set_blocking(written, False)
    before = {number: signal.signal(number, _nothing_more) for number in _SIGNALS}
    earlier = signal.set_wakeup_fd(written, warn_on_full_buffer=False)

    def listen() -> None:
        while _END not in (numbers := os.read(arrived, 64)):
            if any(number in _SIGNALS for number in numbers):
                act()

    listener = threading.Thread(target=listen, name="onggi-signals", daemon=True)
    listener.start()
    try:
        yield
    finally:
        signal.set_wakeup_fd(earlier)
        for number, handler in before.items():
            signal.signal(number, handler)
        os.write(written, bytes([_END]))
        listener.join()
        os.close(arrived)
        os.close(written)


def _nothing_more(_number: int, _frame: FrameType | None) -> None:
    """The listener does what is to be done; without a handler the signal would end the process."""
