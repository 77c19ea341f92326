"""Templates: nothing on the host, and what machines are made from."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from reconciler.desired.made import Inputs, Made, problem, resource
from reconciler.desired.making import Around, Making
from reconciler.desired.template.chains import Expanded, TemplateChains
from specs.document import Document
from specs.reference import TEMPLATE


class TemplateMaking(Making):
    """That of templates."""

    kind = TEMPLATE

    def gather(self, documents: Sequence[Document], before: Any) -> TemplateChains:
        """The chains of this revision."""
        chains: TemplateChains = before if before is not None else TemplateChains()
        chains.update({document.name: document for document in documents})
        return chains

    def others(self, document: Document, around: Around) -> Expanded:
        """Those that it extends."""
        return expanded(document.name, around)

    def make(self, inputs: Inputs, around: Around) -> Made:
        """One without a UUID, for it makes nothing."""
        return unusable(inputs, inputs.others) or Made(inputs, (resource(inputs.document, "", inputs.document.spec),))


MAKING = TemplateMaking()


def expanded(name: str, around: Around) -> Expanded:
    """The template of this name, with all below it."""
    chains: TemplateChains = around.gathered[TEMPLATE]
    return chains.of(name)


def unusable(inputs: Inputs, template: Expanded) -> Made | None:
    """What becomes of a document whose template can't be used; None for one that can."""
    if not template.mistake:
        return None
    return Made(inputs, problems=(problem(inputs.document, "/spec/template", template.mistake),))
