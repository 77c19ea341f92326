"""A mediated device is known by the UUID that its document is called by."""

from __future__ import annotations

from reconciler.desired.made import Inputs, Made, resource
from reconciler.desired.making import Around, Making
from specs.reference import MEDIATED_DEVICE


class DeviceMaking(Making):
    """That of mediated devices."""

    kind = MEDIATED_DEVICE

    def make(self, inputs: Inputs, around: Around) -> Made:
        """One resource, of that UUID."""
        document = inputs.document
        return Made(inputs, (resource(document, document.name.lower(), self.spec(document)),))


MAKING = DeviceMaking()
