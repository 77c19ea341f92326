"""A pool as a document: what its definition says, without what is a default anyway."""

from __future__ import annotations

from reconciler.exporting.draft import Draft, running
from reconciler.observed.snapshot import Observed
from specs.binding import Element, parse
from specs.declared_binds import sayable
from specs.plain import NewSpec
from specs.storagepool import KIND as POOLS
from specs.storagepool.fields import SPEC
from specs.storagepool.model import check
from specs.storagepool.secret import secret_usage


def pool(observed: Observed) -> Draft:
    """The draft of one pool. A password in libvirt is never read: its credentials stay as they are."""
    config = POOLS.lowered(observed.config)
    said = {"type": config.get("type"), "path": config.get("path")}
    draft = Draft(observed.ref, observed.uid, {key: value for key, value in said.items() if value})
    found = config.get("source") or {}
    source = {key: value for key, value in found.items() if value and key not in ("auth", "name")}
    if config.get("type") != "logical" and found.get("name"):
        source["name"] = found["name"]
    if (adapter := found.get("adapter")) and adapter.get("type") == "scsi_host":
        source["adapter"] = {key: value for key, value in adapter.items() if key != "type"}
    if (auth := found.get("auth")) and auth.get("secret"):
        by, _, secret = auth["secret"].partition(" ")
        if secret == secret_usage(observed.ref.name):
            draft.secrets.append("the password of its source, which libvirt keeps: say with `passwordFrom` where it is")
        else:
            source["auth"] = {"username": auth["username"], "secret": {by: secret}}
    if (options := config.get("mountOptions")) and not any(check("", {"type": "netfs", "mountOptions": options})):
        draft.spec["mountOptions"] = options
    if permissions := _permissions(parse(observed.xml)):
        draft.spec["permissions"] = permissions
    said_at_paths = sayable(SPEC, observed.config)
    draft.spec |= {key: said_at_paths[key] for key in ("features", "refresh") if key in said_at_paths}
    if source:
        draft.spec["source"] = source
    running(observed, draft.spec)
    return draft


def _permissions(root: Element) -> NewSpec:
    """Whose its folder is, which libvirt reads from the folder itself."""
    found: NewSpec = {}
    for key, read in (("owner", int), ("group", int), ("mode", str), ("label", str)):
        text = root.findtext(f"target/permissions/{key}")
        if text and text != "-1":
            found[key] = read(text)
    return found
