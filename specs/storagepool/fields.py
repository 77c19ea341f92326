"""Everything that a StoragePool document may say."""

from __future__ import annotations

from specs.declared import (
    IN_CODE,
    Declared,
    Keywords,
    has,
    is_one,
    items,
    mapping,
    number,
    text,
    where,
    word,
    yes_no,
)
from specs.effect import Effect
from specs.notations import ABSOLUTE_PATH, HOST_NAME, SECRET_FROM
from specs.overlay.field import overlay
from specs.policy import activation, policies


def _needs(kind: str, error: str, *of_source: str, beside: tuple[str, ...] = ()) -> Keywords:
    """The rule that a type needs these fields of `source`."""
    source = {**has(*of_source), "errorMessage": error}
    return where(
        is_one("type", kind), {**has("source", *beside), "properties": {"source": source}, "errorMessage": error}
    )


def _iscsi_name(about: str, examples: tuple[str, ...] = ()) -> Declared:
    return text(
        about,
        r"^(?:iqn\.[0-9]{4}-[0-9]{2}\.[A-Za-z0-9._:-]+|eui\.[0-9A-Fa-f]{16}|naa\.[0-9A-Fa-f]{16,32})$",
        examples=examples,
        error="An iSCSI name begins with iqn. and a date, such as iqn.2024-01.org.example:disks; correct it.",
    )


def _adapter(about: str) -> Declared:
    return text(about, "^[A-Za-z0-9_]{1,64}$", error="An adapter is named such as scsi_host2; correct it.")


def _world_wide_name(about: str) -> Declared:
    return text(about, "^[0-9A-Fa-f]{16}$", error="A world wide name has 16 hexadecimal digits; correct it.")


ABOUT = "A place for volumes: a folder, a share, a volume group, a target."

SPEC = mapping(
    "The pool.",
    {
        "type": word(
            "What kind of storage it is: a folder (`dir`, `kimchi-iso`), a network share "
            "(`netfs`), a file system to mount (`fs`), a partitioned disk (`disk`), an LVM "
            "volume group (`logical`), an iSCSI target through the kernel (`iscsi`) or through "
            "the hypervisor (`iscsi-direct`), or a SCSI adapter (`scsi`).",
            "dir",
            "netfs",
            "logical",
            "iscsi",
            "scsi",
            "kimchi-iso",
            "fs",
            "disk",
            "iscsi-direct",
            effect=Effect.FORBIDDEN,
            at=IN_CODE,
        ),
        "path": ABSOLUTE_PATH.but(
            "Where the volumes appear on the host: the folder itself, or where the source is "
            "mounted. A new pool has it on or below a folder of the setting allowed-pool-folder. "
            "Default: below /var/lib/libvirt for netfs and fs, the volume group for "
            "logical, /dev/disk/by-path for iscsi and scsi.",
            examples=("/var/lib/libvirt/images",),
            effect=Effect.NEXT_BOOT,
            at=IN_CODE,
        ),
        "source": mapping(
            "Where the pool's storage comes from. Which fields it needs depends on the type.",
            {
                "host": HOST_NAME.but("Host name or address of the server (netfs, iscsi, iscsi-direct)."),
                "port": number("Port of the server. Default: 3260 for iSCSI, the service's own otherwise.", 1, 65535),
                "path": ABSOLUTE_PATH.but("Exported folder of the server (netfs)."),
                "devices": items(
                    "Block devices of the host: one for fs and disk, any number for logical. A volume "
                    "group is extended by those that are added; none is taken out of it.",
                    ABSOLUTE_PATH.but("A device's path, such as /dev/sdb."),
                    least=1,
                    unique=True,
                    examples=(["/dev/sdb"],),
                ),
                "target": _iscsi_name(
                    "iSCSI qualified name of the target (iscsi, iscsi-direct).",
                    examples=("iqn.2024-01.org.example:disks",),
                ),
                "initiator": _iscsi_name(
                    "iSCSI qualified name by which this host introduces itself (iscsi-direct; optional for iscsi)."
                ),
                "adapter": mapping(
                    "The SCSI host adapter (scsi).",
                    {
                        "type": word(
                            "`scsi_host` for an adapter of the host, `fc_host` for a virtual Fibre Channel port. "
                            "Default: scsi_host.",
                            "scsi_host",
                            "fc_host",
                            default="scsi_host",
                        ),
                        "name": _adapter("The adapter's node-device name, such as scsi_host2 (scsi_host)."),
                        "wwnn": _world_wide_name("World wide node name of the virtual port (fc_host)."),
                        "wwpn": _world_wide_name("World wide port name of the virtual port (fc_host)."),
                        "parent": _adapter(
                            "The Fibre Channel adapter that the virtual port is made on. Default: chosen by libvirt."
                        ),
                    },
                    rules=(
                        where(
                            is_one("type", "fc_host"),
                            {
                                **has("wwnn", "wwpn"),
                                "errorMessage": "An fc_host adapter needs `wwnn` and `wwpn`; add them.",
                            },
                            {
                                **has("name"),
                                "errorMessage": "A scsi_host adapter needs its `name`, such as scsi_host2; add it.",
                            },
                        ),
                    ),
                ),
                "auth": mapping(
                    "CHAP credentials of an iSCSI target. Default: none.",
                    {
                        "username": text(
                            "The user name.",
                            r"^[^\n\r]*$",
                            at_most=255,
                            error="A user name is one line of at most 255 characters; correct it.",
                            minLength=1,
                        ),
                        "passwordFrom": SECRET_FROM.but(
                            "Where the password is kept: a file or an environment variable of the agent."
                        ),
                    },
                    required=("username", "passwordFrom"),
                ),
                "format": text(
                    "Format of the source: nfs, cifs or glusterfs for netfs; ext4, xfs and so on for fs; "
                    "gpt or dos for disk. Default: nfs for netfs, gpt for disk when it is built, "
                    "otherwise found out.",
                    "^[a-z0-9][a-z0-9+_-]{0,31}$",
                    error="A source format is a word such as nfs, ext4 or gpt; correct it.",
                ),
            },
            effect=Effect.NEXT_BOOT,
            at=IN_CODE,
            lowered=mapping(
                "Credentials as the name of a libvirt secret.",
                {
                    "name": text("The volume group's name (logical)."),
                    "auth": mapping(
                        "The user and the secret.",
                        {"username": text("The user name."), "secret": text("What the secret is for.")},
                        required=("username", "secret"),
                    ),
                },
            ),
        ),
        "xml": overlay("pool", Effect.NEXT_BOOT),
        **activation("pool"),
        "build": yes_no(
            "Whether the folder is made (dir, kimchi-iso, netfs, fs) or the source is formatted "
            "(logical, disk) when the pool is made. Default: true for folders, false wherever it "
            "would format.",
            at=IN_CODE,
        ),
        **policies(
            "Has no meaning for a pool, whose data always stays when the document is "
            "removed; kept so that every kind has the same switches. Default: Retain."
        ),
    },
    required=("type",),
    rules=(
        where(
            is_one("type", "dir", "kimchi-iso"),
            {**has("path"), "errorMessage": "A pool of a folder needs its `path`; add it."},
        ),
        _needs("netfs", "A netfs pool needs `source` with `host` and `path`; add them.", "host", "path"),
        _needs("iscsi", "An iscsi pool needs `source` with `host` and `target`; add them.", "host", "target"),
        _needs(
            "iscsi-direct",
            "An iscsi-direct pool needs `source` with `host`, `target` and `initiator`; add them.",
            "host",
            "target",
            "initiator",
        ),
        _needs("scsi", "A scsi pool needs `source` with an `adapter`; add it.", "adapter"),
        _needs("fs", "An fs pool needs `path` and `source` with `devices`; add them.", "devices", beside=("path",)),
        _needs("disk", "A disk pool needs `source` with `devices`; add it.", "devices"),
    ),
)
