"""Makes, reverts to and deletes snapshots that are kept inside a machine's disks.

A machine that runs is kept with its memory, and only one whose disks can all hold a snapshot. What is there is
`snapshot_list`'s business.
"""

from __future__ import annotations

import libvirt

from reconciler.errors import NotFound, Refused, Terminal
from reconciler.hypervisor.connection import Connections, Lane
from reconciler.hypervisor.lookup import get
from reconciler.hypervisor.virtualmachine.snapshot_definitions import define_again, follow, inside, secure_xml, strayed
from reconciler.hypervisor.virtualmachine.snapshot_images import SnapshotImages
from reconciler.planning.one_off import CreateSnapshot, DeleteSnapshot, RevertSnapshot
from specs.binding import element, parse, serialise
from specs.reference import Ref
from specs.virtualmachine.storage.snapshots import hindrance

_LONGEST_NAME = 200  # bytes: libvirt makes a file's name of it


def create(connections: Connections, operation: CreateSnapshot) -> None:
    """Keep the machine's state. Raises Refused: see `CreateSnapshot`."""
    ref, name = operation.ref, operation.name
    _check_name(name)
    with connections.lend(f"make the snapshot {name} of {ref}", Lane.SLOW) as connection:
        domain = get(connection, ref)
        running = bool(domain.isActive())
        definition = parse(domain.XMLDesc(0 if running else libvirt.VIR_DOMAIN_XML_INACTIVE))
        if (unable := hindrance(definition, str(ref), running=running)) is not None:
            raise Refused(unable.sentence, reason=unable.reason)
        if _find(domain, name) is not None:
            raise Refused(f"{ref} has a snapshot {name} already; choose another name.", reason="SnapshotExists")
        follow(connection, domain, {})  # what was cut off is finished first: its parent may be a copy
        domain.snapshotCreateXML(serialise(element("domainsnapshot", element("name", name))), 0)


def revert(connections: Connections, operation: RevertSnapshot) -> None:
    """Put the machine back. Raises NotFound."""
    ref, name = operation.ref, operation.name
    with connections.lend(f"put {ref} back to its snapshot {name}", Lane.SLOW) as connection:
        domain = get(connection, ref)
        images = SnapshotImages(connection, connections.uri)
        follow(connection, domain, strayed(domain, images))
        snapshot = _get(domain, ref, name)
        if lacking := images.lacking(inside(domain, snapshot), name):
            raise Refused(
                f"{ref} can't be put back to its snapshot {name}: {_list(lacking)} holds no such snapshot any more; "
                "nothing was changed. Delete the snapshot, or bring the image back.",
                reason="SnapshotNotInImage",
            )
        _put_back(domain, snapshot)


def _put_back(domain: libvirt.virDomain, snapshot: libvirt.virDomainSnapshot) -> None:
    try:
        domain.revertToSnapshot(snapshot, 0)
    except libvirt.libvirtError as error:
        if error.get_error_code() != libvirt.VIR_ERR_SNAPSHOT_REVERT_RISKY:
            raise
        # What runs has other devices than what was kept: another QEMU is started for that.
        domain.revertToSnapshot(snapshot, libvirt.VIR_DOMAIN_SNAPSHOT_REVERT_FORCE)


def delete(connections: Connections, operation: DeleteSnapshot) -> None:
    """Delete one snapshot and leave its children. Raises NotFound, and Terminal when an image keeps it all the same:
    it is then still listed, so that it can be tried again.
    """
    ref, name = operation.ref, operation.name
    with connections.lend(f"delete the snapshot {name} of {ref}", Lane.SLOW) as connection:
        domain = get(connection, ref)
        images = SnapshotImages(connection, connections.uri)
        follow(connection, domain, strayed(domain, images))
        snapshot = _get(domain, ref, name)
        holding = images.holding(inside(domain, snapshot), name)
        current, definition = bool(snapshot.isCurrent()), secure_xml(snapshot)
        snapshot.delete(0)
        if left := images.holding(holding, name):
            define_again(domain, definition, current=current)
            raise Terminal(
                f"the snapshot {name} of {ref} couldn't be taken out of {_list(left)}, and is kept: another program "
                "has the image open, or it can't be written to; mend that and delete the snapshot again."
            )


def _list(paths: list[str]) -> str:
    return ", ".join(paths)


def _check_name(name: str) -> None:
    if not name.strip() or name.startswith(".") or "/" in name or not name.isprintable():
        raise Refused(
            "A snapshot's name has no slash, no control characters and no dot in front; choose another.",
            reason="InvalidName",
        )
    if len(name.encode(errors="replace")) > _LONGEST_NAME:
        raise Refused(
            f"A snapshot's name has at most {_LONGEST_NAME} bytes; choose a shorter one.", reason="InvalidName"
        )


def _find(domain: libvirt.virDomain, name: str) -> libvirt.virDomainSnapshot | None:
    try:
        return domain.snapshotLookupByName(name, 0)
    except libvirt.libvirtError as error:
        if error.get_error_code() == libvirt.VIR_ERR_NO_DOMAIN_SNAPSHOT:
            return None
        raise


def _get(domain: libvirt.virDomain, ref: Ref, name: str) -> libvirt.virDomainSnapshot:
    found = _find(domain, name)
    if found is None:
        raise NotFound(f"{ref} has no snapshot {name}; look at the list of its snapshots.", reason="SnapshotNotFound")
    return found
