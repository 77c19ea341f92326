"""Elements of devices that say one value by several attributes: addresses, and the ends of connections."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any, Final

from lxml import etree

from specs import canonical
from specs.binding import Element, child_at, drop_attributes
from specs.element_codes import ElementCode
from specs.virtualmachine.devices.address import read_address, write_address
from specs.virtualmachine.devices.address_text import same_address

_END = re.compile(r"(?:\[(?P<v6>[^\]]*)\]|(?P<host>[^\[\]]*)):(?P<port>[^:\[\]]+)")
_BOTH = "udp"  # which has a source for each direction; all others have one


def _mode(source: Element) -> str | None:
    """How a socket is opened. What is reached by host and port says that by which of both ends it names."""
    return source.get("mode") if source.get("path") is not None else None


def _put_mode(device: Element, mode: str) -> None:
    child_at(device, "source").set("mode", mode)


def _end(mode: str) -> ElementCode:
    def read(source: Element) -> str | None:
        device = source.getparent()
        for each in () if device is None else device.iterchildren("source"):
            if each.get("mode") == mode and each.get("service") is not None:
                return _shown(each.get("host") or "", each.get("service") or "")
        return None

    def write(device: Element, text: str) -> None:
        match = _END.fullmatch(text)
        if match is None:
            return
        source = device.find(f"source[@mode='{mode}']") if device.get("type") == _BOTH else device.find("source")
        if source is None:
            source = etree.SubElement(device, "source")
        host = match["v6"] or match["host"]
        drop_attributes(source, "host", "path")
        source.set("mode", mode)
        if host:
            source.set("host", host)
        source.set("service", match["port"])

    return ElementCode(read, write, _same_end)


def _shown(host: str, port: str) -> str:
    return f"[{canonical.address(host)}]:{port}" if ":" in host else f"{host}:{port}"


def _same_end(declared: Any, observed: Any) -> bool:
    match = _END.fullmatch(declared) if isinstance(declared, str) else None
    return match is not None and _shown(match["v6"] or match["host"] or "", match["port"]) == observed


def _device(backend: Element) -> str | None:
    return backend.text if backend.get("model") == "random" and backend.text else None


def _put_device(rng: Element, path: str) -> None:
    child_at(rng, "backend").text = path


def _flag(attribute: str, word: str, tag: str) -> ElementCode:
    """An attribute that has one word, or isn't there."""

    def write(device: Element, wanted: bool) -> None:
        holder = child_at(device, tag)
        if wanted:
            holder.set(attribute, word)
        else:
            drop_attributes(holder, attribute)

    return ElementCode(lambda element: element.get(attribute) == word, write)


def _card(reader: Element) -> str | None:
    """Whose card it is: one that is passed through is so by a line of some type."""
    mode = reader.get("mode")
    return reader.get("type") if mode == "passthrough" else mode


def _put_card(reader: Element, kind: str) -> None:
    drop_attributes(reader, "type")
    if kind in ("host", "host-certificates"):
        reader.set("mode", kind)
    else:
        reader.set("mode", "passthrough")
        reader.set("type", kind)


def _again(reconnect: Element) -> int:
    """Seconds; none for a connection that isn't made again."""
    timeout = reconnect.get("timeout") or ""
    return int(timeout) if reconnect.get("enabled") == "yes" and timeout.isdecimal() else 0


def _put_again(source: Element, seconds: int) -> None:
    reconnect = child_at(source, "reconnect")
    drop_attributes(reconnect, "timeout")
    reconnect.set("enabled", "yes" if seconds else "no")
    if seconds:
        reconnect.set("timeout", str(seconds))


def _put_tpm_socket(backend: Element, path: str) -> None:
    source = child_at(backend, "source")
    for name, value in (("type", "unix"), ("path", path), ("mode", "connect")):
        source.set(name, value)


def _tpm_socket(source: Element) -> str | None:
    return canonical.path(source.get("path") or "") or None


def _same_path(declared: Any, observed: Any) -> bool:
    return bool(canonical.path(declared) == observed)


def _port(attribute: str) -> ElementCode:
    """A port that is fixed. One that is chosen at each start isn't said, or is -1."""

    def read(console: Element) -> int | None:
        text = console.get(attribute) or ""
        return int(text) if text.isdecimal() and console.get("autoport") != "yes" else None

    def write(console: Element, port: int) -> None:
        console.set(attribute, str(port))
        console.set("autoport", "no")

    return ElementCode(read, write)


def _console_socket(console: Element) -> str | None:
    nested = console.find("listen[@type='socket']")
    path = console.get("socket") or (None if nested is None else nested.get("socket"))
    return canonical.path(path) if path else None


def _put_console_socket(console: Element, path: str) -> None:
    for old in console.findall("listen"):
        console.remove(old)
    drop_attributes(console, "socket", "listen", "port", "tlsPort", "autoport", "websocket")
    etree.SubElement(console, "listen", type="socket", socket=path)


CODES: Final[Mapping[str, ElementCode]] = {
    "<address>": ElementCode(read_address, write_address, same_address),
    "<source> mode": ElementCode(_mode, _put_mode),
    "<source> connect": _end("connect"),
    "<source> listen": _end("bind"),
    "<source> grab": _flag("grab", "all", "source"),
    "<driver> immediate": _flag("wrpolicy", "immediate", "driver"),
    "<reconnect>": ElementCode(_again, _put_again),
    "<source> tpm": ElementCode(_tpm_socket, _put_tpm_socket, _same_path),
    "<graphics> port": _port("port"),
    "<graphics> tlsPort": _port("tlsPort"),
    "<graphics> socket": ElementCode(_console_socket, _put_console_socket, _same_path),
    "<hostdev> unfiltered": _flag("sgio", "unfiltered", ""),
    "<smartcard>": ElementCode(_card, _put_card),
    "<backend> device": ElementCode(_device, _put_device),
}
