"""How documents of secrets stand to what libvirt's grammar knows of them."""

from __future__ import annotations

from specs.grammar import Grammar

GRAMMAR = Grammar(
    "secret.rng",
    by_code={
        "uuid": "metadata.uid",
        "description": "description",
        "usage/@type": "usage.type",
        "usage/volume": "usage.id",
        "usage/name": "usage.id",
        "usage/target": "usage.id",
    },
)
