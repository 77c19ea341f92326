"""Signals as wishes that a thread of its own hears: to end in order, or to say what is being done.

A second wish to end changes nothing: whoever means it has SIGKILL.
"""

from __future__ import annotations

import os
import signal
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from types import FrameType
from typing import Final

Acts = Mapping[signal.Signals, Callable[[], None]]

_NOTHING_MORE: Final = 0  # no signal has this number


def to_end(act: Callable[[], None]) -> dict[signal.Signals, Callable[[], None]]:
    """The signals that ask a program to end."""
    return {signal.SIGINT: act, signal.SIGTERM: act}


@contextmanager
def on_signals(acts: Acts) -> Iterator[None]:
    """Call what belongs to a signal, in a thread of its own, each time that it comes during the block.

    A handler in Python runs only once the main thread gets to do something, and the kernel may hand a signal to any
    other thread, which leaves the main one asleep. The byte that Python's C code writes for each signal always comes.
    """
    arrived, written = os.pipe()
    os.set_blocking(written, False)
    before = {number: signal.signal(number, _heard_elsewhere) for number in acts}
    earlier = signal.set_wakeup_fd(written, warn_on_full_buffer=False)
    by_number = {int(number): act for number, act in acts.items()}

    def listen() -> None:
        while _NOTHING_MORE not in (numbers := os.read(arrived, 64)):
            for act in dict.fromkeys(by_number[number] for number in numbers if number in by_number):
                act()

    listener = threading.Thread(target=listen, name="onggi-signals", daemon=True)
    listener.start()
    try:
        yield
    finally:
        signal.set_wakeup_fd(earlier)
        for number, handler in before.items():
            signal.signal(number, handler)
        os.write(written, bytes([_NOTHING_MORE]))
        listener.join()
        os.close(arrived)
        os.close(written)


def ignore(number: signal.Signals) -> None:
    """Until there is something to do for it; without it the signal would end the process."""
    signal.signal(number, _heard_elsewhere)  # not SIG_IGN, which programs that are started would inherit


def _heard_elsewhere(_number: int, _frame: FrameType | None) -> None:
    """The listener does what is to be done; without a handler the signal would end the process."""
