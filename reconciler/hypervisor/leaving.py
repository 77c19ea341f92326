"""Waits for a call that libvirt can't be told to give up, and leaves it alone when there is no time to wait.

Copying or overwriting a volume goes on in the daemon whatever becomes of its client. What is to happen with the result
that nobody waited for is the caller's business.
"""

from __future__ import annotations

import threading
from collections.abc import Callable

from reconciler.errors import Cancelled

_LOOK_S = 0.5


def wait_or_leave(
    call: Callable[[], None], stop: threading.Event, *, doing: str, look: Callable[[], None], after: Callable[[], None]
) -> None:
    """Run `call` in a thread of its own until it ends; what it raises is raised here.

    `look` is called twice a second meanwhile. Raises Cancelled soon after `stop` is set: `after` is then called in
    that thread when the call has come to a good end after all.
    """
    ended = threading.Event()
    lock = threading.Lock()
    left = False
    failure: list[BaseException] = []

    def work() -> None:
        try:
            call()
        except BaseException as error:  # raised again by who waits
            failure.append(error)
        with lock:
            ended.set()
            clean_up = left and not failure
        if clean_up:
            after()

    threading.Thread(target=work, name=f"onggi {doing}", daemon=True).start()
    while not ended.wait(_LOOK_S if not stop.is_set() else 0):
        if stop.is_set():
            with lock:
                left = not ended.is_set()
            if left:
                raise Cancelled(f"the agent is stopping; libvirt goes on to {doing}, and it is taken up afterwards.")
        else:
            look()
    if failure:
        raise failure[0]
