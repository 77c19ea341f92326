"""Reads a virtual machine's definition so that it tells whether a console has a password, and never which.

libvirt leaves a password out of a definition without a trace, unless it is asked for secrets too; so it is asked, and
the password is replaced before anybody else gets the text.
"""

from __future__ import annotations

import re

import libvirt

MASK = "*****"  # what later definitions have in its place: `passwords` puts the real one back

_DEVICES = "\n  <devices>\n"  # as libvirt writes it; what comes before, such as metadata, isn't its own
_PASSWORD = re.compile(r"(\n    <graphics [^<>]*?\bpasswd=)'[^']*'")


def definition(domain: libvirt.virDomain, flags: int = 0) -> str:
    """The running definition, or with VIR_DOMAIN_XML_INACTIVE the persistent one."""
    return masked(str(domain.XMLDesc(flags | libvirt.VIR_DOMAIN_XML_SECURE)))


def masked(xml: str) -> str:
    """The same text with a mask for each console's password."""
    before, start, devices = xml.partition(_DEVICES)
    if " passwd='" not in devices:
        return xml
    # The line's end belongs to the start, and to the first device.
    return before + start.removesuffix("\n") + _PASSWORD.sub(rf"\1'{MASK}'", f"\n{devices}")
