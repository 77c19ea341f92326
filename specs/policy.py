"""The fields that every kind with an object on the host shares: how onggi may treat it."""

from __future__ import annotations

from specs.declared import BESIDE, Declared, items, text, word


def policies(about_deletion: str) -> dict[str, Declared]:
    """The three of them; what `deletionPolicy` means is the kind's to tell."""
    return {
        "deletionPolicy": word(about_deletion, "Retain", "Delete", default="Retain", at=BESIDE),
        "driftPolicy": word(
            "What to do when the host no longer agrees with the document: `enforce` heals it, "
            "`warn` only reports it, `ignore` says nothing. Default: enforce.",
            "enforce",
            "warn",
            "ignore",
            default="enforce",
            at=BESIDE,
        ),
        "ignoreFields": items(
            "Fields that others may change: JSON pointers into the spec. They are set when the "
            "object is made and not compared after that. Default: none.",
            text(
                "One JSON pointer, such as /memory or /disks/root/bus.",
                "^(?:/(?:[^~/]|~[01])+)+$",
                error="A field is named by a JSON pointer into the spec, such as /memory; correct it.",
            ),
            unique=True,
            examples=(["/memory"],),
            at=BESIDE,
        ),
    }
