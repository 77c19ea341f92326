"""What has to fit together about a machine's processors and memory, where that can be known offline.

A template may say the other half, so nothing is missed in a document that has one.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from specs.codecs import bytes_of, size_text
from specs.virtualmachine.compute.amounts import kib_of
from specs.virtualmachine.compute.ranges import as_ranges, numbers, processors_of

if TYPE_CHECKING:
    from specs.virtualmachine.spec import VirtualMachineSpec

Broken = tuple[str, str]  # JSON pointer into the spec, sentence

_KIB = 1024


def check_compute(spec: VirtualMachineSpec) -> Iterator[Broken]:
    """The rules between these fields. Relies on the shape that the schema asks for."""
    said: Mapping[str, Any] = spec
    whole = "template" not in spec
    yield from _check_model(said, whole=whole)
    yield from _check_cells(said, whole=whole)
    yield from _check_modules(said, whole=whole)
    yield from _check_pins(said)
    yield from _check_threads(said, whole=whole)
    yield from _check_memory(said, whole=whole)


def _check_model(spec: Mapping[str, Any], *, whole: bool) -> Iterator[Broken]:
    cpu, mode = spec.get("cpu", {}), spec.get("cpuMode")
    if mode == "custom" and "model" not in cpu and whole:
        yield "/cpuMode", "A custom CPU is one by name; write it as `cpu.model`, or choose another mode."
    if mode == "host-passthrough" and spec.get("domainType") == "emulated":
        yield "/cpuMode", "Emulation has no CPU of the host's; write `cpuMode: maximum`, or `domainType: kvm`."
    for field in ("model", "match"):
        if field in cpu and (mode not in (None, "custom") or (mode is None and whole)):
            yield f"/cpu/{field}", f"`cpu.{field}` is of a CPU by name; write `cpuMode: custom` too, or remove it."
    if "migratable" in cpu and mode not in ("host-passthrough", "maximum") and (mode is not None or whole):
        sentence = "It goes with the modes host-passthrough and maximum; write one of them as `cpuMode`, or remove it."
        yield "/cpu/migratable", sentence
    for field in ("fallback", "vendorId", "vendor"):
        if field in cpu and whole and "model" not in cpu:
            yield f"/cpu/{field}", f"`cpu.{field}` is about a model; write `cpu.model` with `cpuMode: custom` too."
    yield from _twice("/cpu/features", [feature["name"] for feature in cpu.get("features", ())], "feature")
    bits = cpu.get("addressBits", {})
    if bits.get("mode") == "passthrough" and "bits" in bits:
        yield "/cpu/addressBits/bits", "The mode passthrough takes the host's width; remove it, or write `emulate`."
    if bits.get("mode") == "emulate" and "bits" not in bits:
        yield "/cpu/addressBits", "The mode emulate needs their number; write `bits`, such as 40."
    is_hosts = mode == "host-passthrough" or (mode is None and not whole)
    for field, value in (("/cpu/cache", cpu.get("cache")), ("/cpu/addressBits/mode", bits.get("mode"))):
        if value == "passthrough" and not is_hosts:
            yield field, "Only a CPU that is the host's can have that; write `cpuMode: host-passthrough` too."


def _check_cells(spec: Mapping[str, Any], *, whole: bool) -> Iterator[Broken]:
    cells: Sequence[Mapping[str, Any]] = spec.get("numa", {}).get("cells", ())
    if not cells:
        for field in ("latencies", "bandwidths"):
            if field in spec.get("numa", {}) and whole:
                yield f"/numa/{field}", "It is between NUMA cells; write `numa.cells` too."
        return
    ids = [cell["id"] for cell in cells]
    yield from _twice("/numa/cells", ids, "number")
    if len(set(ids)) == len(ids) and set(ids) != set(range(len(ids))):
        yield "/numa/cells", f"Cells are numbered from 0 to {len(ids) - 1} without a gap; correct their `id`."
    taken: dict[int, int] = {}
    for place, cell in enumerate(cells):
        for cpu in sorted(numbers(cell.get("cpus", ""))):
            if (first := taken.setdefault(cpu, place)) != place:
                yield f"/numa/cells/{place}/cpus", f"CPU {cpu} is in cell {ids[first]} already; put it into one."
                break
        for index, distance in enumerate(cell.get("distances", ())):
            if distance["cell"] not in ids:
                yield f"/numa/cells/{place}/distances/{index}/cell", f"There is no cell {distance['cell']}; correct it."
    yield from _check_cells_processors(spec, processors_of(cells), whole=whole)
    yield from _check_cells_memory(spec, cells, whole=whole)
    for field in ("latencies", "bandwidths"):
        for index, each in enumerate(spec["numa"].get(field, ())):
            for end in ("initiator", "target"):
                if each[end] not in ids:
                    yield f"/numa/{field}/{index}/{end}", f"There is no cell {each[end]}; correct it."


def _check_cells_processors(spec: Mapping[str, Any], known: frozenset[int], *, whole: bool) -> Iterator[Broken]:
    most = processors(spec)
    if most is None:
        if whole and known and known != {0}:
            count = max(known) + 1
            yield "/numa/cells", f"The cells have {count} CPUs and `cpus` isn't written; write `cpus: {count}` too."
        return
    every = frozenset(range(most))
    if known - every:
        sentence = f"The machine has {most} CPUs, numbered from 0, and not {as_ranges(known - every)}; correct them."
        yield "/numa/cells", sentence
    elif every - known:
        sentence = f"The CPUs {as_ranges(every - known)} are in no cell; put each into one, or lower their number."
        yield "/numa/cells", sentence


def _check_cells_memory(
    spec: Mapping[str, Any], cells: Sequence[Mapping[str, Any]], *, whole: bool
) -> Iterator[Broken]:
    modules = sum(kib_of(module["size"]) for module in spec.get("memoryModules", ()))
    total = sum(kib_of(cell["memory"]) for cell in cells) + modules
    said = spec.get("maximumMemory", spec.get("memory"))
    with_modules = " with its memory modules" if modules else ""
    if said is None:
        if whole:
            size = size_text(total * _KIB)
            yield "/numa/cells", f"The cells have {size}{with_modules}; write `memory: {size}` too."
        return
    wanted = -(-(bytes_of(said, "MiB") or 0) // _KIB)
    if wanted != total:
        name = "maximumMemory" if "maximumMemory" in spec else "memory"
        yield (
            "/numa/cells",
            f"The cells have {size_text(total * _KIB)} in all{with_modules}, but `{name}` is {said}; make both equal.",
        )


def _check_modules(spec: Mapping[str, Any], *, whole: bool) -> Iterator[Broken]:
    modules: Sequence[Mapping[str, Any]] = spec.get("memoryModules", ())
    room: Mapping[str, Any] = spec.get("memoryRoom", {})
    cells = spec.get("numa", {}).get("cells", ())
    if whole and (modules or room) and not cells and "pseries" not in str(spec.get("machine", "")):
        where = "/memoryModules" if modules else "/memoryRoom"
        yield where, "Modules of memory belong to a NUMA cell; write `numa.cells`, one with all CPUs will do."
    if whole and modules and not room:
        yield "/memoryModules", "There is no room for modules; write `memoryRoom` with a `size` and `slots`."
    slotted = [module for module in modules if not module["model"].startswith("virtio")]
    if "slots" in room and len(slotted) > room["slots"]:
        yield "/memoryRoom/slots", f"{len(slotted)} modules take a slot each; write at least that many."
    for index, module in enumerate(modules):
        if module["model"] == "virtio-pmem" and "node" in module:
            yield f"/memoryModules/{index}/node", "A virtio-pmem is in no cell; remove it."
        elif cells and module["model"] != "virtio-pmem" and "node" not in module:
            yield f"/memoryModules/{index}", "A module is in a NUMA cell; write its number as `node`."
        elif cells and module.get("node", 0) >= len(cells):
            yield f"/memoryModules/{index}/node", f"There is no cell {module['node']}; correct it."
        if "requested" in module and kib_of(module["requested"]) > kib_of(module["size"]):
            yield f"/memoryModules/{index}/requested", f"It has {module['size']} in all; ask for less."
        if "block" in module and kib_of(module["size"]) % max(kib_of(module["block"]), 1):
            yield f"/memoryModules/{index}/size", f"It isn't made of whole blocks of {module['block']}; correct it."
    addresses = [module["address"] for module in modules if " " in module.get("address", "")]
    yield from _twice("/memoryModules", addresses, "address")
    paths = [module["path"] for module in modules if "path" in module]
    yield from _twice("/memoryModules", paths, "path")
    if room:
        size, most = kib_of(room["size"]), spec.get("maximumMemory", spec.get("memory"))
        if most is not None and size * _KIB < (bytes_of(most, "MiB") or 0):
            yield "/memoryRoom/size", f"The machine has {most} already, and this is with all modules; write more."


def _check_pins(spec: Mapping[str, Any]) -> Iterator[Broken]:
    tune = spec.get("cpuTune", {})
    most, threads = processors(spec), _threads(spec)
    if tune.get("placement") == "auto" and "processors" in tune:
        yield "/cpuTune/processors", "With the placement auto numad chooses them; remove one of the two."
    pins = tune.get("vcpuPins", ())
    yield from _twice("/cpuTune/vcpuPins", [pin["vcpu"] for pin in pins], "CPU")
    for index, pin in enumerate(pins):
        if most is not None and pin["vcpu"] >= most:
            yield f"/cpuTune/vcpuPins/{index}/vcpu", f"The machine has {most} CPUs, numbered from 0; correct it."
    pins = tune.get("ioThreadPins", ())
    yield from _twice("/cpuTune/ioThreadPins", [pin["ioThread"] for pin in pins], "I/O thread")
    for index, pin in enumerate(pins):
        if threads is not None and pin["ioThread"] not in threads:
            sentence = f"The machine has the I/O threads {as_ranges(threads) or 'none'}; correct it, or add the thread."
            yield f"/cpuTune/ioThreadPins/{index}/ioThread", sentence
    for field, of, known in (
        ("vcpuSchedulers", "vcpus", None if most is None else frozenset(range(most))),
        ("ioThreadSchedulers", "ioThreads", threads),
    ):
        taken: frozenset[int] = frozenset()
        for index, each in enumerate(tune.get(field, ())):
            those = numbers(each[of])
            if known is not None and those - known:
                sentence = f"The machine has no {as_ranges(those - known)}; correct it."
                yield f"/cpuTune/{field}/{index}/{of}", sentence
            if taken & those:
                sentence = f"{as_ranges(taken & those)} has a scheduler already; name each once."
                yield f"/cpuTune/{field}/{index}/{of}", sentence
            taken |= those
    for field in ("quota", "globalQuota", "emulatorQuota", "ioThreadQuota"):
        if -1 < tune.get(field, -1) < 1000:
            yield f"/cpuTune/{field}", "A quota has at least 1000 microseconds, or is -1 for no limit; correct it."


def _check_threads(spec: Mapping[str, Any], *, whole: bool) -> Iterator[Broken]:
    pools = spec.get("ioThreadPools", ())
    yield from _twice("/ioThreadPools", [each["id"] for each in pools], "thread")
    if pools and "ioThreads" not in spec and whole:
        yield "/ioThreadPools", f"How many threads there are isn't written; write `ioThreads: {len(pools)}` too."
    elif pools and "ioThreads" in spec and spec["ioThreads"] != len(pools):
        sentence = f"`ioThreads` is {spec['ioThreads']}, and these are {len(pools)}; make both equal."
        yield "/ioThreadPools", sentence
    for index, each in enumerate(pools):
        if each.get("least", 0) > each.get("most", 64):
            yield f"/ioThreadPools/{index}/least", "It is more than `most`, which is 64 by default; correct it."


def _check_memory(spec: Mapping[str, Any], *, whole: bool) -> Iterator[Broken]:
    backing, tune = spec.get("memoryBacking", {}), spec.get("memoryTune", {})
    if backing.get("pages") and backing.get("hugePages") is False:
        yield "/memoryBacking/pages", "There are no huge pages; write `hugePages: true`, or remove it."
    if backing.get("hugePages") and backing.get("source") == "anonymous":
        yield "/memoryBacking/source", "Huge pages are never anonymous; remove it, or write `memfd`."
    for low, high in (("softLimit", "hardLimit"), ("hardLimit", "swapHardLimit")):
        if low in tune and high in tune and kib_of(tune[low]) > kib_of(tune[high]):
            yield f"/memoryTune/{low}", f"It is more than `{high}`; lower it, or raise that."
    memory = spec.get("maximumMemory", spec.get("memory"))
    if memory is not None and "hardLimit" in tune and kib_of(tune["hardLimit"]) * _KIB < (bytes_of(memory, "MiB") or 0):
        sentence = f"The machine may have {memory}, and the hypervisor needs some too; write more than that."
        yield "/memoryTune/hardLimit", sentence
    tuned = spec.get("numaTune", {})
    if tuned.get("placement") == "auto" and "nodes" in tuned:
        yield "/numaTune/nodes", "With the placement auto numad chooses them; remove one of the two."
    chosen = tuned.get("placement", "auto" if _by_numad(spec) and "nodes" not in tuned else "static")
    if chosen == "auto" and tuned.get("cells"):
        yield "/numaTune/cells", "numad chooses for the whole machine, and no single cells; write `placement: static`."
    if (
        ("mode" in tuned or "placement" in tuned)
        and "nodes" not in tuned
        and tuned.get("placement") != "auto"
        and whole
    ):
        yield "/numaTune", "It doesn't say which nodes; write `nodes`, or `placement: auto`."
    cells = spec.get("numa", {}).get("cells", ())
    for index, page in enumerate(backing.get("pages", ())):
        if "cells" in page and (whole or cells) and numbers(page["cells"]) - frozenset(range(len(cells))):
            yield f"/memoryBacking/pages/{index}/cells", "`numa.cells` has no such cell; add it, or correct this."
    yield from _twice("/numaTune/cells", [each["cell"] for each in tuned.get("cells", ())], "cell")
    for index, each in enumerate(tuned.get("cells", ())):
        if (cells or whole) and each["cell"] >= len(cells):
            yield f"/numaTune/cells/{index}/cell", f"There is no cell {each['cell']}; correct it."
        if "mode" in tuned and (tuned["mode"] == "restrictive") != (each["mode"] == "restrictive"):
            yield f"/numaTune/cells/{index}/mode", "Either all are restrictive or none is; correct it."


def processors(spec: Mapping[str, Any]) -> int | None:
    """How many CPUs a machine may have; None where that is left open."""
    count = spec.get("maximumCpus", spec.get("cpus"))
    if count is None and (topology := spec.get("cpuTopology")):
        return int(topology["sockets"] * topology.get("dies", 1) * topology["cores"] * topology["threads"])
    return None if count is None else int(count)


def _by_numad(spec: Mapping[str, Any]) -> bool:
    return bool(spec.get("cpuTune", {}).get("placement") == "auto")


def _threads(spec: Mapping[str, Any]) -> frozenset[int] | None:
    if "ioThreadPools" in spec:
        return frozenset(each["id"] for each in spec["ioThreadPools"])
    return frozenset(range(1, spec["ioThreads"] + 1)) if "ioThreads" in spec else None


def _twice(where: str, keys: Sequence[Any], what: str) -> Iterator[Broken]:
    seen: dict[Any, int] = {}
    for index, key in enumerate(keys):
        if (first := seen.setdefault(key, index)) != index:
            yield f"{where}/{index}", f"Item {first + 1} of this list has the same {what}, {key}; correct one of them."
