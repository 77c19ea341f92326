"""Puts one XML of the corpus onto a host, with what it refers to, and exports it from there.

In the XML `@IMAGES@` is the folder of a pool, in which every image that is named gets a volume, and `@POOL@` that pool.
"""

from __future__ import annotations

import re
import uuid
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

from reconciler.exporting.export import Export, export
from reconciler.hypervisor import Hypervisor
from reconciler.line.line import Line
from reconciler.observed.snapshot import Snapshot
from reconciler.planning.operations import CreateVolume, Define, Start
from reconciler.settings.settings import Settings
from specs.binding import Element, child_at, element, parse, serialise
from specs.network.model import OWN_BRIDGE_MODES
from specs.overlay.areas import AREAS
from specs.reference import NETWORK, STORAGE_POOL, VIRTUAL_MACHINE, Ref

CORPUS = Path(__file__).parent
KINDS = {"domain": VIRTUAL_MACHINE, "network": NETWORK, "pool": STORAGE_POOL}
# Each test session's own: on a host that several share, what bears the same repository's mark would be theirs to prune.
REPOSITORY_ID = str(uuid.uuid4())


def corpus(*kinds: str) -> list[str]:
    """The names of all XMLs, `domain/floppy`, or of those of some kinds."""
    files = sorted(file for kind in kinds or KINDS for file in CORPUS.glob(f"{kind}/*.xml"))
    return [f"{file.parent.name}/{file.stem}" for file in files]


def text_of(name: str) -> str:
    """One XML of the corpus."""
    return (CORPUS / f"{name}.xml").read_text()


def define(
    hypervisor: Hypervisor, name: str, images: Path, called: Callable[[str], str], text: str | None = None
) -> Ref:
    """Define one XML as `called(...)`, and return it. `images` becomes the folder of a pool."""
    text = text_of(name) if text is None else text
    wanted = sorted(set(re.findall(r"@IMAGES@/([^'\" <]+)", text)))
    pool = Ref(STORAGE_POOL, called("images"))
    if wanted:
        make_volumes(hypervisor, pool, images, wanted)
    root = parse(text.replace("@IMAGES@", str(images)).replace("@POOL@", pool.name))
    ref = Ref(KINDS[str(root.tag)], called(name.replace("/", "-")))
    child_at(root, "name").text = ref.name
    if root.tag == "network" and _mode_of(root) in OWN_BRIDGE_MODES and root.find("bridge[@name]") is None:
        # A name that libvirt chose would be another network's before this one is made again.
        child_at(root, "bridge").set("name", f"t{uuid.uuid4().hex[:12]}")
    if root.tag == "domain" and hypervisor.uri.startswith("test"):
        root.set("type", "test")
    hypervisor.perform(Define(ref, str(uuid.uuid4()), serialise(root)))
    return ref


def _mode_of(network: Element) -> str:
    forward = network.find("forward")
    return "isolated" if forward is None else forward.get("mode") or "nat"


def make_volumes(hypervisor: Hypervisor, pool: Ref, folder: Path, names: list[str]) -> None:
    """A pool over `folder` with small volumes."""
    xml = element("pool", element("name", pool.name), element("target", element("path", str(folder))), type="dir")
    hypervisor.perform(Define(pool, str(uuid.uuid4()), serialise(xml)))
    hypervisor.perform(Start(pool))
    for name in names:
        kind = "raw" if name.endswith((".img", ".iso")) else "qcow2"
        volume = element(
            "volume",
            element("name", name),
            element("capacity", "4194304"),
            element("allocation", "0"),
            element("target", element("format", type=kind)),
        )
        hypervisor.perform(CreateVolume(Ref.volume(pool.name, name), serialise(volume)))


def only(snapshot: Snapshot, prefix: str) -> Snapshot:
    """The snapshot without what others have on this host."""
    mine = {ref: seen for ref, seen in snapshot.objects.items() if ref.name.startswith(prefix)}
    return replace(snapshot, objects=mine, skipped=())


def exported(snapshot: Snapshot, prefix: str) -> Export:
    """The export of what bears a prefix."""
    return export(only(snapshot, prefix), REPOSITORY_ID)


def write(found: Export, folder: Path, repository_id: str = REPOSITORY_ID) -> Path:
    """The export as a folder that onggi can be pointed at."""
    folder.mkdir()
    (folder / "onggi.yaml").write_text(f"apiVersion: onggi/v1\nrepositoryId: {repository_id}\n")
    for document in found.documents:
        file = folder / document.path
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(document.text)
    return folder


def line_of(folder: Path, uri: str, state: Path) -> Line:
    """The whole line over an exported folder, on a host that lets documents say all that its definitions say."""
    allowed = {"allow_xml": tuple(AREAS), "allowed_networks": ("10.0.0.0/8",)}
    return Line.open(Settings(repository=str(folder), connect=uri, state=state, **allowed), exclusive=True)
