"""What every thread does right now, on stderr, when somebody asks by a signal: for an agent that hangs.

It is read by a thread that holds Python to itself meanwhile, and written by one that doesn't. A handler in C, which
would need to wait for neither, reads what others are just changing, and now and then the process dies of it. Of a
crash, and of SIGABRT, C code does write it: there is nothing left to lose.
"""

from __future__ import annotations

import faulthandler
import signal
import sys
import threading
from collections.abc import Iterator
from contextlib import suppress
from types import FrameType
from typing import Final

ASKED_BY: Final = signal.SIGUSR1


def dump_stacks() -> None:
    """Now."""
    text = "".join(f"{line}\n" for line in _stacks())
    if sys.stderr is not None:  # else it was closed by whoever started us: there is nowhere to write to
        with suppress(OSError, ValueError):
            sys.stderr.write(text)
            sys.stderr.flush()


def dump_at_a_crash() -> None:
    """From now on."""
    if sys.stderr is not None:
        faulthandler.enable(sys.stderr, all_threads=True)


def _stacks() -> Iterator[str]:
    names = {thread.ident: thread.name for thread in threading.enumerate()}
    for number, frame in sys._current_frames().items():
        yield f"Thread {names.get(number, number)}, the innermost call first:"
        inner: FrameType | None = frame
        while inner is not None:
            yield f'  File "{inner.f_code.co_filename}", line {inner.f_lineno}, in {inner.f_code.co_qualname}'
            inner = inner.f_back
