"""A StoragePool in libvirt's XML: its binds, and what a new one starts with.

The password of an iSCSI target is no part of it: the pool names a libvirt secret, which `secret.py` describes. Whether
a pool is built, started or started at boot isn't XML at all.
"""

from __future__ import annotations

import posixpath
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from lxml import etree

from specs import canonical
from specs.binding import Bind, Element, Field, child_at, drop_attributes, set_text_at, text_at
from specs.bound import bound_to
from specs.carried import carried
from specs.codecs import INTEGER, TEXT, YES_NO, Codec
from specs.declared_binds import binder, complete
from specs.effect import Effect
from specs.host import Host
from specs.plain import NewSpec, Spec
from specs.storagepool.fields import SPEC
from specs.storagepool.secret import secret_usage

if TYPE_CHECKING:
    from specs.storagepool.spec import LoweredSource, LoweredSourceAuth, LoweredStoragePool, SourceAuth, StoragePoolSpec

bind = binder(SPEC)

_MOUNT_FOLDER = "/var/lib/libvirt/onggi"
_ISCSI = frozenset({"iscsi", "iscsi-direct"})
_ISCSI_PORT = 3260
_FS_NAMESPACE = "http://libvirt.org/schemas/storagepool/fs/1.0"
_FS = f"{{{_FS_NAMESPACE}}}"


def lower(declared: StoragePoolSpec, *, name: str, uid: str, host: Host) -> LoweredStoragePool:  # noqa: ARG001  (every kind's signature)
    """Libvirt's pool type and paths as libvirt writes them; credentials as the name of a libvirt secret."""
    lowered: LoweredStoragePool = carried(SPEC, declared)
    if lowered.get("type") == "kimchi-iso":
        lowered["type"] = "dir"
    source: LoweredSource = carried(SPEC["source"], declared.get("source", {}))
    if "path" in declared:
        lowered["path"] = canonical.path(declared["path"])
        if lowered.get("type") == "logical":
            source["name"] = posixpath.basename(lowered["path"])
            lowered["path"] = f"/dev/{source['name']}"  # whatever is written, libvirt goes by the volume group
    if "path" in source:
        source["path"] = canonical.path(source["path"])
    if "name" in source.get("adapter", ()):
        source["adapter"] = {"type": "scsi_host", **source["adapter"]}  # no other type has a name
    if "auth" in source:
        source["auth"] = _login(declared["source"]["auth"], lowered.get("type", ""), name)
    if source:
        lowered["source"] = source
    return lowered


def _login(auth: SourceAuth, kind: str, name: str) -> LoweredSourceAuth:
    reference = auth.get("secret") or {"usage": secret_usage(name)}
    secret = f"usage {reference['usage']}" if "usage" in reference else f"uuid {reference['uuid'].lower()}"
    return {"username": auth["username"], "type": "ceph" if kind == "rbd" else "chap", "secret": secret}


def target_path(spec: StoragePoolSpec | LoweredStoragePool, name: str) -> str | None:
    """Where a pool's volumes appear on the host: as declared, else where a new pool of its type puts them."""
    match spec.get("type"):
        case _ if "path" in spec:
            return str(spec["path"])
        case "netfs" | "fs":
            return f"{_MOUNT_FOLDER}/{name}"
        case "logical":
            return f"/dev/{name}"
        case "mpath":
            return "/dev/mapper"
        case "vstorage":
            return f"{_MOUNT_FOLDER}/{name}"
        case "iscsi" | "scsi":
            return "/dev/disk/by-path"
        case "disk":
            return "/dev"
        case _:
            return None


def skeleton(lowered: LoweredStoragePool, *, name: str, uid: str, host: Host) -> Element:  # noqa: ARG001  (every kind's signature)
    """A new pool: its target path, NFS for a share, and GPT for a disk that is to be labelled."""
    root = etree.Element("pool", {"type": lowered["type"]})
    etree.SubElement(root, "name").text = name
    etree.SubElement(root, "uuid").text = uid
    path = target_path(lowered, name)
    if path is not None:
        child_at(root, "target/path").text = path
    if lowered["type"] == "netfs":
        child_at(root, "source/format").set("type", "nfs")
    if (permissions := lowered.get("permissions")) is not None:
        for key in ("mode", "owner", "group", "label"):
            if key in permissions:
                child_at(root, f"target/permissions/{key}").text = str(permissions[key])
    if lowered["type"] == "disk" and lowered.get("build"):
        child_at(root, "source/format").set("type", "gpt")
    if lowered["type"] == "gluster":
        child_at(root, "source/dir").set("path", "/")
    return root


def _same_path(declared: str, observed: str | None) -> bool:
    return observed is not None and canonical.path(declared) == canonical.path(observed)


def _same_host(declared: str, observed: str | None) -> bool:
    return observed is not None and canonical.host(declared) == canonical.host(observed)


def _of_cifs(root: Element) -> bool:
    return text_at(root, "source/format/@type") == "cifs"


def _source_path(root: Element) -> str | None:
    """A source's folder as it is declared. libvirt makes `//host/path` of a CIFS share, so in its XML the path has no
    slash of its own, and one with it names no share.
    """
    path = text_at(root, "source/dir/@path")
    return path if path is None or not _of_cifs(root) else f"/{path}"


def _put_source_path(root: Element, path: str) -> None:
    set_text_at(root, "source/dir/@path", path.lstrip("/") if _of_cifs(root) else path)


def _same_source_path(declared: str, observed: str | None) -> bool:
    return _same_path(declared, observed) and not (observed or "").startswith("//")


def _same_port(declared: int, observed: int | None) -> bool:
    return declared == (_ISCSI_PORT if observed is None else observed)


def _of_iscsi(root: Element) -> bool:
    return root.get("type") in _ISCSI


def _devices(root: Element) -> list[str] | None:
    if _of_iscsi(root):
        return None  # it calls its target a device
    return [each.get("path") or "" for each in root.iterfind("source/device")]


def _put_devices(root: Element, devices: list[str]) -> None:
    source = child_at(root, "source")
    wanted = {canonical.path(device): device for device in devices}
    for element in source.findall("device"):
        if wanted.pop(canonical.path(element.get("path") or ""), None) is None:
            source.remove(element)
    for device in wanted.values():
        etree.SubElement(source, "device").set("path", device)


def _same_devices(declared: list[str], observed: list[str] | None) -> bool:
    return {canonical.path(each) for each in declared} == {canonical.path(each) for each in observed or ()}


def _devices_effect(old: list[str] | None, new: list[str], observed: LoweredStoragePool) -> Effect:
    """A volume group gets further devices at once, and none can be taken out; others need a restart of the pool."""
    if observed.get("type") != "logical":
        return Effect.NEXT_BOOT
    gone = {canonical.path(each) for each in old or ()} - {canonical.path(each) for each in new}
    return Effect.FORBIDDEN if gone else Effect.LIVE


def _target(root: Element) -> str | None:
    return text_at(root, "source/device/@path") if _of_iscsi(root) else None


def _adapter_type(root: Element) -> str | None:
    adapter = root.find("source/adapter")
    return None if adapter is None else adapter.get("type", "scsi_host")


def _put_adapter_type(root: Element, value: str) -> None:
    adapter = child_at(root, "source/adapter")
    adapter.attrib.clear()  # each type has attributes and contents of its own
    adapter[:] = []
    adapter.set("type", value)


def _same_adapter(declared: str, observed: str | None) -> bool:
    """`scsi_host2` is what node devices are called, `host2` the older word for it."""
    return observed is not None and declared.removeprefix("scsi_") == observed.removeprefix("scsi_")


def _same_word(declared: str, observed: str | None) -> bool:
    return observed is not None and declared.lower() == observed.lower()


def _secret(root: Element) -> str | None:
    secret = root.find("source/auth/secret")
    if secret is None:
        return None
    return f"usage {secret.get('usage')}" if secret.get("usage") is not None else f"uuid {secret.get('uuid')}"


def _put_secret(root: Element, secret: str) -> None:
    element = child_at(root, "source/auth/secret")
    drop_attributes(element, "usage", "uuid")
    by, _, value = secret.partition(" ")
    element.set(by, value)


def _hosts(root: Element) -> list[NewSpec] | None:
    if root.get("type") != "rbd":
        return None
    return [
        {"name": each.get("name") or "", **({"port": int(port)} if (port := each.get("port")) else {})}
        for each in root.iterfind("source/host")
    ]


def _put_hosts(root: Element, hosts: list[Spec]) -> None:
    source = child_at(root, "source")
    for each in source.findall("host"):
        source.remove(each)
    for host in hosts:
        made = etree.SubElement(source, "host", {"name": host["name"]})
        if "port" in host:
            made.set("port", str(host["port"]))


def _same_hosts(declared: list[Spec], observed: list[Spec] | None) -> bool:
    def of(hosts: list[Spec]) -> list[tuple[str, int | None]]:
        return sorted(((canonical.host(each["name"]), each.get("port")) for each in hosts), key=str)

    return of(declared) == of(observed or [])


def _only_host(path: str, codec: Codec = TEXT) -> Callable[[Element], Any]:
    """A server's; a cluster of Ceph's has several, and a field of its own."""

    def get(root: Element) -> Any:
        found = None if root.get("type") == "rbd" else text_at(root, path)
        return None if found is None else codec.decode(found)

    return get


def _put_port(root: Element, port: int) -> None:
    set_text_at(root, "source/host/@port", str(port))


def _options(root: Element) -> list[str]:
    return [each.get("name") or "" for each in root.iterfind(f"{_FS}mount_opts/{_FS}option")]


def _put_options(root: Element, options: list[str]) -> None:
    for each in root.findall(f"{_FS}mount_opts"):
        root.remove(each)
    if options:
        holder = etree.SubElement(root, f"{_FS}mount_opts", nsmap={"fs": _FS_NAMESPACE})
        for option in options:
            etree.SubElement(holder, f"{_FS}option").set("name", option)


def _same_options(declared: list[str], observed: list[str] | None) -> bool:
    return sorted(declared) == sorted(observed or [])


def _parent_address(root: Element) -> str | None:
    element = root.find("source/adapter/parentaddr/address")
    if element is None:
        return None
    domain, bus, slot, function = (int(element.get(key) or "0", 0) for key in ("domain", "bus", "slot", "function"))
    return f"{domain:04x}:{bus:02x}:{slot:02x}.{function}"


def _put_parent_address(root: Element, address: str) -> None:
    domain, bus, rest = address.split(":")
    slot, _, function = rest.partition(".")
    element = child_at(root, "source/adapter/parentaddr/address")
    for key, value in (("domain", domain), ("bus", bus), ("slot", slot), ("function", function)):
        element.set(key, f"0x{value}")


def _bind(name: str, path: str = "", **how: Any) -> Field:
    return Field(name, path, effect=Effect.NEXT_BOOT, **how)


BINDS: tuple[Bind, ...] = complete(
    SPEC,
    (
        bind("type", "@type"),
        _bind("source/name", "source/name"),
        _bind("path", "target/path", same=_same_path),
        _bind("source/host", "source/host/@name", get=_only_host("source/host/@name"), same=_same_host),
        _bind(
            "source/port",
            "source/host/@port",
            codec=INTEGER,
            get=_only_host("source/host/@port", INTEGER),
            same=_same_port,
        ),
        _bind("source/hosts", get=_hosts, put=_put_hosts, same=_same_hosts),
        _bind("source/vendor", "source/vendor/@name"),
        _bind("source/product", "source/product/@name"),
        Field("source/devices", get=_devices, put=_put_devices, same=_same_devices, effect_in=_devices_effect),
        _bind("source/target", get=_target, put=lambda root, iqn: child_at(root, "source/device").set("path", iqn)),
        _bind("source/initiator", "source/initiator/iqn/@name"),
        _bind("source/adapter/type", get=_adapter_type, put=_put_adapter_type),
        _bind("source/adapter/name", "source/adapter/@name", same=_same_adapter),
        _bind("source/adapter/wwnn", "source/adapter/@wwnn", same=_same_word),
        _bind("source/adapter/wwpn", "source/adapter/@wwpn", same=_same_word),
        _bind("source/adapter/parent", "source/adapter/@parent", same=_same_adapter),
        _bind("source/adapter/parentWwnn", "source/adapter/@parent_wwnn", same=_same_word),
        _bind("source/adapter/parentWwpn", "source/adapter/@parent_wwpn", same=_same_word),
        _bind("source/adapter/parentFabricWwn", "source/adapter/@parent_fabric_wwn", same=_same_word),
        _bind("source/adapter/managed", "source/adapter/@managed", codec=YES_NO),
        _bind("source/adapter/parentAddress/address", get=_parent_address, put=_put_parent_address),
        _bind("source/adapter/parentAddress/uniqueId", "source/adapter/parentaddr/@unique_id", codec=INTEGER),
        _bind("source/auth/type", "source/auth/@type"),
        _bind("source/auth/username", "source/auth/@username"),
        _bind("source/auth/secret", get=_secret, put=_put_secret),
        _bind("mountOptions", get=_options, put=_put_options, same=_same_options),
        _bind("source/format", "source/format/@type", bound=(bound_to({"nfs", "auto"}, "source/protocol"),)),
        # Behind the format, on which hangs how it is written.
        _bind("source/protocolVersion", "source/protocol/@ver"),
        _bind("source/path", get=_source_path, put=_put_source_path, same=_same_source_path),
    ),
)
