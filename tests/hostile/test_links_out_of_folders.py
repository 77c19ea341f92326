"""Whatever path of the host a document names, no link leads an object out of the allowed folders.

Made from the declarations: a field that is a path of the host is tried here from the day on which it is declared.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from reconciler.errors import Terminal
from reconciler.hypervisor.links import check_links
from specs.binding import Element, parse
from specs.declared import Declared
from specs.notations import HOST_PATH
from specs.registry import Kind, kinds
from tests.desired.documents import Desired
from tests.lab.other_user import give
from tests.laws.samples import HOST, documents, lowered, name_of
from tests.specs.rendering import new_xml

# Those that may be something else than a path too: a volume, a URL, the host's firmware.
OTHERS = {
    *("VirtualMachine.cdroms.path", "VirtualMachine.loader.path", "VirtualMachine.nvram.template"),
    *(f"VirtualMachine.kernelBoot.{name}" for name in ("kernel", "initrd", "dtb")),
}


def fields_of(declared: Declared, path: str) -> Iterator[tuple[str, Declared]]:
    whole = declared.base or declared
    yield path, declared
    for name, each in (whole.item or whole).fields.items():
        yield from fields_of(each, f"{path}.{name}")


def named() -> Iterator[tuple[Kind, str, Declared]]:
    for kind in kinds().values():
        if kind.has_xml:
            for path, field in fields_of(kind.declarations.SPEC, kind.name):
                whole = field.base or field
                if HOST_PATH in (whole, whole.item and (whole.item.base or whole.item)) or path in OTHERS:
                    yield kind, path, field


NAMED = [pytest.param(*each, id=each[1]) for each in named()]


def the_one(kind: Kind, path: str, field: Declared) -> tuple[dict[str, Any], str]:
    """A good document that names a path there, and that path."""
    for spec in documents(kind, path, field):
        value: Any = spec
        for key in path.split(".")[1:]:
            value = value[0][key] if isinstance(value, list) else value[key]
        value = value[0] if isinstance(value, list) else value
        if str(value).startswith("/"):
            return spec, str(value)
    raise LookupError(f"{path}: give it two values that are paths")


def defined(kind: Kind, spec: dict[str, Any]) -> Element:
    return parse(new_xml(kind, lowered(kind, spec), name=name_of(kind), host=HOST))


def test_the_fields_are_found() -> None:
    found = {path for _, path, _ in named()}
    assert found >= OTHERS | {
        *("VirtualMachine.filesystems.source", "VirtualMachine.serials.log.file", "VirtualMachine.nvram.path"),
        *("VirtualMachine.graphics.socket", "Network.tftp"),
    }


@pytest.mark.parametrize(("kind", "path", "field"), NAMED)
def test_no_link_leads_out_of_the_allowed_folder(public_folder: Path, kind: Kind, path: str, field: Declared) -> None:
    folder = public_folder / "allowed"
    folder.mkdir()
    (public_folder / "secret").write_text("x")
    place = folder / "place"
    spec, value = the_one(kind, path, field)
    machine = defined(kind, json.loads(json.dumps(spec).replace(json.dumps(value), json.dumps(str(place)))))
    place.symlink_to(public_folder / "secret")
    with pytest.raises(Terminal, match=r"which isn't in an allowed folder; put .* or allow"):
        check_links(machine, [str(folder)], lambda _path: False)
    place.unlink()
    place.symlink_to(public_folder / "not yet there")
    with pytest.raises(Terminal, match=r"which isn't in an allowed folder; put .* or allow"):
        check_links(machine, [str(folder)], lambda _path: False)
    place.unlink()
    check_links(machine, [str(folder)], lambda _path: False)  # what isn't there is nobody's yet
    place.write_text("x")
    check_links(machine, [str(folder)], lambda _path: False)


@pytest.mark.parametrize(("kind", "path", "field"), NAMED)
def test_no_path_outside_of_the_allowed_folders_is_taken_from_a_document(
    kind: Kind, path: str, field: Declared
) -> None:
    spec, value = the_one(kind, path, field)
    spec = json.loads(json.dumps(spec).replace(json.dumps(value), json.dumps("/dev/elsewhere")))
    body = {"apiVersion": "onggi/v1", "kind": kind.name, "metadata": {"name": name_of(kind)}, "spec": spec}
    state = Desired(allowed_folders=("/srv", "/run")).of({"a.yaml": json.dumps(body)})
    assert not state.resources
    assert any("/dev/elsewhere" in problem.message for problem in state.problems), state.problems


def test_a_link_within_the_allowed_folders_is_followed(public_folder: Path) -> None:
    folder, other = public_folder / "allowed", public_folder / "other"
    for each in (folder, other):
        each.mkdir()
    (other / "image").write_text("x")
    (folder / "place").symlink_to(other / "image")
    device = parse(f"<filesystem><source dir='{folder}/place'/></filesystem>")
    check_links(device, [str(folder), str(other)], lambda _path: False)
    with pytest.raises(Terminal):
        check_links(device, [str(folder)], lambda _path: False)


def test_a_socket_may_lie_where_whoever_serves_it_can_make_it(public_folder: Path) -> None:
    folder = public_folder / "sockets"
    folder.mkdir()
    give(folder)
    allowed = [str(folder)]
    check_links(
        parse(f"<serial type='unix'><source mode='bind' path='{folder}/a'/></serial>"), allowed, lambda _: False
    )
    with pytest.raises(Terminal, match="could be exchanged by"):
        check_links(parse(f"<serial type='file'><source path='{folder}/a'/></serial>"), allowed, lambda _: False)


def test_what_the_system_has_is_reached_by_no_link_even_where_a_folder_around_it_is_allowed(
    public_folder: Path,
) -> None:
    (public_folder / "etc").symlink_to("/etc")
    device = parse(f"<filesystem><source dir='{public_folder}/etc/ssl'/></filesystem>")
    for allowed in ([str(public_folder), "/"], [f"{public_folder}/etc"]):
        with pytest.raises(Terminal, match="belongs to the system"):
            check_links(device, allowed, lambda _path: False)


def test_words_for_people_and_for_the_guest_are_no_places(public_folder: Path) -> None:
    (public_folder / "out").symlink_to("/etc")
    place = public_folder / "out"
    machine = parse(
        f"<domain><title>{place}</title><description>{place}</description><os><cmdline>{place}</cmdline></os>"
        f"<devices><filesystem><target dir='{place}'/></filesystem><disk><serial>{place}</serial></disk></devices>"
        "</domain>"
    )
    check_links(machine, [str(public_folder)], lambda _path: False)
