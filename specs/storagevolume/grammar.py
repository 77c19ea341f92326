"""How documents of volumes stand to what libvirt's grammar knows of them."""

from __future__ import annotations

from specs.grammar import Grammar

_CIPHER = ("name", "size", "mode", "hash")

GRAMMAR = Grammar(
    "storagevol.rng",
    by_code={
        "name": "metadata.name",
        "capacity": "capacity",
        "capacity/@unit": "capacity",
        "allocation": "allocation",
        "allocation/@unit": "allocation",
        "target/clusterSize": "qcow2.clusterSize",
        "target/clusterSize/@unit": "qcow2.clusterSize",
        "target/nocow": "noCopyOnWrite",
        "target/encryption/@format": "encryption.format",
        **{f"target/encryption/secret/@{part}": f"encryption.secret.{part}" for part in ("usage", "uuid")},
        "target/encryption/secret/@type": "encryption.secret",
        **{f"target/encryption/cipher/@{part}": f"encryption.cipher.{part}" for part in _CIPHER},
        **{f"target/encryption/ivgen/@{part}": f"encryption.ivgen.{part}" for part in ("name", "hash")},
        **{f"target/permissions/{part}": f"permissions.{part}" for part in ("owner", "group", "mode", "label")},
    },
    run_time=(
        *("@type", "key", "physical/**", "source/**", "target/path"),
        *("target/timestamps/**", "backingStore/timestamps/**", "backingStore/permissions/**"),
    ),
)
