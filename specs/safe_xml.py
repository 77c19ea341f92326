"""XML that reaches us from outside, read so that it can't reach anything itself."""

from __future__ import annotations

from lxml import etree

# Entities and network access are off: XML that reaches us from outside must not be able to read files.
_PARSER = etree.XMLParser(resolve_entities=False, no_network=True, remove_blank_text=True, huge_tree=False)
_MOST_CHARACTERS = 4 << 20  # as long as a text of libvirt's protocol may be


def parse(xml: str) -> etree._Element:
    """Parse one XML document safely. Raises lxml.etree.XMLSyntaxError, also for one that is too long or has a DTD."""
    if len(xml) > _MOST_CHARACTERS:
        raise _refused(f"this XML has more than {_MOST_CHARACTERS} characters")
    root = etree.fromstring(xml.encode(), _PARSER)
    if root.getroottree().docinfo.internalDTD is not None:  # what libvirt writes has none, and no entities of its own
        raise _refused("this XML brings a DTD along")
    return root


def _refused(why: str) -> etree.XMLSyntaxError:
    return etree.XMLSyntaxError(why, 0, 0, 0)  # type: ignore[arg-type, call-arg]  # the stubs know the parser's own
