"""The CPU's model in a definition.

A running guest's definition has what libvirt made of it: another mode, another model, and each feature by name. What
was declared can't be told from that, so there it counts as being as declared.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any, Final

from specs.binding import Element, Field, Items, child_at, drop_attributes, element, text_at
from specs.declared import declared_at, place
from specs.declared_binds import binder
from specs.effect import Effect
from specs.virtualmachine.fields import SPEC

bind = binder(SPEC)

EXPANDED: Final = "expanded"  # of a running guest, by libvirt: from a mode, or because no CPU was asked for
# What libvirt writes for a guest that asks for no CPU, in the definition itself since libvirt 6.
_PLAIN_MODELS = frozenset({"qemu64", "qemu32", "kvm64", "kvm32", "cortex-a15", "qemu"})
_DEFAULT_MODELS = _PLAIN_MODELS - {"kvm64", "kvm32"}  # those were asked for: QEMU itself chooses none of them
_STANDS_FOR_ALL = element("feature", name=EXPANDED)
_AS_THE_MODE_HAS_IT: Final[Mapping[str, Mapping[str, Any]]] = {  # what libvirt fills in
    "custom": {"check": "partial"},
    "host-model": {"check": "partial"},
    "host-passthrough": {"check": "none", "migratable": True},
    "maximum": {"check": "none", "migratable": True},
}


def cpu_mode(root: Element) -> str:
    """What `cpuMode` the definition has."""
    cpu = root.find("cpu")
    mode = None if cpu is None else cpu.get("mode")
    if cpu is None or (mode is None and cpu.find("model") is None):
        return "default"
    if mode not in (None, "custom"):
        return str(mode)
    if root.get("id") is not None and cpu.get("check") == "full":
        return EXPANDED
    plain = text_at(cpu, "model") in _PLAIN_MODELS and cpu.get("check") == "none" and cpu.find("feature") is None
    return "default" if plain else "custom"


def put_cpu_mode(root: Element, mode: str) -> None:
    """Another mode; what was said of the model of the one before goes."""
    cpu = child_at(root, "cpu")
    drop_attributes(cpu, "mode", "match", "check", "migratable")
    for path in ("model", "vendor", "cache", *(("feature",) if mode == "default" else ())):
        for old in cpu.findall(path):
            cpu.remove(old)
    if mode != "default":
        cpu.set("mode", mode)
    elif len(cpu) == 0:
        root.remove(cpu)


def same_cpu_mode(declared: str, observed: str) -> bool:
    """`custom` with the model that libvirt takes by default looks like `default`."""
    if observed == EXPANDED:
        return declared in ("host-model", "default", "custom")
    return declared == observed or (declared == "custom" and observed == "default")


def said_of_cpu(observed: Mapping[str, Any]) -> dict[str, Any]:
    """Of an observed CPU what a document has to say: not what its mode brings along."""
    mode = str(observed.get("cpuMode"))
    filled = {**_AS_THE_MODE_HAS_IT.get(mode, {}), "match": "exact", "fallback": "allow", "features": []}
    said = {
        name: value
        for name, value in (observed.get("cpu") or {}).items()
        if value not in (None, {}) and (name not in filled or filled[name] != value)
    }
    by_default = mode == "default" and said.get("model") in (None, *_DEFAULT_MODELS)
    for name in ("model", "fallback", "vendorId", "match", "check") if by_default else ():
        said.pop(name, None)
    if "features" in said:
        said["features"] = [
            {key: value for key, value in feature.items() if (key, value) != ("policy", "require")}
            for feature in said["features"]
        ]
    return said


def _of_the_model(name: str, **how: Any) -> Field:
    """A bind that sees in a running guest nothing but that libvirt expanded its CPU."""
    declared = declared_at(SPEC, name)
    plain = bind(name, **how)

    def get(root: Element) -> Any:
        if cpu_mode(root) == EXPANDED:
            return EXPANDED
        found = plain.read(root)
        return None if found == "" else found  # an empty `<model>` only has attributes

    return bind(name, place(declared), **how, get=get, same=lambda wanted, found: found in (wanted, EXPANDED))


def _put_cache(root: Element, mode: str) -> None:
    cache = child_at(root, "cpu/cache")
    cache.set("mode", mode)
    drop_attributes(cache, "level")
    if mode == "emulate":  # of which QEMU only has that
        cache.set("level", "3")


def _features(root: Element) -> Iterable[Element]:
    return [_STANDS_FOR_ALL] if cpu_mode(root) == EXPANDED else root.iterfind("cpu/feature")


def _match(declared: Any, observed: Any) -> list[int | None]:
    places = {feature["name"]: place for place, feature in enumerate(observed)}
    return [places.get(EXPANDED, places.get(feature["name"])) for feature in declared]


_NAME = Field("name", "@name", effect=Effect.NEXT_BOOT, same=lambda wanted, found: found in (wanted, EXPANDED))
_POLICY = Field(
    "policy",
    "@policy",
    effect=Effect.NEXT_BOOT,
    missing="require",
    comparable=lambda _declared, observed: observed["name"] != EXPANDED,
)
_FEATURES = Items(
    "cpu/features",
    elements=_features,
    parent="cpu",
    fields=(
        Field("name", "@name", effect=Effect.NEXT_BOOT, same=lambda wanted, found: found in (wanted, EXPANDED)),
        _POLICY,
    ),
    identity=lambda feature: feature["name"],
    label=lambda feature: str(feature["name"]),
    build=lambda feature: element("feature", policy=feature.get("policy", "require"), name=feature["name"]),
    add_effect=Effect.NEXT_BOOT,
    remove_effect=Effect.NEXT_BOOT,
    match=_match,
)

# The mode first: another one takes the model with it.
CPU = (
    _of_the_model("cpu/model"),
    _of_the_model("cpu/fallback"),
    _of_the_model("cpu/vendorId"),
    _of_the_model("cpu/vendor"),
    _of_the_model("cpu/match"),
    _of_the_model("cpu/check"),
    _of_the_model("cpu/migratable"),
    _of_the_model("cpu/addressBits/mode"),
    _of_the_model("cpu/addressBits/bits"),
    _of_the_model("cpu/cache", put=_put_cache),
    _FEATURES,
)
