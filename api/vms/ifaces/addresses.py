"""The addresses of machines' interfaces, as far as anybody knows them, each machine asked once within a few seconds.

What the host knows (its DHCP's leases, its ARP table) is there at once. A guest's own agent answers when it likes, or
never: it is asked beside, by few threads, and whoever asks here waits a moment for it and goes by what it said before.
So a guest that lets its host wait costs nobody but itself, and those who would have been asked meanwhile, an answer.
"""

from __future__ import annotations

import logging
import threading
import time
from collections import OrderedDict
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Final

from reconciler.errors import OnggiError
from reconciler.observed.answers import GuestAddress
from reconciler.observed.snapshot import Observed
from specs.reference import Ref

log = logging.getLogger("onggi.api")

Ask = Callable[[Ref], tuple[GuestAddress, ...]]

_KEEP_S: Final = 3.0
_PATIENCE_S: Final = 1.0
_AT_ONCE: Final = 2  # guests that are asked at a time
_MOST: Final = 1024  # machines that are remembered
_MOST_OF_ONE: Final = 64  # addresses: a guest's agent may claim any number


@dataclass(slots=True)
class _Slot:
    """One machine's. `said` is what its agent said last; `asking` is set while it is asked."""

    lock: threading.Lock = field(default_factory=threading.Lock)
    known: tuple[GuestAddress, ...] = ()
    until_s: float = 0.0
    said: tuple[GuestAddress, ...] = ()
    asking: threading.Event | None = None


class Addresses:
    """`host` and `guest` give what the host and the guest's agent know of a machine. For any thread."""

    def __init__(
        self, host: Ask, guest: Ask, *, patience_s: float = _PATIENCE_S, now: Callable[[], float] = time.monotonic
    ) -> None:
        self._host, self._guest = host, guest
        self._patience_s, self._now = patience_s, now
        self._lock = threading.Lock()
        self._slots: OrderedDict[str, _Slot] = OrderedDict()
        self._places = threading.Semaphore(_AT_ONCE)

    def by_mac(self, observed: Observed) -> Mapping[str, list[str]]:
        """The addresses of a machine by its interfaces' MAC addresses; nothing for one that doesn't run."""
        if not observed.active:
            return {}
        slot = self._slot(observed.uid)
        with slot.lock:
            if self._now() >= slot.until_s:
                slot.known = self._ask(slot, observed.ref)
                slot.until_s = self._now() + _KEEP_S
            found: dict[str, list[str]] = {}
            for each in slot.known[:_MOST_OF_ONE]:
                found.setdefault(each.mac, []).append(each.address)
            return found

    def _ask(self, slot: _Slot, ref: Ref) -> tuple[GuestAddress, ...]:
        asked = slot.asking
        if asked is None and self._places.acquire(blocking=False):
            asked = slot.asking = threading.Event()
            threading.Thread(target=self._ask_guest, args=(slot, ref, asked), name="onggi-guest", daemon=True).start()
        known = self._quietly(self._host, ref)
        if asked is not None:
            asked.wait(self._patience_s)
        return tuple({each.address: each for each in (*slot.said, *known)}.values())

    def _ask_guest(self, slot: _Slot, ref: Ref, asked: threading.Event) -> None:
        try:
            slot.said = self._quietly(self._guest, ref)
        finally:
            slot.asking = None
            self._places.release()
            asked.set()

    @staticmethod
    def _quietly(ask: Ask, ref: Ref) -> tuple[GuestAddress, ...]:
        try:
            return ask(ref)
        except OnggiError as error:  # it went off, or nobody answers: nothing is known
            log.debug("no addresses of %s: %s", ref, error)
            return ()

    def _slot(self, uid: str) -> _Slot:
        with self._lock:
            slot = self._slots.setdefault(uid, _Slot())
            self._slots.move_to_end(uid)
            while len(self._slots) > _MOST:
                self._slots.popitem(last=False)
            return slot
