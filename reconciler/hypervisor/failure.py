"""One table from libvirt's error codes to onggi's errors, so that what to do next is decided in one place.

Each becomes one sentence: what was being done, what libvirt says about it, and the remedy where the code has one.
Whether a connection is still there is for `connection`; when to try again is for whoever catches.
"""

from __future__ import annotations

import re
from collections.abc import Iterable

import libvirt

from reconciler.errors import Conflict, Disconnected, NotFound, OnggiError, Terminal, Transient, Unsupported

HIDDEN = "(hidden)"

# The daemon speaks its host's language; these are checked besides the codes, never instead of them.
_TRANSIENT_TEXT = re.compile(
    r"asynchronous jobs|state change lock|lock timeout|in the process of unplug|"
    r"failed to find an available port",  # QEMU lost a race for its console's port; the next try takes another
    re.IGNORECASE,
)
_LOST_TEXT = re.compile(
    r"client socket is closed|cannot (recv|write) data|end of file while reading|connection reset|broken pipe|"
    r"keepalive timeout|connection closed",
    re.IGNORECASE,
)
_UNPLUG_TEXT = re.compile(r"in the process of unplug", re.IGNORECASE)

_BUSY = "it is tried again by itself"
_DENIED = "give the user that runs onggi access to libvirt (on Debian: the group libvirt)"

_CLASSES: dict[int, tuple[type[OnggiError], str]] = {
    libvirt.VIR_ERR_RESOURCE_BUSY: (Transient, _BUSY),
    libvirt.VIR_ERR_OPERATION_TIMEOUT: (Transient, _BUSY),
    libvirt.VIR_ERR_AGENT_UNRESPONSIVE: (Transient, _BUSY),
    libvirt.VIR_ERR_NO_MEMORY: (Transient, _BUSY),
    libvirt.VIR_ERR_NO_DOMAIN: (NotFound, ""),
    libvirt.VIR_ERR_NO_NETWORK: (NotFound, ""),
    libvirt.VIR_ERR_NO_STORAGE_POOL: (NotFound, ""),
    libvirt.VIR_ERR_NO_STORAGE_VOL: (NotFound, ""),
    libvirt.VIR_ERR_NO_NODE_DEVICE: (NotFound, ""),
    libvirt.VIR_ERR_NO_INTERFACE: (NotFound, ""),
    libvirt.VIR_ERR_NO_SECRET: (NotFound, ""),
    libvirt.VIR_ERR_NO_NWFILTER: (NotFound, ""),
    libvirt.VIR_ERR_DOM_EXIST: (Conflict, "rename one of the two"),
    libvirt.VIR_ERR_NETWORK_EXIST: (Conflict, "rename one of the two"),
    libvirt.VIR_ERR_STORAGE_VOL_EXIST: (Conflict, "rename one of the two"),
    libvirt.VIR_ERR_NO_SUPPORT: (Unsupported, "connect to a host whose driver can"),
    libvirt.VIR_ERR_OPERATION_UNSUPPORTED: (Unsupported, ""),
    libvirt.VIR_ERR_ARGUMENT_UNSUPPORTED: (Unsupported, ""),
    libvirt.VIR_ERR_OPERATION_DENIED: (Terminal, _DENIED),
    libvirt.VIR_ERR_ACCESS_DENIED: (Terminal, _DENIED),
    libvirt.VIR_ERR_AUTH_FAILED: (Terminal, _DENIED),
    libvirt.VIR_ERR_AUTH_UNAVAILABLE: (Terminal, _DENIED),
    libvirt.VIR_ERR_NO_CONNECT: (Disconnected, _BUSY),
}


def translate(error: libvirt.libvirtError, doing: str, secrets: Iterable[str] = ()) -> OnggiError:
    """The error to raise for what libvirt said while onggi was `doing` something (`start VirtualMachine/web`).

    `secrets` are texts that must not come out, whatever libvirt put into its message.
    """
    kind, remedy = classify(error)
    sentence = f"libvirt couldn't {doing}: {message(error, secrets)}"
    return kind(f"{sentence}; {remedy}" if remedy else sentence)


def classify(error: libvirt.libvirtError) -> tuple[type[OnggiError], str]:
    """The class of an error and the remedy that goes with it (empty when libvirt's own message has to do)."""
    found = _CLASSES.get(error.get_error_code())
    if found is not None:
        return found
    if _TRANSIENT_TEXT.search(error.get_error_message() or ""):
        return Transient, _BUSY
    return Terminal, ""


def message(error: libvirt.libvirtError, secrets: Iterable[str] = ()) -> str:
    """libvirt's own words on one line, without any of `secrets`."""
    text = " ".join(str(error.get_error_message() or error).split())
    for secret in filter(None, secrets):
        text = text.replace(secret, HIDDEN)
    return text.rstrip(".")


def is_lost(error: libvirt.libvirtError) -> bool:
    """True when the error's own words say that the connection is gone; a live connection may still say otherwise."""
    if error.get_error_code() in (libvirt.VIR_ERR_NO_CONNECT, libvirt.VIR_ERR_INVALID_CONN):
        return True
    about_transport = error.get_error_domain() in (libvirt.VIR_FROM_RPC, libvirt.VIR_FROM_REMOTE, libvirt.VIR_FROM_NONE)
    return about_transport and bool(_LOST_TEXT.search(error.get_error_message() or ""))


def is_not_found(error: libvirt.libvirtError) -> bool:
    """True when the object that was asked for isn't there."""
    return classify(error)[0] is NotFound


def is_unsupported(error: libvirt.libvirtError) -> bool:
    """True when the connection's driver doesn't have the call, or not with these flags."""
    code = error.get_error_code()
    return classify(error)[0] is Unsupported or (
        # "unsupported flags (0x1) in function ...": the only use of this code that comes from a well-formed call
        code == libvirt.VIR_ERR_INVALID_ARG and "flags" in (error.get_error_message() or "")
    )


def is_unplug_pending(error: libvirt.libvirtError) -> bool:
    """True when the guest was already asked to let go of the device and hasn't answered."""
    return bool(_UNPLUG_TEXT.search(error.get_error_message() or ""))
