"""Everything that a StorageVolume document may say."""

from __future__ import annotations

from specs.declared import BESIDE, IN_CODE, any_of, has, mapping, never, number, present, text, word, yes_no
from specs.effect import Effect
from specs.notations import NAME, SIZE, URL, VOLUME_REFERENCE
from specs.overlay.field import overlay
from specs.policy import policies
from specs.secret.reference import secret_reference

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
        "allocation": SIZE.but(
            "How much of it is set aside when it is made, in a pool of files. Default: nothing; all of a volume on a "
            "device.",
            examples=("1GiB",),
            at=IN_CODE,
        ),
        "preallocation": word(
            "What is written when it is made: nothing (`off`), the tables of a qcow2 image (`metadata`), or all of its "
            "room (`full`). Default: off.",
            "off",
            "metadata",
            "full",
            at=IN_CODE,
        ),
        "qcow2": mapping(
            "How a qcow2 image is made; libvirt can't change that afterwards.",
            {
                "compat": text(
                    "The oldest QEMU that can read it: 0.10 or 1.1. Default: as libvirt has it, 0.10.",
                    r"^(?:0\.10|1\.1)$",
                    error="It is 0.10 or 1.1, in quotes; correct it.",
                    effect=Effect.FORBIDDEN,
                    at="target/compat",
                    absent="0.10",
                ),
                "clusterSize": SIZE.but(
                    "The unit in which it grows: a power of two from 512B to 2MiB. Default: 64KiB.",
                    examples=("64KiB",),
                    effect=Effect.FORBIDDEN,
                    at=IN_CODE,
                ),
                "lazyRefcounts": present(
                    'Whether it puts off counting what is used; needs `compat: "1.1"`. Default: false.',
                    effect=Effect.FORBIDDEN,
                    at="target/features/lazy_refcounts",
                    absent=False,
                ),
                "extendedL2": present(
                    'Whether a cluster is made up of 32 smaller ones; needs `compat: "1.1"`, and clusters of at least '
                    "16KiB. Default: false.",
                    effect=Effect.FORBIDDEN,
                    at="target/features/extended_l2",
                    absent=False,
                ),
            },
        ),
        "encryption": mapping(
            "How its contents are encrypted, by LUKS. libvirt encrypts what is made, and nothing that is there. "
            "Default: not at all.",
            {
                "format": word(
                    "The way. Default: luks.",
                    "luks",
                    default="luks",
                    effect=Effect.FORBIDDEN,
                    at=IN_CODE,
                ),
                "secret": secret_reference("The secret with its passphrase, when it is made.", at=IN_CODE),
                "cipher": mapping(
                    "The cipher. Default: QEMU's.",
                    {
                        "name": word("Its name.", "aes", "serpent", "twofish", "cast5"),
                        "size": number("Its key's bits.", 128, 512),
                        "mode": word("Its mode. Default: xts.", "xts", "cbc", "ecb", "ctr"),
                        "hash": word("What the key is hashed with.", "sha1", "sha256", "sha512", "ripemd160"),
                    },
                    required=("name", "size"),
                    at=IN_CODE,
                ),
                "ivgen": mapping(
                    "How each sector is told from the others. Default: QEMU's.",
                    {
                        "name": word("The way.", "plain", "plain64", "essiv"),
                        "hash": word("What that is hashed with.", "sha1", "sha256", "sha512", "ripemd160"),
                    },
                    required=("name",),
                    at=IN_CODE,
                ),
            },
            required=("secret",),
        ),
        "noCopyOnWrite": yes_no(
            "Whether the file is made so that btrfs writes over it instead of copying. Default: false.", at=IN_CODE
        ),
        "permissions": mapping(
            "Whose the file is when it is made; libvirt gives it to QEMU while a machine runs. Default: root's, 0600.",
            {
                "owner": number("The owner's number.", 0, 2**32 - 2),
                "group": number("The group's number.", 0, 2**32 - 2),
                "mode": text(
                    "The mode, in octal.", "^0?[0-7]{3}$", error="A mode has three octal digits, such as 0600."
                ),
                "label": text("The label of SELinux.", r"^[^\x00-\x1f]{1,255}$"),
            },
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
            "qcow2": mapping(
                "How it is made.",
                {
                    "compat": text("The oldest QEMU."),
                    "clusterSize": number("Bytes.", 512, 2 << 20),
                    "lazyRefcounts": yes_no("Whether counting is put off."),
                    "extendedL2": yes_no("Whether clusters are made up of smaller ones."),
                },
            ),
            "backingVolume": mapping(
                "Where it is.",
                {"path": text("Its path."), "format": text("Its image format.")},
                required=("path", "format"),
            ),
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
