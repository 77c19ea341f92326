"""What a request for a new machine asks for: the template that it names, and the document that comes of both.

Whatever is named has to be there, so that the client hears at once what a task could only fail at.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final
from urllib.parse import unquote

from api.http.prefix import plain
from api.http.refusal import Refusal, bad
from api.vms.completion import block_pools, disks_to_be, mistakes_of
from api.vms.consoles import console_words
from api.vms.drafting import new_machine, template_spec
from api.vms.fitting import unfit_disks
from reconciler.loop.passes import World
from specs.plain import Json, NewJson
from specs.reference import NETWORK, STORAGE_POOL, Ref

if TYPE_CHECKING:
    from specs.template.spec import TemplateSpec
    from specs.virtualmachine.spec import VirtualMachineSpec

_TEMPLATES: Final = "/templates/"
_POOLS: Final = "/storagepools/"


def template_at(world: World, address: str) -> tuple[str, TemplateSpec]:
    """The name of the template at an address, and its whole spec. Raises Refusal 404."""
    given = plain(address).removeprefix(_TEMPLATES).rstrip("/")
    for name in dict.fromkeys((given, unquote(given))):
        if (spec := template_spec(world.desired, name)) is not None:
            return name, spec
    raise Refusal(404, f"The template {given} doesn't exist.", "KCHOBJST0001E")


def requested_machine(
    world: World,
    name: str,
    template_name: str,
    template: TemplateSpec,
    body: Json,
    allowed_folders: tuple[str, ...],
) -> NewJson:
    """The document of the machine `name`. Raises Refusal 400."""
    pool = unquote(plain(str(body.get("storagepool") or "")).removeprefix(_POOLS).rstrip("/"))
    document = new_machine(
        name,
        template,
        template_name,
        world.snapshot.host,
        pool=pool,
        block_pools=block_pools(world),
        graphics=console_words(body.get("graphics") or {}),
    )
    spec = document["spec"]
    _check_places(world, spec, pool)
    if mistakes := mistakes_of(world, document, allowed_folders):
        raise bad("", mistakes[0])
    for disk in disks_to_be(world, name, spec.get("disks", ())):
        if disk in world.snapshot.objects:
            raise bad(
                "KCHVOL0001E",
                f"There is a volume {disk.name} already, perhaps of an earlier machine; delete it, or choose "
                "another name.",
            )
    return document


def _check_places(world: World, spec: VirtualMachineSpec, pool: str) -> None:
    known = world.snapshot.objects.keys() | world.desired.resources.keys()
    pools = {disk.get("pool", "default") for disk in spec.get("disks", ()) if "size" in disk} | ({pool} - {""})
    for each in sorted(pools):
        if Ref(STORAGE_POOL, each) not in known:
            raise bad("KCHTMPL0004E", f"The storage pool {each} doesn't exist.")
    for unfit in unfit_disks(world, spec.get("disks", ())):
        raise bad(unfit.code, unfit.sentence)
    for interface in spec.get("interfaces", ()):
        if "network" in interface and Ref(NETWORK, interface["network"]) not in known:
            raise bad("KCHTMPL0003E", f"The network {interface['network']} doesn't exist.")
