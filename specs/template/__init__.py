"""The kind Template: what virtual machines have in common."""

from specs.reference import TEMPLATE
from specs.registry import Kind
from specs.template.model import check, references

KIND = Kind(
    name=TEMPLATE,
    plural="templates",
    aliases=("tpl",),
    package=__name__,
    references=references,
    check=check,
    has_xml=False,  # it makes nothing on the host by itself
)
