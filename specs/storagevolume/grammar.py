"""How documents of volumes stand to what libvirt's grammar knows of them."""

from __future__ import annotations

from specs.grammar import Grammar

GRAMMAR = Grammar(
    "storagevol.rng",
    by_code={"name": "metadata.name", "capacity": "capacity", "capacity/@unit": "capacity"},
    run_time=(
        *("@type", "key", "physical/**", "source/**", "target/path"),
        *("target/timestamps/**", "backingStore/timestamps/**", "backingStore/permissions/**"),
    ),
)
