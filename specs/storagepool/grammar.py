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
        "source/auth/secret/@usage": "source.auth.passwordFrom",
        "source/auth/secret/@uuid": "source.auth.passwordFrom",
    },
    run_time=(
        *("allocation/**", "available/**", "capacity/**"),
        *("source/device/@part_separator", "source/device/freeExtent/**"),
    ),
    elsewhere={"source/format/vendor/**": "nothing", "source/format/product/**": "nothing"},
)
