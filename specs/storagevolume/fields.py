"""Everything that a StorageVolume document may say."""

from __future__ import annotations

from specs.declared import BESIDE, IN_CODE, any_of, has, mapping, never, text, word
from specs.effect import Effect
from specs.notations import NAME, SIZE, URL, VOLUME_REFERENCE
from specs.overlay.field import overlay
from specs.policy import policies

ABOUT = "A volume in a storage pool: a disk image, a partition, a logical volume."
ABOUT_NAME = (
    "The name, unique among all documents of this kind in one pool. A changed name is a rename "
    "when the document has a uid, otherwise a new object."
)

SPEC = mapping(
    "The volume.",
    {
        "pool": NAME.but("The storage pool that it is in. A volume's name is unique within its pool.", at=IN_CODE),
        "capacity": SIZE.but(
            "How much it holds: a number with its unit, such as 10GiB. It grows in place; "
            "shrinking is refused. Default with a source: what the source has.",
            examples=("20GiB",),
            effect=Effect.LIVE,
            at=IN_CODE,
        ),
        "format": word(
            "Image format. Default: as the ending of the source's URL or of the name tells "
            "(.qcow2, .iso, .raw), else qcow2 in pools of files; raw elsewhere.",
            "qcow2",
            "raw",
            "qcow",
            "qed",
            "vmdk",
            "vdi",
            "vpc",
            "iso",
            effect=Effect.FORBIDDEN,
            at=IN_CODE,
        ),
        "backingVolume": VOLUME_REFERENCE.but(
            "The volume whose contents it starts from and keeps reading: `volume` in the same "
            "pool, or `pool/volume`. Default: none.",
            effect=Effect.FORBIDDEN,
            at=IN_CODE,
        ),
        "source": mapping(
            "Where its contents come from, once, when it is made. Default: it starts empty.",
            {
                "url": URL.but(
                    "What is downloaded into it: an http, https, ftp or ftps address. Its server is on the Internet, "
                    "or in a network of the setting allowed-network."
                ),
                "sha256": text(
                    "SHA-256 of the download, 64 hexadecimal digits; a volume that doesn't match is "
                    "refused. Default: not checked.",
                    "^[0-9A-Fa-f]{64}$",
                    error="A SHA-256 has 64 hexadecimal digits; copy it whole.",
                ),
            },
            required=("url",),
            effect=Effect.FORBIDDEN,
            at=IN_CODE,
        ),
        "onLoss": word(
            "What to do when the volume was there and is gone from its pool: `hold` tells of it "
            "(`DataLost`) and makes nothing until it is back or a person approves a new one, "
            "`recreate` makes it again, empty or from its `source` or `backingVolume`, which is "
            "for scratch data. Default: hold.",
            "hold",
            "recreate",
            default="hold",
            effect=Effect.LIVE,
            at=BESIDE,
        ),
        "xml": overlay("volume", Effect.FORBIDDEN),
        **policies(
            "What happens to the volume when the document is removed: `Retain` keeps it, "
            "`Delete` removes it with its data. Default: Retain."
        ),
    },
    required=("pool",),
    lowered=mapping(
        "The backing volume as the place where it is.",
        {
            "backingVolume": mapping(
                "Where it is.",
                {"path": text("Its path."), "format": text("Its image format.")},
                required=("path", "format"),
            )
        },
    ),
    rules=(
        any_of(
            "capacity", "source", error="A volume needs a `capacity`, such as 10GiB, unless it has a `source`; add it."
        ),
        never(
            has("source", "backingVolume"),
            "A volume's contents come either from `source` or from `backingVolume`; remove one of the two.",
        ),
    ),
)
