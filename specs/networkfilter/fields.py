"""Everything that a NetworkFilter document may say."""

from __future__ import annotations

from specs.declared import IN_CODE, has, items, mapping, number, text, where, word, yes_no
from specs.effect import Effect
from specs.networkfilter.matching_fields import MATCH, PARTS
from specs.notations import NAME
from specs.overlay.field import overlay
from specs.policy import policies

ABOUT = "A network filter: rules of a firewall for machines' interfaces, which refer to it by its name."

_OF_PACKETS = ("priority", "stateMatch", "protocol", "match", "noMatch")

RULE = mapping(
    "A rule, or by `filter` all rules of another filter.",
    {
        "filter": NAME.but("The filter whose rules stand here: a declared one, or one of libvirt's own."),
        "parameters": items(
            "What the variables of that filter are. Default: what the interface says.",
            mapping(
                "One value of a variable; one that has several is there several times.",
                {
                    "name": text(
                        "The variable, such as IP.",
                        "^[A-Za-z0-9_]+$",
                        error="A variable has letters, digits and _; correct it.",
                    ),
                    "value": text(
                        "Its value.",
                        r"^[A-Za-z0-9_.:\-]+$",
                        error="A variable's value has letters, digits and . : - _; correct it.",
                    ),
                },
                required=("name", "value"),
            ),
        ),
        "action": word(
            "What happens to a packet: `accept`, `drop`, `reject` (and tell the sender), `return` to where this "
            "filter is included, or `continue` with the next rule.",
            "accept",
            "drop",
            "reject",
            "return",
            "continue",
        ),
        "direction": word(
            "Which packets: `in` to the guest, `out` of it, or both (`inout`).", "in", "out", "inout"
        ),
        "priority": number(
            "Rules with lower ones come first. Default: 500.", -1000, 1000, default=500
        ),
        "stateMatch": yes_no(
            "Whether answers to what is let through are let through too. Default: true.", default=True
        ),
        "protocol": word("What is looked at in a packet. Default: the rule is for each of them.", *PARTS),
        "match": MATCH.but("What a packet has that the rule is for. Default: nothing in particular."),
        "noMatch": MATCH.but("What a packet doesn't have that the rule is for. Default: nothing in particular."),
    },
    rules=(
        where(
            has("filter"),
            {
                "not": {"anyOf": [has(each) for each in ("action", "direction", *_OF_PACKETS)]},
                "errorMessage": "A rule that includes a `filter` has `parameters` beside it and nothing else; "
                "remove the rest.",
            },
            {
                **has("action"),
                "errorMessage": "A rule needs an `action`, or the `filter` whose rules stand for it; add one of them.",
            },
        ),
        where(
            has("action"),
            {**has("direction"), "errorMessage": "A rule needs a `direction`: in, out or inout; add it."},
        ),
        where(
            has("parameters"),
            {**has("filter"), "errorMessage": "`parameters` are an included filter's; name that `filter`."},
        ),
        where(
            {"anyOf": [has("match"), has("noMatch")]},
            {**has("protocol"), "errorMessage": "What a packet has depends on the `protocol`; name it."},
        ),
    ),
)  # fmt: skip

SPEC = mapping(
    "The filter.",
    {
        "chain": text(
            "The chain of the host's firewall that its rules are in: `root`, or one that begins with the protocol that "
            "it is for, such as `arp-local`. Default: root.",
            "^(?:root|(?:mac|stp|vlan|arp|rarp|ipv4|ipv6)[A-Za-z0-9_.:-]{0,9})$",
            at_most=12,
            default="root",
            error="A chain is `root`, or begins with mac, stp, vlan, arp, rarp, ipv4 or ipv6 and has at most 12 "
            "characters; choose another.",
            effect=Effect.LIVE,
            at="@chain",
            absent="root",
        ),
        "priority": number(
            "Chains with lower ones are gone through first. Default: as libvirt has it for the chain's protocol.",
            -1000,
            1000,
            effect=Effect.LIVE,
            at="@priority",
            absent=0,
        ),
        "rules": items(
            "The rules, in order, all of them: one that isn't here isn't on the host. A change reaches the running "
            "machines at once. Default: none are declared, and those that the filter has stay.",
            RULE,
            effect=Effect.LIVE,
            at=IN_CODE,
        ),
        "xml": overlay("filter", Effect.LIVE),
        **policies("What happens to the filter when the document is removed: it has nothing to keep. Default: Retain."),
    },
)
