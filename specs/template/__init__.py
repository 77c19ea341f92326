"""The kind Template: what virtual machines have in common."""

from __future__ import annotations

from typing import TYPE_CHECKING

from specs.reference import TEMPLATE
from specs.registry import TypedKind
from specs.template.among import check_among
from specs.template.model import check, references

if TYPE_CHECKING:
    from typing import Never

    from specs.template.spec import TemplateSpec

KIND: TypedKind[TemplateSpec, Never] = TypedKind(
    name=TEMPLATE,
    plural="templates",
    aliases=("tpl",),
    noun="template",
    package=__name__,
    references=references,
    check=check,
    check_among=check_among,
    has_xml=False,  # it makes nothing on the host by itself
)
