"""Everything that a StoragePool document may say."""

from __future__ import annotations

from specs.declared import (
    IN_CODE,
    Declared,
    Keywords,
    exactly_one,
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
from specs.secret.reference import secret_reference


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
            "the hypervisor (`iscsi-direct`), a SCSI adapter (`scsi`), the multipath devices (`mpath`), a ZFS dataset "
            "(`zfs`), a pool of Ceph's (`rbd`), a volume of Gluster's (`gluster`), or a cluster of Sheepdog's "
            "(`sheepdog`) or Virtuozzo's (`vstorage`). Which of them a host can have depends on its libvirt.",
            "dir",
            "netfs",
            "logical",
            "iscsi",
            "scsi",
            "kimchi-iso",
            "fs",
            "disk",
            "iscsi-direct",
            "mpath",
            "zfs",
            "rbd",
            "gluster",
            "sheepdog",
            "vstorage",
            effect=Effect.FORBIDDEN,
            at=IN_CODE,
        ),
        "path": ABSOLUTE_PATH.but(
            "Where the volumes appear on the host: the folder itself, or where the source is "
            "mounted. A new pool has it on or below a folder of the setting allowed-pool-folder. "
            "Default: below /var/lib/libvirt for netfs and fs, the volume group for "
            "logical, /dev/zvol for zfs, /dev/mapper for mpath, /dev/disk/by-path for iscsi and scsi.",
            examples=("/var/lib/libvirt/images",),
            effect=Effect.NEXT_BOOT,
            at=IN_CODE,
        ),
        "source": mapping(
            "Where the pool's storage comes from. Which fields it needs depends on the type.",
            {
                "host": HOST_NAME.but(
                    "Host name or address of the server (netfs, iscsi and the like, gluster, sheepdog)."
                ),
                "port": number("Port of the server. Default: 3260 for iSCSI, the service's own otherwise.", 1, 65535),
                "hosts": items(
                    "The monitors of the cluster (rbd), all of them.",
                    mapping(
                        "One monitor.",
                        {
                            "name": HOST_NAME.but("Its host name or address."),
                            "port": number("Its port. Default: Ceph's own.", 1, 65535),
                        },
                        required=("name",),
                    ),
                    least=1,
                ),
                "name": text(
                    "What it is called there: the dataset (zfs), the pool (rbd, sheepdog), the volume (gluster), the "
                    "cluster (vstorage).",
                    "^[A-Za-z0-9_][A-Za-z0-9_./:-]{0,255}$",
                    error="It has letters, digits and . / : _ -, and begins with a letter or digit; correct it.",
                ),
                "path": text(
                    "Exported folder of the server (netfs): absolute for NFS, for cifs and glusterfs the share's or "
                    "the volume's name. Or folder in the volume (gluster; default there: /).",
                    r"^(?!-)(?!(?:.*/)?\.\.(?:/|$))[^\u0000-\u001f\u007f-\u009f\u2028\u2029]+$",
                    at_most=4096,
                    error="A path has no `..` in it and begins with no `-`; write it so.",
                ),
                "protocolVersion": text(
                    "Version of NFS (netfs), such as 4.1. Default: as the host and the server agree.",
                    r"^[0-9](?:\.[0-9])?$",
                    error="A version of NFS is a number such as 4 or 4.1; correct it.",
                ),
                "vendor": text("Maker of the storage, for people. Default: not said.", r"^[^\x00-\x1f]{1,64}$"),
                "product": text("Name of the storage, for people. Default: not said.", r"^[^\x00-\x1f]{1,64}$"),
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
                        "parentWwnn": _world_wide_name("That adapter by its world wide node name, with `parentWwpn`."),
                        "parentWwpn": _world_wide_name("That adapter by its world wide port name, with `parentWwnn`."),
                        "parentFabricWwn": _world_wide_name("That adapter by the fabric that it is in."),
                        "managed": yes_no(
                            "Whether libvirt removes the virtual port when the pool is stopped. Default: as libvirt "
                            "made it itself or not."
                        ),
                        "parentAddress": mapping(
                            "The adapter by its PCI device, in place of its name (scsi_host).",
                            {
                                "address": text(
                                    "The device, such as 0000:00:1f.2.",
                                    "^[0-9a-f]{4}:[0-9a-f]{2}:[0-9a-f]{2}[.][0-7]$",
                                    error="A PCI device is written such as 0000:00:1f.2; correct it.",
                                ),
                                "uniqueId": number("Which of its adapters.", 0, 2**31 - 1),
                            },
                            required=("address", "uniqueId"),
                        ),
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
                                "anyOf": [has("name"), has("parentAddress")],
                                "errorMessage": "A scsi_host adapter needs its `name`, such as scsi_host2, or its "
                                "`parentAddress`; add it.",
                            },
                        ),
                    ),
                ),
                "auth": mapping(
                    "Credentials: CHAP's of an iSCSI target, Ceph's of a cluster (rbd). Default: none.",
                    {
                        "username": text(
                            "The user name.",
                            r"^[^\n\r]*$",
                            at_most=255,
                            error="A user name is one line of at most 255 characters; correct it.",
                            minLength=1,
                        ),
                        "passwordFrom": SECRET_FROM.but(
                            "Where the password is kept: a file or an environment variable of the agent (iscsi, "
                            "iscsi-direct); or say which `secret` it is."
                        ),
                        "secret": secret_reference("The secret of libvirt's that holds the password or the key."),
                    },
                    required=("username",),
                    rules=(
                        exactly_one(
                            "passwordFrom",
                            "secret",
                            error="Credentials have exactly one of `passwordFrom` and `secret`; add or remove one.",
                        ),
                    ),
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
                    "auth": mapping(
                        "The user and the secret.",
                        {
                            "username": text("The user name."),
                            "type": text("How the user logs in."),
                            "secret": text("The secret: usage and what it is for, or uuid and that."),
                        },
                        required=("username", "secret"),
                    ),
                },
            ),
        ),
        "xml": overlay("pool", Effect.NEXT_BOOT),
        "mountOptions": items(
            "Options with which it is mounted (netfs, fs), such as `sync` or `vers=4.1`. Default: libvirt's, which let "
            "no device or program in.",
            text(
                "One option.",
                r"^[A-Za-z0-9_][A-Za-z0-9_.:/=-]{0,127}$",
                error="An option has letters, digits and _ . : / = -, such as vers=4.1; correct it.",
            ),
            unique=True,
            effect=Effect.NEXT_BOOT,
            at=IN_CODE,
        ),
        "permissions": mapping(
            "Whose the folder is when it is made. One that exists stays as it is. Default: root's, mode 0711.",
            {
                "owner": number("The owner's number.", 0, 2**32 - 2),
                "group": number("The group's number.", 0, 2**32 - 2),
                "mode": text(
                    "The mode, in octal.", "^0?[0-7]{3}$", error="A mode has three octal digits, such as 0711."
                ),
                "label": text("The label of SELinux.", r"^[^\x00-\x1f]{1,255}$"),
            },
            at=IN_CODE,
        ),
        "features": mapping(
            "What the file system below it is to do.",
            {
                "copyOnWrite": yes_no(
                    "Whether it copies on write, where it can (btrfs). Default: as the folder has it.",
                    effect=Effect.NEXT_BOOT,
                    at="features/cow/@state",
                ),
            },
        ),
        "refresh": mapping(
            "How volumes are looked at.",
            {
                "allocation": word(
                    "Where the sizes of volumes come from: `default` asks for what each really takes, `capacity` takes "
                    "its capacity for that, which is quicker (rbd). Default: default.",
                    "default",
                    "capacity",
                    effect=Effect.NEXT_BOOT,
                    at="refresh/volume/@allocation",
                ),
            },
        ),
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
        _needs("zfs", "A zfs pool needs `source` with the `name` of its dataset; add it.", "name"),
        _needs("rbd", "An rbd pool needs `source` with `name` and `hosts`; add them.", "name", "hosts"),
        _needs("gluster", "A gluster pool needs `source` with `host` and `name`; add them.", "host", "name"),
        _needs("sheepdog", "A sheepdog pool needs `source` with `host` and `name`; add them.", "host", "name"),
        _needs("vstorage", "A vstorage pool needs `source` with the `name` of its cluster; add it.", "name"),
        _needs("disk", "A disk pool needs `source` with `devices`; add it.", "devices"),
    ),
)
