"""Plugins: installed Python packages that add resources to the API, or kinds of documents, by an entry point.

A plugin is loaded whole or not at all; one that can't be is listed with the reason and hurts nothing. What to do with
its resources and kinds is for the API and for the registry of kinds. `examples/plugin` shows one.
"""

from __future__ import annotations

import importlib
import logging
import re
from collections.abc import Callable, Collection, Iterable, Mapping
from dataclasses import dataclass, field, replace
from functools import cache
from importlib.metadata import EntryPoint, entry_points
from types import MappingProxyType
from typing import Any, Final

from specs.registry import Kind, own_kinds, register

log = logging.getLogger("onggi.plugins")

GROUP: Final = "onggi.plugins"
EVERY: Final = "*"  # among the disabled ones
_NAME = re.compile(r"[a-z0-9](?:[a-z0-9_-]{0,62}[a-z0-9])?")
_LONGEST_REASON = 300

Resource = Callable[[Any], Any]  # from the API's services to an object with on_get, on_post, ...


@dataclass(frozen=True, slots=True)
class Plugin:
    """One plugin. `routes`: URI template → resource, as in `api/`, each at or below /plugins/NAME. `kinds`:
    what its packages of KINDS declare. `error` is a sentence when it couldn't be loaded; both are empty then.
    """

    name: str
    version: str = ""
    routes: Mapping[str, Resource] = field(default_factory=dict)
    kinds: tuple[Kind, ...] = ()
    error: str = ""
    disabled: bool = False

    @property
    def active(self) -> bool:
        """True when it adds what it has."""
        return not self.error and not self.disabled


@dataclass(frozen=True, slots=True)
class Plugins:
    """Every plugin that is installed, by name; also those that are switched off or broken."""

    all: tuple[Plugin, ...] = ()

    @property
    def active(self) -> tuple[Plugin, ...]:
        """Those that work."""
        return tuple(each for each in self.all if each.active)

    @property
    def routes(self) -> Mapping[str, Resource]:
        """The resources of all that work."""
        return MappingProxyType({template: made for each in self.active for template, made in each.routes.items()})

    @property
    def kinds(self) -> tuple[Kind, ...]:
        """The kinds of all that work."""
        return tuple(kind for each in self.active for kind in each.kinds)


class _NoPlugin(Exception):  # noqa: N818  # never leaves this module
    """The sentence to list a plugin with."""


def load_plugins(disabled: Collection[str] = (), found: Iterable[EntryPoint] | None = None) -> Plugins:
    """Load what is installed, apart from the `disabled` names (EVERY: all), whose code isn't even imported. Raises
    nothing that a plugin does.
    """
    loaded: dict[str, Plugin] = {}
    taken = {kind.name.lower(): "onggi itself" for kind in own_kinds().values()}
    for entry in sorted(
        entry_points(group=GROUP) if found is None else found, key=lambda each: (each.name, each.value)
    ):
        name = entry.name
        if name in loaded:
            log.warning("the plugin %r is installed twice; %s is left out", name, entry.value)
            continue
        plugin = Plugin(name, _version(entry), disabled=name in disabled or EVERY in disabled)
        if not plugin.disabled:
            plugin = _load(plugin, entry, taken)
        taken |= {kind.name.lower(): f"the plugin {name}" for kind in plugin.kinds}
        loaded[name] = plugin
    return Plugins(tuple(loaded.values()))


@cache
def plugins_in_use(disabled: frozenset[str]) -> Plugins:
    """What is installed, loaded once in this process, with its kinds among those that documents may have."""
    found = load_plugins(disabled)
    register(found.kinds)
    return found


def _load(plugin: Plugin, entry: EntryPoint, taken: Mapping[str, str]) -> Plugin:
    try:
        _check_name(plugin.name)
        told = entry.load()
        routes = _routes(plugin.name, getattr(told, "ROUTES", {}))
        return replace(plugin, routes=routes, kinds=_kinds(getattr(told, "KINDS", ()), taken))
    except _NoPlugin as error:
        reason = str(error)
    except (Exception, SystemExit) as error:  # whatever a stranger's code does when it is imported
        log.debug("the plugin %r couldn't be loaded", plugin.name, exc_info=True)
        reason = f"{type(error).__name__}: {error}" if str(error) else type(error).__name__
    reason = "".join(each if each.isprintable() else " " for each in reason)[:_LONGEST_REASON].rstrip(". ")
    sentence = f"The plugin {plugin.name!r} isn't used: {reason}; update it or switch it off."
    log.warning("%s", sentence)
    return replace(plugin, error=sentence)


def _check_name(name: str) -> None:
    if not _NAME.fullmatch(name):
        raise _NoPlugin("its name has more than lower-case letters, digits, `-` and `_`, so that no URI can have it")


def _routes(name: str, declared: Any) -> Mapping[str, Resource]:
    if not isinstance(declared, Mapping):
        raise _NoPlugin("its ROUTES isn't a mapping from URI templates to resources")
    own = f"/plugins/{name}"
    for template, resource in declared.items():
        if not isinstance(template, str) or not (template == own or template.startswith(f"{own}/")):
            raise _NoPlugin(f"its URI {template!r} isn't below {own}, where a plugin gets in nobody's way")
        if not callable(resource):
            raise _NoPlugin(f"what it has for {template} can't be called with the API's services")
    return MappingProxyType(dict(declared))


def _kinds(declared: Any, taken: Mapping[str, str]) -> tuple[Kind, ...]:
    if isinstance(declared, str) or not isinstance(declared, Iterable):
        raise _NoPlugin("its KINDS isn't a list of names of packages")
    found: list[Kind] = []
    for package in declared:
        kind = getattr(importlib.import_module(str(package)), "KIND", None)
        if not isinstance(kind, Kind):
            raise _NoPlugin(f"its package {package} has no KIND")
        if kind.has_xml:
            raise _NoPlugin(f"its kind {kind.name} has XML, and only onggi's own kinds make things on the host")
        others = {**taken, **{each.name.lower(): "itself" for each in found}}
        if kind.name.lower() in others:
            raise _NoPlugin(f"its kind {kind.name} is declared by {others[kind.name.lower()]} already")
        _check_schema(kind)
        found.append(kind)
    return tuple(found)


def _check_schema(kind: Kind) -> None:
    schema: Any = kind.schema
    fields = schema.get("properties") if isinstance(schema, Mapping) else None
    if not isinstance(fields, Mapping) or not all(isinstance(each, Mapping) for each in fields.values()):
        raise _NoPlugin(f"the schema of its kind {kind.name} doesn't say what a document has")


def _version(entry: EntryPoint) -> str:
    try:
        return entry.dist.version if entry.dist is not None else ""
    except Exception:  # a half-installed package has no metadata
        return ""
