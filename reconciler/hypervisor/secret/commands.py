"""What can be done to secrets. Their values are read when they are set, and are in no message."""

from __future__ import annotations

import base64
import binascii

from reconciler.errors import Terminal
from reconciler.hypervisor import defining
from reconciler.hypervisor.given import Given
from reconciler.hypervisor.handlers import Access, KindCommands, nothing
from reconciler.hypervisor.lookup import check_uid, find, get
from reconciler.hypervisor.secret_reading import read_secret
from reconciler.planning.operations import Define, SetSecretValue, Undefine
from specs.binding import serialise, set_text_at


class SecretCommands(KindCommands):
    """Of one host's secrets. None opens a file of a guest's."""

    def __init__(self, access: Access) -> None:
        super().__init__()
        self._access = access
        self.on(Define, self._define, opens=nothing)
        self.on(SetSecretValue, self._set, opens=nothing)
        self.on(
            Undefine,
            lambda given: defining.undefine(
                access.connections, given.operation, lambda found: found.undefine(), is_active=defining.never
            ),
            opens=nothing,
        )

    def _define(self, given: Given[Define]) -> None:
        operation, root = given.operation, given.root
        set_text_at(root, "uuid", operation.uid)
        with self._access.connections.lend(f"define {operation.ref}") as connection:
            present = find(connection, operation.ref)
            if present is not None:
                check_uid(operation.ref, present, operation.uid)
            connection.secretDefineXML(serialise(root))

    def _set(self, given: Given[SetSecretValue]) -> None:
        operation = given.operation
        text = read_secret(operation.source, self._access.reach)
        value = decoded(text, operation.encoding)
        if value is None:
            raise Terminal(f"The value of {operation.ref} isn't base64; correct it where it is kept.")
        with self._access.connections.lend(f"set the value of {operation.ref}", secrets=(text,)) as connection:
            get(connection, operation.ref).setValue(value)


def decoded(text: str, encoding: str) -> bytes | None:
    """The value that a text means; None for what isn't of that encoding."""
    if encoding != "base64":
        return text.encode()
    try:
        return base64.b64decode(text, validate=True)
    except (ValueError, binascii.Error):
        return None
