"""How a kind's objects become documents: one value in `exporter.py` of the kind's folder here, found by scanning."""

from __future__ import annotations

import importlib
import pkgutil
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from functools import cache

from reconciler.exporting.draft import Draft, Surroundings
from reconciler.exporting.unsaid import elements, word
from reconciler.observed.snapshot import Observed
from specs.binding import Element, parse
from specs.host import Host


@dataclass(frozen=True, slots=True)
class Exporter:
    """One kind's. `said` are the elements of a definition that documents speak of, or that libvirt or onggi would put
    into a new one; `unsaid` tells what of these has no words all the same. `fill_in(made, there, host)` puts into a
    rendered definition what libvirt itself will put in, where it is so in that of the object.
    """

    kind: str
    draft: Callable[[Observed, Surroundings], Draft]
    said: frozenset[str]
    unsaid: Callable[[Element], Iterable[str]] = lambda _root: ()
    fill_in: Callable[[Element, Element, Host], None] = lambda _made, _there, _host: None


@cache
def exporters() -> Mapping[str, Exporter]:
    """Every kind's, by its name."""
    package = importlib.import_module(__name__.rpartition(".")[0])
    folders = (each.name for each in pkgutil.iter_modules(package.__path__, f"{package.__name__}.") if each.ispkg)
    found: list[Exporter] = [importlib.import_module(f"{folder}.exporter").EXPORTER for folder in folders]
    return {each.kind: each for each in found}


def unsaid(kind: str, xml: str) -> tuple[str, ...]:
    """Half-sentences on what no document can say, in the order of the definition."""
    root, exporter = parse(xml), exporters()[kind]
    found = [word(each) for each in elements(root) if each.tag not in exporter.said]
    return tuple(dict.fromkeys([*found, *exporter.unsaid(root)]))
