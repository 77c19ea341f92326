"""A volume as a document: what its definition says, without what is a default anyway."""

from __future__ import annotations

from reconciler.exporting.draft import Draft, Surroundings
from reconciler.observed.snapshot import Observed
from specs.binding import Element, parse
from specs.codecs import size_text
from specs.declared_binds import sayable
from specs.plain import NewSpec
from specs.reference import Ref
from specs.storagevolume import KIND as VOLUMES
from specs.storagevolume.fields import SPEC

_USUAL_CLUSTER = 64 << 10
_PLAIN_FORMATS = frozenset({"none", "unknown"})


def volume(observed: Observed, around: Surroundings) -> Draft:
    """The draft of one volume. Its data is there, so that nothing is said about where it came from."""
    ref, config = observed.ref, VOLUMES.lowered(observed.config)
    draft = Draft(ref, "", {"pool": ref.pool})
    if (capacity := config.get("capacity")) is not None:
        draft.spec["capacity"] = size_text(int(capacity))
    if config.get("format") and config["format"] not in _PLAIN_FORMATS:
        draft.spec["format"] = config["format"]
    draft.spec |= sayable(SPEC, observed.config)
    if (size := config.get("qcow2", {}).get("clusterSize")) not in (None, _USUAL_CLUSTER):
        draft.spec.setdefault("qcow2", {})["clusterSize"] = size_text(int(size))
    if "encryption" in config:
        _encrypted(draft, parse(observed.xml))
    if (below := config.get("backingVolume")) and (path := below.get("path")):
        backing = around.volume_at.get(path)
        if backing is None:
            draft.left.append(f"its backing image {path}, which is no volume of an active pool")
        else:
            draft.spec["backingVolume"] = _short(backing, ref.pool)
    return draft


def _encrypted(draft: Draft, root: Element) -> None:
    """Its secret is known only of one that libvirt hasn't looked into since it was made."""
    secret = root.find("target/encryption/secret")
    reference = {} if secret is None else {key: each for key in ("usage", "uuid") if (each := secret.get(key))}
    if not reference:
        draft.left.append("its encryption, of which libvirt doesn't tell the secret: say it with `encryption.secret`")
        return
    said: NewSpec = {"secret": reference}
    for tag in ("cipher", "ivgen"):
        if (element := root.find(f"target/encryption/{tag}")) is not None:
            said[tag] = {key: int(each) if key == "size" else each for key, each in element.attrib.items()}
    draft.spec["encryption"] = said


def _short(volume_ref: Ref, pool_name: str) -> str:
    return volume_ref.short_name if volume_ref.pool == pool_name else volume_ref.name
