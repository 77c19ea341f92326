"""/templates: what new machines begin with. A template is a document and nothing on the host."""

from __future__ import annotations

import copy
import re
import time
import uuid
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Final

from api.documents.resource import DocumentResource
from api.http.endpoint import Answer, Call, action, delete, get, post, put
from api.http.isolated import isolated
from api.http.prefix import below
from api.http.refusal import Refusal, bad, not_found
from api.http.schema import arr, boolean, integer, number, obj, text
from api.templates.fields import Fields, TemplateFields, check_cpus
from api.templates.view import FORMATS, TEMPLATE, UNKNOWN, template_view
from api.vms.consoles import graphics_schema
from api.vms.drafting import template_spec
from api.vms.memory import memory_schema
from api.vms.processors import TOPOLOGY
from reconciler.identity.role import Role
from reconciler.locality import is_here
from reconciler.loop.passes import World
from reconciler.writing.changes import DocumentChange, Documents, Put, Remove
from specs import reference
from specs.name import name_problem
from specs.plain import Json, NewDocument, NewJson, Spec
from specs.reference import Ref

_VOLATILE: Final = frozenset({"invalid"})
_MOST_CPUS: Final = 4096
_LEAST_MIB: Final = 16  # as documents have it
_MOST_MIB: Final = 1 << 24
_MOST_GIB: Final = 1 << 20
_FIELDS: Final = {
    "name": text(
        "Its name; by default from the system that the image installs.", minLength=1, pattern="^[^ ]+( +[^ ]+)*$",
        x_code="KCHTMPL0008E", examples=["debian-12"],
        x_message="A template's name is a text without a blank at its beginning or end.",
    ),
    "icon": text("A picture for clients.", pattern="^images/", x_code="KCHTMPL0009E"),
    "folder": arr(text(), description="Where clients show it, as folder names from the top."),
    "os_distro": text("The distribution; by default what the image tells.", minLength=1, x_code="KCHTMPL0010E"),
    "os_version": text("Its version; by default what the image tells.", minLength=1, x_code="KCHTMPL0011E"),
    "cpus": integer(
        "The number of CPUs; by default 1, or what the topology makes.", minimum=1, maximum=_MOST_CPUS,
        x_code="KCHTMPL0012E",
    ),
    "memory": memory_schema("Memory in MiB; by default 1024.", _LEAST_MIB),
    "max_memory": integer(
        "MiB that a machine could have while it runs.", minimum=_LEAST_MIB, maximum=_MOST_MIB, x_code="KCHTMPL0013E"
    ),
    "cdrom": text(
        "The ISO image: a volume (`volume` or `pool/volume`), a path on the host or an address.", minLength=1,
        x_code="KCHTMPL0014E", examples=["/var/lib/libvirt/images/debian-12.iso"],
    ),
    "storagepool": text(
        "The address of the pool of new disks; by default /storagepools/default.",
        pattern=below("storagepools", "[^/]+/?"), x_code="KCHTMPL0015E", examples=["/storagepools/default"],
    ),
    "networks": arr(text(), description="The networks; by default [default].", x_code="KCHTMPL0017E"),
    "interfaces": arr(
        obj(
            {
                "type": text("macvtap, or ovs.", enum=["macvtap", "ovs"], x_code="KCHTMPL0034E"),
                "name": text("The interface or bridge of the host.", minLength=1, x_code="KCHTMPL0035E"),
                "mode": text("bridge, of a macvtap.", enum=["bridge"], x_code="KCHTMPL0036E"),
            },
            required=("type", "name"), x_code="KCHTMPL0038E",
        ),
        description="Interfaces of the host: for each the network that goes through it, besides `networks`.",
        x_code="KCHTMPL0037E",
    ),
    "disks": arr(
        obj(
            {
                "index": integer("The place among the disks.", minimum=0, x_code="KCHTMPL0022E"),
                "size": number(
                    "Capacity in GiB, a whole number.", minimum=1, maximum=_MOST_GIB, multipleOf=1,
                    x_code="KCHTMPL0022E", x_message="A disk's size is a whole number of GiB, at least 1.",
                ),
                "format": text("Image format.", enum=list(FORMATS), x_code="KCHTMPL0027E"),
                "base": text("The path of the image that it begins with.", pattern="^/.+$", x_code="KCHTMPL0023E"),
                "pool": obj(
                    {
                        "name": text(
                            "Its address.", pattern=below("storagepools", "[^/]+/?"), x_code="KCHTMPL0015E",
                        )
                    },
                    required=("name",), closed=False, x_code="KCHTMPL0015E",
                    description="The pool of this disk, instead of the template's.",
                ),
                "volume": text("An existing volume, by its name in the pool.", minLength=1, x_code="KCHTMPL0019E"),
            },
            closed=False,
            x_code="KCHTMPL0022E",
        ),
        minItems=1, uniqueItems=True, description="The disks; by default one of 10 GiB.", x_code="KCHTMPL0022E",
    ),
    "graphics": graphics_schema("The console; by default VNC on 127.0.0.1."),
    "netboot": boolean("Whether a machine boots over the network first, and needs no image."),
    "cpu_info": obj(
        {
            "vcpus": integer("The same as `cpus`.", minimum=1, maximum=_MOST_CPUS, x_code="KCHTMPL0012E"),
            "maxvcpus": integer(
                "Processors that a machine could have while it runs.", minimum=1, maximum=_MOST_CPUS,
                x_code="KCHTMPL0012E",
            ),
            "topology": obj(
                {name: {**each, "maximum": _MOST_CPUS} for name, each in TOPOLOGY.items()},
                required=tuple(TOPOLOGY), closed=False, x_code="KCHTMPL0026E",
            )
        },
        closed=False,
        description="How the CPUs are arranged.",
    ),
}  # fmt: skip
_CHANGE: Final = obj(_FIELDS, x_code="KCHAPI0001E")
_CREATE: Final = obj(
    {
        **_FIELDS,
        "source_media": obj(
            {
                "type": text("An image (disk), or the network.", enum=["disk", "netboot"]),
                "path": text("Of the image: an ISO image becomes the `cdrom`, any other the `base` of the disk."),
            },
            required=("type",),
            x_code="KCHTMPL0016E",
            description="What a machine is installed from, instead of `cdrom` and `netboot`.",
        ),
    },
    x_code="KCHAPI0001E",
)
_CLONE: Final = re.compile(r"-clone(\d{1,9})")


class _Family(DocumentResource):
    tag = "Templates"
    kind = reference.TEMPLATE
    noun = "template"
    missing_code = "KCHOBJST0001E"
    taken_code = "KCHTMPL0001E"
    name_code = "KCHTMPL0008E"

    def view(self, world: World, name: str) -> NewJson:
        """One template. Raises Refusal 404."""
        if self.ref(name) in world.desired.held:
            raise Refusal(404, f"The document of the template {name} has a mistake; correct it in the repository.")
        found = template_view(world, name, self._is_file)
        if found is None:
            raise not_found(self.missing_code, f"The template {name}")
        return found

    def _is_file(self, path: str) -> bool:
        if not is_here(self.serving.settings.connect):
            return True  # another machine's files can't be seen from here
        try:
            return Path(path).is_file() or Path(path).is_block_device()
        except (OSError, ValueError):
            return False

    def inherited(self, spec: Spec) -> Json:
        """What the templates say that such a document extends."""
        base = spec.get("template")
        return (template_spec(self.serving.world.desired, base) or {}) if base else {}


class Templates(_Family):
    """All templates."""

    address = "/templates"

    @get("The templates, by name.", arr(TEMPLATE), filters=True, blocking=True, role=Role.VIEWER)
    def read(self, _call: Call) -> list[NewJson]:
        """Every template whose document is sound."""
        world = self.serving.world
        found = sorted(ref for ref in world.desired.resources if ref.kind == reference.TEMPLATE)
        return isolated(found, lambda ref: self.view(world, ref.name))

    @post(
        "Make a template, of an ISO image or of a disk's base image.",
        TEMPLATE,
        _CREATE,
        fallback="KCHAPI0001E",
        failure="KCHTMPL0020E",
        role=Role.ADMIN,
    )
    def make(self, call: Call) -> NewJson:
        """Its document is committed."""
        self.serving.changes.check_allowed()
        spec = TemplateFields(self.serving, call.client).new(call.body)
        name = str(call.body.get("name") or _name_for(spec))
        return self.view(self.create(call, self.ref(name), spec), name)


class Template(_Family):
    """One template."""

    address = "/templates/{name}"

    @get("A template.", TEMPLATE, blocking=True, volatile=_VOLATILE, role=Role.VIEWER)
    def read(self, _call: Call, name: str) -> NewJson:
        """As it is declared; what isn't there at the moment is in `invalid`."""
        return self.view(self.serving.world, name)

    @put(
        "Change a template. With a new name it moves to another address.", TEMPLATE, _CHANGE, fallback="KCHAPI0001E",
        other={303: TEMPLATE}, volatile=_VOLATILE,
        description="`disks` and `networks` replace the lists that were there. What `graphics` leaves out is as by"
        " default, whatever it was before.",
        failure="KCHTMPL0032E", role=Role.ADMIN,
    )  # fmt: skip
    def change_it(self, call: Call, name: str) -> Answer | NewJson:
        """Its document is committed; what names it follows a new name."""
        self.serving.changes.check_allowed()
        self.view(self.serving.world, name)
        fields = TemplateFields(self.serving, call.client)

        def changed(spec: Spec) -> Fields:
            inherited = self.inherited(spec)
            made = fields.changed(call.body, spec, inherited)
            check_cpus({**inherited, **made} if "cpu_info" in call.body or "cpus" in call.body else {}, "KCHTMPL0025E")
            return made

        wanted = str(call.body.get("name", name))
        if wanted != name:
            return self._rename(call, name, wanted, changed)

        def change(document: NewDocument) -> None:
            document["spec"] = changed(document["spec"])

        return self.view(self.change(call, self.ref(name), change), name)

    @delete(
        "Remove a template that nothing in the repository extends or names.", failure="KCHTMPL0021E", role=Role.ADMIN
    )
    def delete(self, call: Call, name: str) -> None:
        """Its document goes. Machines that were made from it through the API have all of it themselves, and stay."""
        self.serving.changes.check_allowed()
        ref = self.ref(name)
        declared = self.serving.world.desired
        if ref not in declared.resources and ref not in declared.held:
            raise not_found(self.missing_code, f"The template {name}")

        def edit(documents: Documents) -> Sequence[DocumentChange]:
            if users := [str(user) for user, _ in _naming(documents, name)]:
                raise bad("KCHTMPL0021E", f"The template {name} is named by {', '.join(users)}; change that first.")
            return [Remove(ref)] if ref in documents.refs() else []

        self.serving.changes.make(edit, f"Delete template {name}", call.client, [ref], removes=True)

    @action(
        "clone", "Make a template that is like this one.", TEMPLATE, status=303, failure="KCHTMPL0020E", role=Role.ADMIN
    )
    def clone(self, call: Call, name: str) -> Answer:
        """Its name is this one's with `-clone<number>`."""
        self.serving.changes.check_allowed()
        self.view(self.serving.world, name)
        made: list[Ref] = []

        def edit(documents: Documents) -> Sequence[DocumentChange]:
            document = copy.deepcopy(self.serving.document(self.ref(name), documents))
            taken = (_CLONE.fullmatch(ref.name.removeprefix(name)) for ref in documents.refs() if _is_like(ref, name))
            number_ = max((int(match[1]) for match in taken if match), default=0) + 1
            clone = self.ref(f"{name}-clone{number_}")
            if problem := name_problem(clone.name):
                raise bad(self.name_code, problem)
            document["metadata"] = {**document["metadata"], "name": clone.name}
            document["metadata"].pop("uid", None)
            made[:] = [clone]
            return [Put(clone, document)]

        world = self.serving.changes.make(edit, f"Clone template {name}", call.client, []).world
        return Answer(self.view(world, made[0].name), 303, location=f"/templates/{made[0].name}")

    def _rename(self, call: Call, name: str, wanted: str, changed: Any) -> Answer:
        if problem := name_problem(wanted):
            raise bad(self.name_code, problem)
        old, new = self.ref(name), self.ref(wanted)

        def edit(documents: Documents) -> Sequence[DocumentChange]:
            if new in documents.refs():
                raise self.taken(new)
            document = self.serving.document(old, documents)
            document["metadata"] = {**document["metadata"], "name": wanted}
            document["spec"] = changed(document.get("spec") or {})
            followers = []
            for ref, follower in _naming(documents, name):
                follower["spec"] = {**follower["spec"], "template": wanted}
                followers.append(Put(ref, follower))
            return [Put(new, document, was=old), *followers]

        message = f"Rename template {name} to {wanted}"
        world = self.serving.changes.make(edit, message, call.client, [old, new], removes=True).world
        return Answer(self.view(world, wanted), 303, location=f"/templates/{wanted}")


def _naming(documents: Documents, name: str) -> list[tuple[Ref, NewJson]]:
    """The documents that name this template: machines that people wrote, and templates that extend it."""
    found = []
    for ref in sorted(documents.refs()):
        if ref.kind in (reference.VIRTUAL_MACHINE, reference.TEMPLATE):
            document = documents.get(ref)
            spec = (document or {}).get("spec")
            if document is not None and isinstance(spec, Mapping) and spec.get("template") == name:
                found.append((ref, document))
    return found


def _is_like(ref: Ref, name: str) -> bool:
    return ref.kind == reference.TEMPLATE and ref.name.startswith(name)


def _name_for(spec: Spec) -> str:
    """As Kimchi names a template that comes without a name."""
    if spec.get("osDistro", UNKNOWN) == UNKNOWN:
        return str(uuid.uuid4())
    return f"{spec['osDistro']}{spec.get('osVersion', UNKNOWN)}.{time.time_ns() // 1_000_000}"
