"""Takes a change of a document back that the host fails at for good, so that no document says what can't come true."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from api.http.refusal import Refusal
from reconciler.errors import NotApplied, OnggiError, Transient
from specs.reference import Ref

log = logging.getLogger("onggi.api")


@contextmanager
def taken_back(ref: Ref, take_back: Callable[[], object]) -> Iterator[None]:
    """Around the change of `ref`. `take_back` leaves alone what somebody has gone on from meanwhile.

    What is tried again by itself, such as a guest that is slow to let go of a device, isn't final: that goes on.
    """
    try:
        yield
    except NotApplied as error:
        if error.reason == "Failed" and not isinstance(error.cause, Transient):
            try:
                take_back()
            except (OnggiError, Refusal) as problem:
                log.warning("%s: a change that failed couldn't be taken back: %s", ref, problem)
        raise
