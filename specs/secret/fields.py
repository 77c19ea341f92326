"""Everything that a Secret document may say."""

from __future__ import annotations

from specs.declared import BESIDE, IN_CODE, mapping, text, word, yes_no
from specs.effect import Effect
from specs.notations import SECRET_FROM
from specs.policy import policies

ABOUT = "A secret that libvirt keeps: the passphrase of an encrypted disk, the key of a storage server."

SPEC = mapping(
    "The secret.",
    {
        "usage": mapping(
            "What it is for, by which others refer to it. Default: nothing; others refer to its UUID.",
            {
                "type": word(
                    "What kind of thing: an encrypted `volume`, a login to `ceph` or `iscsi`, the key of a `tls` "
                    "certificate, or the state of a TPM (`vtpm`).",
                    "volume",
                    "ceph",
                    "iscsi",
                    "tls",
                    "vtpm",
                    effect=Effect.FORBIDDEN,
                ),
                "id": text(
                    "How others refer to it: any text, for a volume its path. Default: the document's name.",
                    r"^[^\x00-\x1f]{1,255}$",
                    error="It is one line of at most 255 characters; correct it.",
                    effect=Effect.FORBIDDEN,
                ),
            },
            required=("type",),
            at=IN_CODE,
        ),
        "description": text(
            "One line for people. Default: none.",
            r"^[^\x00-\x1f]{0,255}$",
            error="It is one line of at most 255 characters; correct it.",
            effect=Effect.LIVE,
            at=IN_CODE,
        ),
        "ephemeral": yes_no(
            "Whether libvirt keeps it in memory alone; then it is made again, with its value, whenever libvirt was "
            "restarted. Default: false.",
            default=False,
            effect=Effect.LIVE,
            at="@ephemeral",
            absent=False,
        ),
        "private": yes_no(
            "Whether libvirt gives its value to nobody who asks. One that is private stays so. Default: false.",
            default=False,
            effect=Effect.LIVE,
            at="@private",
            absent=False,
        ),
        "valueFrom": SECRET_FROM.but(
            "Where its value is kept: a file or an environment variable of the agent. What is found there is handed to "
            "libvirt when the secret is made, and again whenever it has become another one. Default: somebody else "
            "sets it.",
            effect=Effect.LIVE,
            at=BESIDE,
        ),
        "encoding": word(
            "How it is written there: as the `text` that it is, or in `base64`, as keys of Ceph are. Default: text.",
            "text",
            "base64",
            default="text",
            at=BESIDE,
        ),
        **policies(
            "What happens to the secret when the document is removed: it goes, with its value. Default: Retain."
        ),
    },
)
