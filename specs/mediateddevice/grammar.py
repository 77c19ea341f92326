"""How documents of mediated devices stand to what libvirt's grammar knows of devices of the host."""

from __future__ import annotations

from specs.grammar import Grammar

GRAMMAR = Grammar(
    "nodedev.rng",
    by_code={
        "capability/uuid": "metadata.name",
        "capability/attr/@name": "attributes.name",
        "capability/attr/@value": "attributes.value",
    },
    run_time=("**",),  # all else is what other devices of the host are, and how this one is doing
)
