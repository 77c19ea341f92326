"""What a document may say about the names that a network's DNS server answers, beside addresses."""

from __future__ import annotations

from typing import Final

from specs.declared import IN_CODE, Declared, items, mapping, number, text, word, yes_no
from specs.effect import Effect
from specs.notations import HOST_NAME, IP_ADDRESS

_LIVE: Final = Effect.LIVE

NAMES: Final[dict[str, Declared]] = {
    "forwardPlainNames": yes_no(
        "Whether names without a dot are asked of others too. Default: true.",
        effect=Effect.NEXT_BOOT,
        absent=True,
        at="dns/@forwardPlainNames",
    ),
    "srv": items(
        "Where services are found. Default: none.",
        mapping(
            "One service.",
            {
                "service": text(
                    "Its name, without the underscore, such as ldap.",
                    "^[A-Za-z0-9][A-Za-z0-9-]{0,62}$",
                    effect=_LIVE,
                    at="@service",
                    error="A service has a name of letters, digits and `-`; correct it.",
                ),
                "protocol": word("Its protocol.", "tcp", "udp", effect=_LIVE, at="@protocol"),
                "domain": HOST_NAME.but("In which domain. Default: the network's own.", effect=_LIVE, at="@domain"),
                "target": HOST_NAME.but(
                    "Which host has it. Default: none, which says that nobody has.", effect=_LIVE, at="@target"
                ),
                "port": number("At which port. Default: none.", 1, 65535, effect=_LIVE, at="@port"),
                "priority": number("The smallest is asked first. Default: 0.", 0, 65535, effect=_LIVE, at="@priority"),
                "weight": number(
                    "How often among those of one priority. Default: 0.", 0, 65535, effect=_LIVE, at="@weight"
                ),
            },
            required=("service", "protocol"),
        ),
        identity=("service", "protocol", "domain", "target"),
        effect=_LIVE,
        at="dns/srv",
    ),
    "txt": items(
        "Texts of names. Default: none.",
        mapping(
            "One text.",
            {
                "name": HOST_NAME.but("The name.", effect=_LIVE, at="@name"),
                "value": text(
                    "The text.",
                    '^[^\\u0000-\\u001f\\u007f"]{0,255}$',
                    effect=_LIVE,
                    at="@value",
                    error="A text has at most 255 characters, no quotes and no control characters; correct it.",
                ),
            },
            required=("name", "value"),
        ),
        identity=("name",),
        effect=_LIVE,
        at="dns/txt",
    ),
}
DOMAIN_FORWARDERS: Final = items(
    "Servers that are asked for the names of one domain each. Default: none.",
    mapping(
        "One domain.",
        {
            "domain": HOST_NAME.but("The domain.", effect=Effect.NEXT_BOOT, at="@domain"),
            "addr": IP_ADDRESS.but(
                "The server. Default: the host's own, also where others are asked for all else.",
                effect=Effect.NEXT_BOOT,
                at="@addr",
                codec="address",
            ),
        },
        required=("domain",),
    ),
    identity=("domain", "addr"),
    effect=Effect.NEXT_BOOT,
    at=IN_CODE,
)
