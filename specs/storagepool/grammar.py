"""How documents of pools stand to what libvirt's grammar knows of them."""

from __future__ import annotations

from specs.grammar import Grammar

GRAMMAR = Grammar(
    "storagepool.rng",
    by_code={
        "name": "metadata.name",
        "uuid": "metadata.uid",
        "@type": "type",
        "source/device/@path": "source.devices",
        "source/auth/@type": "type",
        "source/auth/secret/@usage": "source.auth.secret.usage",
        "source/auth/secret/@uuid": "source.auth.secret.uuid",
        "source/adapter/@type": "source.adapter.type",
        "source/adapter/parentaddr/address/@multifunction": "source.adapter.parentAddress.address",
        **{
            f"source/adapter/parentaddr/address/@{part}": "source.adapter.parentAddress.address"
            for part in ("domain", "bus", "slot", "function")
        },
        "source/dir/@path": "source.path",
        "mount_opts/option/@name": "mountOptions",
        **{f"target/permissions/{part}": f"permissions.{part}" for part in ("owner", "group", "mode", "label")},
    },
    run_time=(
        *("allocation/**", "available/**", "capacity/**"),
        *("source/device/@part_separator", "source/device/freeExtent/**"),
    ),
    elsewhere={"source/format/vendor/**": "nothing", "source/format/product/**": "nothing"},
)
