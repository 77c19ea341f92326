"""How names, sizes, addresses and the like are written, the same in every kind."""

from __future__ import annotations

from specs.declared import mapping, quantity, shared, text
from specs.name import NAME_PATTERN, VOLUME_PATTERN

SIZE_PATTERN = r"^[0-9]{1,19}(?:\.[0-9]{1,3})? ?(?:[KkMmGgTt](?:[Ii]?[Bb])?|[Pp](?:[Ii][Bb])?|[Bb])$"

NAME = shared(
    "name",
    text(
        "A name that is safe in XML, paths and URLs.",
        NAME_PATTERN,
        error="A name has 1 to 128 characters, begins with neither `.` nor `-`, has no blank "
        "at its ends and none of / \\ \" ' < > & or control characters; choose another.",
    ),
)

VOLUME_REFERENCE = shared(
    "volumeReference",
    text(
        "A volume: `volume`, or `pool/volume`.",
        VOLUME_PATTERN,
        error="A volume is written as `volume` or `pool/volume`, with names that have none of "
        "\\ \" ' < > & or control characters; correct it.",
    ),
)

UUID = shared(
    "uuid",
    text(
        "A UUID.",
        "^[0-9A-Fa-f]{8}-(?:[0-9A-Fa-f]{4}-){3}[0-9A-Fa-f]{12}$",
        error="A uid is a UUID such as 1c0b3c4e-7a0b-4a35-8d0d-0d9f6c0f3c30; correct it, or "
        "leave it out and one is derived from the name.",
    ),
)

SIZE = shared(
    "size",
    text(
        "A size: a number with its unit, such as 10GiB.",
        SIZE_PATTERN,
        error="A size is a number with a unit, such as 10GiB or 512MiB.",
        unit="bytes",
    ),
)

MEMORY = shared(
    "memory",
    quantity(
        "Memory: MiB, or a size with a unit.",
        16,
        16777216,
        unit="MiB",
        pattern=SIZE_PATTERN,
        error="Memory is a number of MiB from 16 to 16777216, or a size with a unit such as 2GiB; correct it.",
    ),
)

MAC = shared(
    "mac",
    text(
        "A unicast MAC address.",
        "^[0-9A-Fa-f][02468ACEace](?::[0-9A-Fa-f]{2}){5}$",
        error="A MAC address has six pairs of hexadecimal digits such as 52:54:00:12:34:56, "
        "the first one even; correct it, or leave it out and one is derived that never "
        "changes.",
    ),
)

ABSOLUTE_PATH = shared(
    "absolutePath",
    text(
        "An absolute path without `..`.",
        r"^/(?!(?:.*/)?\.\.(?:/|$))[^\u0000-\u001f\u007f-\u009f\u2028\u2029]*$",
        at_most=4096,
        error="A path is absolute (it begins with `/`) and has no `..` in it; write it so.",
    ),
)

# One that a machine names on its host: it has to be in a folder that the host's administrator allows, see `host_paths`.
HOST_PATH = shared(
    "hostPath",
    text(
        "An absolute path on the host, in a folder of the setting allowed-folder.",
        ABSOLUTE_PATH.keywords["pattern"],
        at_most=4096,
        error=ABSOLUTE_PATH.keywords["errorMessage"],
        codec="path",
    ),
)

URL = shared(
    "url",
    text(
        "An http, https, ftp or ftps address without credentials.",
        "^(?:https?|ftps?)://[^\\s/?#@<>\\\"'\\\\]+(?:[/?#]\\S*)?$",
        at_most=4096,
        error="A URL begins with http://, https://, ftp:// or ftps:// and holds no blanks and "
        "no user name or password; correct it.",
        format="onggi-url",
    ),
)

IP_ADDRESS = shared(
    "ipAddress",
    text(
        "An IPv4 or IPv6 address.",
        "^[0-9A-Fa-f:.]{2,45}$",
        error="An IP address is written such as 192.168.122.10 or fd00::10; correct it.",
    ),
)

IPV4_ADDRESS = shared(
    "ipv4Address",
    text(
        "An IPv4 address.",
        r"^[0-9]{1,3}(?:\.[0-9]{1,3}){3}$",
        error="An IPv4 address is written such as 192.168.122.10; correct it.",
    ),
)

HOST_NAME = shared(
    "hostName",
    text(
        "A host or domain name.",
        "^[A-Za-z0-9_](?:[A-Za-z0-9_.-]{0,251}[A-Za-z0-9_])?$",
        error="A host name has letters, digits, `-` and `.`, such as web.example.org; correct it.",
    ),
)

HOST_INTERFACE = shared(
    "hostInterface",
    text(
        "A network interface of the host.",
        "^[A-Za-z0-9_][A-Za-z0-9_.@-]{0,14}$",
        error="A host's network interface has a name of at most 15 letters, digits, `.`, `_`, "
        "`@` or `-`, such as br0; correct it.",
    ),
)

PCI_ADDRESS = shared(
    "pciAddress",
    text(
        "A PCI address of the host.",
        "^[0-9A-Fa-f]{4}:[0-9A-Fa-f]{2}:[01][0-9A-Fa-f]\\.[0-7]$",
        error="A PCI address of the host is written such as 0000:03:10.1, as `lspci -D` does; correct it.",
    ),
)

SECRET_FROM = shared(
    "secretFrom",
    mapping(
        "Where a secret is kept, never the secret itself: exactly one of `file` and `env`.",
        {
            "file": ABSOLUTE_PATH.but(
                "Absolute path of a file on the agent's host whose first line is the secret: below "
                "/etc/onggi/secrets, among systemd's credentials, or in a folder of the setting "
                "allowed-secret-folder."
            ),
            "env": text(
                "Name of an environment variable of the agent that holds the secret: ONGGI_SECRET_*, "
                "or one of the setting allowed-secret-variable.",
                "^[A-Za-z_][A-Za-z0-9_]{0,127}$",
                error="An environment variable's name has letters, digits and `_`; correct it.",
            ),
        },
        one=True,
        error="Write exactly one of `file` (a path on the host) and `env` (a variable of the "
        "agent); the secret itself never belongs into a document.",
    ),
)
