"""How the parts of a `<pool>` are told apart, so that a document's XML finds its places: see `specs/overlay`."""

from __future__ import annotations

from specs.overlay.tables import Table, named, reaches

TABLE = Table(
    "StoragePool",
    "pool",
    {
        "source/host": named("@name"),
        "source/device": named("@path"),
        "source/initiator/iqn": named("@name"),
        "fs:mount_opts/fs:option": named("@name"),
        "rbd:config_opts/rbd:option": named("@name"),
    },
    namespaces={
        "fs": "http://libvirt.org/schemas/storagepool/fs/1.0",
        "rbd": "http://libvirt.org/schemas/storagepool/rbd/1.0",
    },
    at_birth=("target/permissions",),
    harmless=("features", "refresh", "target/permissions"),
    reaching={
        "@type": reaches("devices"),
        "source": reaches("devices"),
        "source/host": reaches("network"),
        "source/dir": reaches("files"),
        "source/auth": reaches("other"),
        "target/path": reaches("files"),
        "target/permissions": reaches("security"),
        "target/permissions/mode": reaches(
            "security", *(f"{start}7{rest}" for start in ("0", "") for rest in ("00", "10", "11", "50", "51", "55"))
        ),
        "target/encryption": reaches("other"),
    },
    never={
        "name": "the document's `metadata.name` says how it is called; remove it",
        "uuid": "the document's `metadata.uid` says which one it is; remove it",
        **dict.fromkeys(("capacity", "allocation", "available"), "libvirt counts that; remove it"),
    },
)
