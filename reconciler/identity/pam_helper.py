"""Asks PAM as root for an agent that isn't: all that such an agent needs of root to log somebody in.

One user alone is listened to. They are told of a name and a password whether those fit, as slowly as PAM does, and
nothing else; whoever took over the agent gets no more of it than that.
"""

from __future__ import annotations

import logging
import socket
import threading
import time
from collections.abc import Collection
from concurrent.futures import ThreadPoolExecutor
from typing import Final

from reconciler.confined.frames import BrokenTalkError, Frame, receive, send
from reconciler.confined.unix_socket import UnixSocket, user_of
from reconciler.errors import Transient
from reconciler.identity.pam import AT_ONCE, MOST, PATIENCE_S, Asked

log = logging.getLogger("onggi.pam")

_MOST_WAITING: Final = 32
_QUESTION_S: Final = 10.0  # for a question to be there as a whole
_LOOK_S: Final = 0.5  # for the end to be noticed


class Helper:
    """Answers on a Unix socket until it is told to end."""

    def __init__(self, asked: Asked, place: UnixSocket, users: Collection[int]) -> None:
        self._asked = asked
        self._place = place
        self._users = frozenset(users)
        self._ending = threading.Event()
        self._room = threading.BoundedSemaphore(_MOST_WAITING)

    def end(self) -> None:
        """Listen no more; `serve` returns."""
        self._ending.set()

    def serve(self) -> None:
        """Until the end. Raises SettingsError when the socket can't be made."""
        listening = self._place.open()
        listening.settimeout(_LOOK_S)
        log.info("asking PAM for who asks at %s", self._place.path)
        try:
            with ThreadPoolExecutor(AT_ONCE, "onggi-pam") as workers:
                while not self._ending.is_set():
                    try:
                        connection = listening.accept()[0]
                    except TimeoutError:
                        continue
                    if user_of(connection) not in self._users or not self._room.acquire(blocking=False):
                        connection.close()
                        continue
                    workers.submit(self._answer, connection)
                self._asked.close()
        finally:
            listening.close()
            self._place.close()

    def _answer(self, connection: socket.socket) -> None:
        try:
            with connection:
                connection.setblocking(False)
                question = receive(connection.fileno(), MOST, time.monotonic() + _QUESTION_S)
                send(connection.fileno(), self._answered(question), time.monotonic() + _QUESTION_S)
        except BrokenTalkError:
            pass  # whoever asked has left, or never meant it
        except Exception:
            log.exception("a question can't be answered")
        finally:
            self._room.release()

    def _answered(self, question: Frame) -> Frame:
        try:
            return self._asked.ask(Frame({"name": str(question.header["name"])}, question.parts))
        except (BrokenTalkError, Transient, UnicodeError):
            log.warning("PAM doesn't answer within %g s; look at its modules", PATIENCE_S)
            return Frame({"known": None})
        except KeyError:
            return Frame({"known": False})
