"""The kind Contact: whom to call about a group of machines. It makes nothing on the host."""

from onggi.plugin import Kind

KIND = Kind(
    name="Contact",
    plural="contacts",
    aliases=(),
    package=__name__,
    references=lambda _name, _spec: (),
    check=lambda _name, _spec: (),
    has_xml=False,
)
