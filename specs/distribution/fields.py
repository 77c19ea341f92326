"""Everything that a Distribution document may say."""

from __future__ import annotations

from specs.declared import mapping, text

ABOUT = (
    "An installation image that clients of the API are offered, beside those that osinfo's database knows. "
    "It makes nothing on the host."
)

SPEC = mapping(
    "Where the image is, and what it holds.",
    {
        "path": text(
            "Where the image is: an absolute path on the host, or a URL (http, https, ftp or tftp).",
            "^(?:/[^\\s\\u0000-\\u001f\\u007f-\\u009f]*|(?:https?|t?ftp)://[^\\s/?#@<>\\\"'\\\\]+(?:[/?#]\\S*)?)$",
            at_most=2048,
            examples=("https://cdimage.example.org/debian-12.iso", "/srv/images/debian-12.iso"),
            error="This is neither an absolute path nor a URL without blanks; write one such as "
            "https://example.org/debian-12.iso.",
            format="onggi-image",
        ),
        "osDistro": text(
            "The distribution on it, such as debian. Default: unknown.",
            at_most=64,
            default="unknown",
            examples=("debian",),
        ),
        "osVersion": text(
            'Its version, as text, such as "12". Default: unknown.', at_most=64, default="unknown", examples=("12",)
        ),
        "osArch": text(
            "For which CPUs it is, such as x86_64; `all` for any. It is offered on hosts of that "
            "architecture. Default: all.",
            at_most=64,
            default="all",
            examples=("x86_64",),
        ),
    },
    required=("path",),
)
