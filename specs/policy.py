"""The fields that kinds with an object on the host share: how onggi may treat it, and whether it is started."""

from __future__ import annotations

from specs.declared import BESIDE, Declared, items, text, word, yes_no
from specs.effect import Effect


def activation(what: str) -> dict[str, Declared]:
    """Whether a pool or network is started, now and with the host."""
    about = f"Whether the {what} is started. Default: true; one that is only taken over is left as it is."
    return {
        "autostart": yes_no(
            f"Whether the host starts the {what} when it boots. Default: false.",
            default=False,
            effect=Effect.LIVE,
            at=BESIDE,
        ),
        "active": yes_no(about, default=True, effect=Effect.LIVE, at=BESIDE),
    }


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
