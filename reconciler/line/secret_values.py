"""Tells when the value that is kept for a secret has become another one, without anybody keeping the value.

A digest is remembered in its place: slow to make, so that it is of no use to whoever guesses, and made anew only when
the file or the variable is another one than before.
"""

from __future__ import annotations

import hashlib
import os
from collections.abc import Mapping
from types import MappingProxyType
from typing import Final

from reconciler.desired.state import DesiredState
from reconciler.errors import OnggiError
from reconciler.hypervisor.secret_reading import read_secret
from reconciler.planning.operations import SecretSource
from reconciler.planning.rules import rules_of
from specs.reach import Reach
from specs.reference import Ref

_NOTHING: Final[Mapping[Ref, str]] = MappingProxyType({})
_Version = tuple[object, ...]


class SecretValues:
    """Those of one repository's secrets."""

    def __init__(self, reach: Reach | None) -> None:
        self._reach = reach
        self._desired: DesiredState | None = None
        self._sources: Mapping[Ref, SecretSource] = {}
        self._known: dict[Ref, tuple[_Version, str]] = {}

    def __call__(self, desired: DesiredState) -> Mapping[Ref, str]:
        """A digest for each value that is there and may be read."""
        if desired is not self._desired:
            self._desired = desired
            self._sources = {
                ref: SecretSource(**resource.spec[field])
                for ref, resource in desired.resources.items()
                if (field := rules_of(ref.kind).value_from) and field in resource.spec
            }
        if not self._sources:
            return _NOTHING
        found = {ref: self._digest(ref, source, desired.repository_id) for ref, source in self._sources.items()}
        return {ref: digest for ref, digest in found.items() if digest}

    def _digest(self, ref: Ref, source: SecretSource, repository_id: str) -> str:
        version = (source, _version(source))
        known = self._known.get(ref)
        if known is not None and known[0] == version:
            return known[1]
        if self._reach is not None and not self._reach.has_secret(_said(source), ()):
            return ""
        try:
            value = read_secret(source, self._reach)
        except OnggiError:
            return ""
        salt = f"{repository_id}\n{ref}".encode()
        digest = hashlib.scrypt(value.encode(), salt=salt, n=1 << 14, r=8, p=1, dklen=16).hex()
        self._known[ref] = (version, digest)
        return digest


def _said(source: SecretSource) -> Mapping[str, str]:
    return {"file": source.file} if source.file else {"env": source.env}


def _version(source: SecretSource) -> _Version:
    """What changes with the value."""
    if not source.file:
        return (hash(os.environ.get(source.env)),)
    try:
        found = os.stat(source.file)  # noqa: PTH116  (of a text)
    except OSError:
        return ()
    return found.st_dev, found.st_ino, found.st_size, found.st_mtime_ns, found.st_ctime_ns
