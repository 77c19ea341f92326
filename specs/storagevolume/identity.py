"""How the parts of a `<volume>` are told apart, so that a document's XML finds its places: see `specs/overlay`."""

from __future__ import annotations

from specs.overlay.tables import Table, named, reaches

TABLE = Table(
    "StorageVolume",
    "volume",
    {"source/device": named("@path"), "target/encryption/secret": named("@type")},
    harmless=(
        "capacity",
        "allocation",
        "physical",
        "target/format",
        "target/compat",
        "target/clusterSize",
        "target/features",
    ),
    reaching={
        "@type": reaches("devices", "file"),
        "source": reaches("devices"),
        "backingStore": reaches("files"),
        "target/path": reaches("files"),
        "target/permissions": reaches("security"),
        "target/permissions/mode": reaches("security", "0600", "0640", "0644", "0660", "600", "640", "644", "660"),
        "target/encryption": reaches("other"),
    },
    never={
        "name": "the document's `metadata.name` says how it is called; remove it",
        "key": "libvirt makes that up; remove it",
    },
)
