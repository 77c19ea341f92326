"""OpenSSH public keys: that a line is one, whole, and of a kind that today's servers take."""

from __future__ import annotations

import base64
import binascii
from collections.abc import Iterator

# What a key of each kind holds behind its kind's name, as RFC 4253 and OpenSSH's PROTOCOL have it.
_FIELDS = {
    "ssh-ed25519": 1,
    "ssh-rsa": 2,
    "ecdsa-sha2-nistp256": 2,
    "ecdsa-sha2-nistp384": 2,
    "ecdsa-sha2-nistp521": 2,
    "sk-ssh-ed25519@openssh.com": 2,
    "sk-ecdsa-sha2-nistp256@openssh.com": 3,
}
_ED25519_BYTES = 32
_RSA_BYTES = 128  # sshd refuses fewer than 1024 bits
_LENGTH_BYTES = 4


def key_problem(line: str) -> str | None:
    """What is wrong with a public key, in a sentence that repeats nothing of it; None for a good one."""
    if "PRIVATE KEY" in line:
        return (
            "This is a private key, which every reader of the repository has now; make a new pair, and write its .pub."
        )
    words = line.split(" ", 2)
    if len(words) < 2 or words[0] not in _FIELDS:
        return f"A public key begins with its kind ({', '.join(_FIELDS)}); copy the whole line of the .pub file."
    try:
        parts = list(_parts(base64.b64decode(words[1], validate=True)))
    except (binascii.Error, ValueError):
        parts = []
    if not parts or parts[0] != words[0].encode() or len(parts) != 1 + _FIELDS[words[0]] or not all(parts):
        return "This key isn't whole; copy the line of the .pub file again."
    if words[0] == "ssh-ed25519" and len(parts[1]) != _ED25519_BYTES:
        return "This key isn't whole; copy the line of the .pub file again."
    if words[0] == "ssh-rsa" and len(parts[2].lstrip(b"\0")) < _RSA_BYTES:
        return "This RSA key has fewer than 1024 bits, which no server takes any more; make a new one with ssh-keygen."
    return None


def _parts(blob: bytes) -> Iterator[bytes]:
    """The strings that a blob is made of, each behind its length. Raises ValueError when they don't fill it."""
    place = 0
    while place < len(blob):
        begin = place + _LENGTH_BYTES
        place = begin + int.from_bytes(blob[place:begin])
        if begin > len(blob) or place > len(blob):
            raise ValueError("cut off")
        yield blob[begin:place]
