"""Notices a libvirt that has stopped to answer: the loop, which waits for it, can't."""

from __future__ import annotations

import logging
import threading
from contextlib import suppress
from typing import Final

from reconciler.errors import OnggiError
from reconciler.line.line import Line

log = logging.getLogger("onggi.agent")

_LOOK_S: Final = 0.5
_PATIENCE_S: Final = 60.0  # with a call that usually takes milliseconds


def watch_silence(line: Line, stop: threading.Event) -> None:
    """Tell when a call waits for so long that something must hang, and when it does no more, until `stop` is set."""
    unanswered = ""
    while not stop.wait(_LOOK_S):
        before, unanswered = unanswered, line.hypervisor.unanswered(_PATIENCE_S)
        if unanswered == before:
            continue
        if unanswered:
            log.warning("%s", unanswered)
        else:
            log.info("%s answers again", line.settings.connect)
        with suppress(OnggiError):  # the loop meets it too, and tells of it
            line.ledger.heartbeat.tell(passed=False, host_unanswered=unanswered)
