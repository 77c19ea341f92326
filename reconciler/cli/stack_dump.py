"""What every thread does right now, on stderr, when somebody asks by a signal: for an agent that hangs.

C code writes it, so that it comes even while a thread keeps Python to itself in a library. Nothing else changes.
"""

from __future__ import annotations

import faulthandler
import signal
import sys
from typing import Final

ASKED_BY: Final = signal.SIGUSR1


def dump_when_asked() -> None:
    """From now on; without it the signal would end the process."""
    if sys.stderr is None:  # closed by whoever started us: there is nowhere to write to
        signal.signal(ASKED_BY, signal.SIG_IGN)
    else:
        faulthandler.register(ASKED_BY, file=sys.stderr, all_threads=True, chain=False)
