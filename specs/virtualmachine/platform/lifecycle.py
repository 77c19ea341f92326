"""The identity of a guest's data in libvirt's XML, which libvirt makes up itself where nobody gives one."""

from __future__ import annotations

from specs import canonical
from specs.binding import Element, set_text_at, text_at
from specs.declared_binds import binder
from specs.virtualmachine.fields import SPEC

bind = binder(SPEC)

GENERATED = "generated"


def _genid(root: Element) -> str | None:
    found = text_at(root, "genid")
    return None if found is None else found or GENERATED


def _put_genid(root: Element, genid: str) -> None:
    set_text_at(root, "genid", "" if genid == GENERATED else genid)


def _same_genid(declared: str, observed: str | None) -> bool:
    if declared == GENERATED:
        return observed is not None
    return observed is not None and canonical.uid(declared) == canonical.uid(observed)


LIFECYCLE = (bind("genid", get=_genid, put=_put_genid, same=_same_genid),)
