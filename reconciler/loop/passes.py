"""What the agent's last pass found, as one immutable value for readers of any thread, and a wait for a later one.

Reading takes a reference and no lock. What is done with it is the readers' business.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, fields
from typing import Final

from reconciler.errors import OnggiError, Transient
from reconciler.status.condition import Condition
from reconciler.status.drift import Drift
from reconciler.status.one_pass import Pass
from reconciler.status.status import conditions
from specs.reference import Ref

_PATIENCE_S: Final = 10.0  # for passes that fail: libvirtd is often back sooner


@dataclass(frozen=True, slots=True, eq=False)
class World(Pass):
    """A pass that is through, as readers want it: with what is told of each object, and how it differs by hand."""

    drift: tuple[Drift, ...] = field(default=(), kw_only=True)
    conditions: Mapping[Ref, tuple[Condition, ...]] = field(default_factory=dict, kw_only=True)

    @classmethod
    def of(cls, now: Pass, drift: tuple[Drift, ...]) -> World:
        """This pass, with its conditions. `drift` is what was found when it was planned."""
        found = {each.name: getattr(now, each.name) for each in fields(Pass)}
        return cls(**found, drift=drift, conditions=conditions(now, drift))


class Passes:
    """A place for the last world. One writer publishes; any number read and wait."""

    def __init__(self) -> None:
        self._problem = ""  # that keeps passes from coming through
        self._failing_since = 0.0
        self._latest: World | None = None
        self._published = threading.Condition()
        self._ended = False

    @property
    def latest(self) -> World | None:
        """The last pass; None before the first is through."""
        return self._latest

    @property
    def problem(self) -> str:
        """Why no pass comes through now; empty while they do."""
        return self._problem

    def publish(self, world: World) -> None:
        """A pass is through."""
        with self._published:
            self._latest = world
            self._problem = ""
            self._published.notify_all()

    def fail(self, error: OnggiError) -> None:
        """A pass didn't come through."""
        with self._published:
            if not self._problem:
                self._failing_since = time.monotonic()
            self._problem = str(error)
            self._published.notify_all()

    def end(self) -> None:
        """No further pass will come: nobody waits any more."""
        with self._published:
            self._ended = True
            self._published.notify_all()

    def wait(self, enough: Callable[[World], bool], timeout_s: float, *, patient: bool = False) -> World | None:
        """The first world from now on, the present one included, for which `enough` is true; None when none came.

        Raises Transient when all passes have failed for a while, unless `patient`.
        """
        began = time.monotonic()
        until = began + timeout_s
        with self._published:
            while not self._ended:
                if self._latest is not None and enough(self._latest):
                    return self._latest
                now = time.monotonic()
                left = until - now
                if left <= 0:
                    break
                if self._problem and not patient:
                    patience = max(began, self._failing_since) + _PATIENCE_S - now
                    if patience <= 0:
                        raise Transient(f"Nothing can be applied now: {self._problem}", retry_after_s=10.0)
                    left = min(left, patience)
                self._published.wait(left)
        return None
