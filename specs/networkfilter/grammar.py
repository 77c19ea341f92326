"""How documents of network filters stand to what libvirt's grammar knows of them."""

from __future__ import annotations

import re

from specs.grammar import Grammar
from specs.networkfilter.matching_fields import MATCH

_FORGOTTEN = frozenset({"arpsrcipmask", "arpdstipmask"})  # libvirt takes them, and its grammar doesn't
_HYPHENS = {
    name: re.sub("[A-Z]", lambda found: f"-{found[0].lower()}", name) for name in MATCH.fields if name not in _FORGOTTEN
}

GRAMMAR = Grammar(
    "nwfilter.rng",
    by_code={
        "@name": "metadata.name",
        "uuid": "metadata.uid",
        "filterref/@filter": "rules.filter",
        "filterref/parameter/@name": "rules.parameters.name",
        "filterref/parameter/@value": "rules.parameters.value",
        "rule/@action": "rules.action",
        "rule/@direction": "rules.direction",
        "rule/@priority": "rules.priority",
        "rule/@statematch": "rules.stateMatch",
        "rule/*/@match": "rules.noMatch",
        **{f"rule/*/@{attribute}": f"rules.match.{name}" for name, attribute in _HYPHENS.items()},
        "rule/*": "rules.protocol",
    },
)
