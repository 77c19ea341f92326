"""The certificate that this server shows, and its key: read again when the files change, while it serves.

A pair that can't be used, for it is half written or doesn't fit, changes nothing: the one before is shown on, and the
log tells once why.
"""

from __future__ import annotations

import logging
import os
import ssl
import stat
import threading
import time
from collections.abc import Callable
from contextlib import ExitStack
from pathlib import Path
from typing import Final, NoReturn

from reconciler.errors import SettingsError

log = logging.getLogger("onggi.api")

_LOOK_S: Final = 2.0  # between two looks at the files
_MOST_BYTES: Final = 1 << 20
_DIFFERENT_KEY: Final = "KEY_VALUES_MISMATCH"

_State = tuple[tuple[int, ...], ...]


class Certificate:
    """The files `certificate` (with what leads to its authority) and `key`, both PEM. Raises SettingsError for a pair
    that can't be used.
    """

    def __init__(self, certificate: Path, key: Path, clock: Callable[[], float] = time.monotonic) -> None:
        self._files = (certificate, key)
        self._clock = clock
        self._lock = threading.Lock()
        self._looked = clock()
        self._state, self._context = self._loaded()
        self._told = ""

    def context(self) -> ssl.SSLContext:
        """For a connection that begins now."""
        with self._lock:
            now = self._clock()
            if now - self._looked >= _LOOK_S:
                self._looked = now
                self._look()
            return self._context

    def _look(self) -> None:
        try:
            if self._found() == self._state:
                return
            self._state, self._context = self._loaded()
        except SettingsError as error:
            if (told := str(error)) != self._told:
                log.error(  # noqa: TRY400  # what to do is said
                    "the certificate isn't renewed: %s The one before is shown on.",
                    told,
                )
                self._told = told
            return
        self._told = ""
        log.info("the certificate %s was read again", self._files[0])

    def _found(self) -> _State | None:
        try:
            return tuple(_identity(file.stat()) for file in self._files)
        except OSError:
            return None

    def _loaded(self) -> tuple[_State, ssl.SSLContext]:
        certificate, key = self._files
        with ExitStack() as stack:
            shown, shown_status = _opened(stack, certificate, "tls-cert")
            secret, secret_status = _opened(stack, key, "tls-key")
            if secret_status.st_mode & 0o077:
                raise SettingsError(f"The tls-key {key} can be read or changed by others; chmod 600 keeps it yours.")
            context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
            context.minimum_version = ssl.TLSVersion.TLSv1_2
            context.options |= ssl.OP_NO_RENEGOTIATION
            context.set_alpn_protocols(["http/1.1"])
            try:
                # What was judged is what is read, whatever the names stand for by now.
                context.load_cert_chain(f"/proc/self/fd/{shown}", f"/proc/self/fd/{secret}", _is_encrypted)
            except _EncryptedError:
                raise SettingsError(
                    f"The tls-key {key} is encrypted, and nobody is there to say its password; "
                    f"write it without one: openssl pkey -in {key} -out FILE."
                ) from None
            except ssl.SSLError as error:
                if error.reason == _DIFFERENT_KEY:
                    raise SettingsError(
                        f"The tls-key {key} isn't that of the tls-cert {certificate}; give the two that were made "
                        "together."
                    ) from None
                raise SettingsError(
                    f"The tls-cert {certificate} and the tls-key {key} aren't a certificate and a key in PEM "
                    f"({error.reason or 'unreadable'}); `onggi cert` makes both."
                ) from None
            except OSError as error:
                raise SettingsError(f"The tls-cert {certificate} can't be read ({error.strerror}).") from None
        return (_identity(shown_status), _identity(secret_status)), context


class _EncryptedError(Exception):
    """A password would be needed."""


def _is_encrypted() -> NoReturn:
    raise _EncryptedError


def _opened(stack: ExitStack, file: Path, purpose: str) -> tuple[int, os.stat_result]:
    try:
        descriptor = os.open(file, os.O_RDONLY | os.O_CLOEXEC | os.O_NONBLOCK | os.O_NOCTTY)
    except OSError as error:
        raise SettingsError(
            f"The {purpose} {file} can't be read ({error.strerror}); `onggi cert` makes a certificate and its key."
        ) from None
    stack.callback(os.close, descriptor)
    status = os.fstat(descriptor)
    if not stat.S_ISREG(status.st_mode) or status.st_size > _MOST_BYTES:
        raise SettingsError(f"The {purpose} {file} isn't a small file; name the PEM file.")
    return descriptor, status


def _identity(status: os.stat_result) -> tuple[int, ...]:
    return (status.st_dev, status.st_ino, status.st_mode, status.st_size, status.st_mtime_ns, status.st_ctime_ns)
