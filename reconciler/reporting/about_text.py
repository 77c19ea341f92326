"""What a report of a bug has to say about an installation, for people."""

from __future__ import annotations

from collections.abc import Iterator

from specs.plain import Json

_COLUMN = 14


def about_text(told: Json) -> str:
    """One subject a line, each of many things below it."""
    return "\n".join(_lines(told))


def _lines(told: Json) -> Iterator[str]:
    python, machine, libvirt = told["python"], told["platform"], told["libvirt"]
    yield f"onggi {told['version']}"
    yield _line("installed in", told["folder"])
    yield _line("Python", f"{python['version']}, {python['executable']}")
    yield _line("system", f"{machine['distribution']}, {machine['kernel']}")
    yield _line("git", told["git"])
    yield _line("libvirt", f"{libvirt['client']} here; {_server(libvirt)}")
    yield from _list("libraries", (f"{name} {version}" for name, version in told["libraries"].items()))
    yield from _list("plugins", (f"{name} {version}" for name, version in told["plugins"].items()))
    yield from _list(
        "settings", (f"{each['key']} = {_value(each['value'])}  ({each['from']})" for each in told["settings"])
    )


def _server(libvirt: Json) -> str:
    server = libvirt.get("server", libvirt)
    if problem := server.get("problem"):
        return f"{libvirt['connect']} isn't there: {problem}"
    return f"{server['libvirt']} at {libvirt['connect']}, {server['driver']} {server['hypervisor']}"


def _line(name: str, text: object) -> str:
    return f"{name:<{_COLUMN}}{text}"


def _list(name: str, items: Iterator[str]) -> Iterator[str]:
    found = list(items) or ["none"]
    yield _line(name, found[0])
    yield from (_line("", item) for item in found[1:])


def _value(value: object) -> str:
    return ", ".join(map(str, value)) if isinstance(value, list) else str(value)
