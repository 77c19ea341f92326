"""libvirt's errors become the errors that decide what happens next."""

from __future__ import annotations

import libvirt
import pytest

from reconciler.errors import Conflict, NotFound, OnggiError, Terminal, Transient, Unsupported
from reconciler.hypervisor.failure import translate


def error_of(uri: str, call: str, *arguments: object) -> libvirt.libvirtError:
    """A real error of a real connection."""
    connection = libvirt.open(uri)
    try:
        with pytest.raises(libvirt.libvirtError) as caught:
            getattr(connection, call)(*arguments)
    finally:
        connection.close()
    return caught.value


@pytest.mark.parametrize(
    ("call", "arguments", "kind"),
    [
        ("lookupByName", ("nobody",), NotFound),
        ("networkLookupByName", ("nobody",), NotFound),
        ("storagePoolLookupByName", ("nobody",), NotFound),
        ("getDomainCapabilities", (), Unsupported),
        ("defineXML", ("<nonsense/>",), Terminal),
    ],
)
def test_each_error_has_its_kind(call: str, arguments: tuple[object, ...], kind: type[OnggiError]) -> None:
    translated = translate(error_of("test:///default", call, *arguments), "do this")
    assert type(translated) is kind
    assert str(translated).startswith("libvirt couldn't do this: ")
    assert "\n" not in str(translated)


def made_up(code: int, message: str) -> libvirt.libvirtError:
    """An error that can't be had at will."""
    error = libvirt.libvirtError("call failed")
    error.err = (code, libvirt.VIR_FROM_STORAGE, message, libvirt.VIR_ERR_ERROR, None, None, None, -1, -1)
    return error


@pytest.mark.parametrize(
    ("code", "message", "kind"),
    [
        (libvirt.VIR_ERR_INTERNAL_ERROR, "internal error: pool 'p' has asynchronous jobs running.", Transient),
        (libvirt.VIR_ERR_OPERATION_TIMEOUT, "Timed out during operation: cannot acquire state change lock", Transient),
        (libvirt.VIR_ERR_RESOURCE_BUSY, "Requested operation is not valid: busy", Transient),
        (libvirt.VIR_ERR_STORAGE_VOL_EXIST, "storage volume name 'a' already in use.", Conflict),
        (libvirt.VIR_ERR_CONFIG_UNSUPPORTED, "unsupported configuration: no such thing", Terminal),
        (libvirt.VIR_ERR_INTERNAL_ERROR, "internal error: QEMU said no", Terminal),
    ],
)
def test_what_goes_away_by_itself_is_told_from_what_does_not(code: int, message: str, kind: type[OnggiError]) -> None:
    assert type(translate(made_up(code, message), "do this")) is kind


def test_a_secret_does_not_come_out_even_if_libvirt_says_it() -> None:
    error = made_up(libvirt.VIR_ERR_XML_ERROR, "XML error: near passwd='hunter22'")
    assert "hunter22" not in str(translate(error, "define it", ["hunter22"]))
