"""What a document may say about where a disk's data is, when that is neither a new volume nor one of a pool."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from specs.declared import (
    IN_CODE,
    Declared,
    exactly_one,
    has,
    items,
    mapping,
    never,
    number,
    shared,
    text,
    word,
    yes_no,
)
from specs.effect import Effect
from specs.notations import HOST_PATH, NAME, URL, UUID

PROTOCOLS: Final = ("nbd", "rbd", "iscsi", "gluster", "sheepdog", "nfs")

_HOST = text(
    "A server: its name or address, with a port where it isn't the usual one, and `rdma:` before it where it is spoken "
    "to so.",
    r"^(?:rdma:)?(?:[A-Za-z0-9_](?:[A-Za-z0-9_.-]{0,251}[A-Za-z0-9_])?|\[[0-9A-Fa-f:.]{2,45}\])(?::[0-9]{1,5})?$",
    error="A server is written such as ceph1.example.org, 10.0.0.1:6789 or [fd00::1]:3260; correct it.",
)

NETWORK_SOURCE = mapping(
    "Storage that QEMU itself reaches over the network. Its servers are on the Internet, or in a network of the "
    "setting allowed-network.",
    {
        "protocol": word("The protocol.", *PROTOCOLS, at=IN_CODE),
        "name": text(
            "What it is called there: the export of NBD, `pool/image` of RBD, `target/lun` of iSCSI, `volume/path` of "
            "Gluster, the path of NFS. Default: none, NBD's default export.",
            r"^[^\u0000-\u001f\u007f-\u009f]{1,1024}$",
            error="A name has 1 to 1024 characters and no control characters; correct it.",
            at=IN_CODE,
        ),
        "hosts": items(
            "The servers; several for RBD and Gluster. Default: none, where RBD's `config` names them.",
            _HOST,
            examples=(["ceph1.example.org:6789"],),
            at=IN_CODE,
        ),
        "socket": HOST_PATH.but(
            "Instead of `hosts` the socket of a server on this host, in a folder of the setting allowed-folder.",
            examples=("/run/nbd/web.sock",),
            at=IN_CODE,
        ),
        "snapshot": text(
            "The snapshot of an RBD image. Default: the image itself.",
            r"^[^\u0000-\u001f\u007f-\u009f]{1,255}$",
            error="A snapshot's name has 1 to 255 characters; correct it.",
            effect=Effect.NEXT_BOOT,
            at="source/snapshot/@name",
        ),
        "config": HOST_PATH.but(
            "Ceph's configuration file, in a folder of the setting allowed-folder. Default: none.",
            effect=Effect.NEXT_BOOT,
            at="source/config/@file",
        ),
        "tls": yes_no(
            "Whether NBD is encrypted with the host's certificates. Default: as qemu.conf says.",
            effect=Effect.NEXT_BOOT,
            at="source/@tls",
        ),
        "tlsHostname": NAME.but(
            "The name that the server's certificate has. Default: its name in `hosts`.",
            effect=Effect.NEXT_BOOT,
            at="source/@tlsHostname",
        ),
        "initiator": text(
            "The IQN by which this host is known to the iSCSI target. Default: QEMU's own.",
            "^(?:iqn|eui|naa)\\.[A-Za-z0-9:._-]{1,219}$",
            error="An initiator is an IQN such as iqn.2024-01.org.example:web; correct it.",
            effect=Effect.NEXT_BOOT,
            at="source/initiator/iqn/@name",
        ),
        "user": NAME.but("As which user NFS is asked.", effect=Effect.NEXT_BOOT, at="source/identity/@user"),
        "group": NAME.but("As which group NFS is asked.", effect=Effect.NEXT_BOOT, at="source/identity/@group"),
    },
    required=("protocol",),
    rules=(
        never(
            has("hosts", "socket"),
            "Storage is reached by `hosts` or by a `socket` of this host; remove one of the two.",
        ),
    ),
)

_EXACTLY_ONE: Final = "A secret is named by exactly one of `usage` and `uuid`; remove the other one."


def _secret(where: str, about: str) -> Declared:
    return mapping(
        about,
        {
            "usage": NAME.but(
                "What the secret is for, as libvirt knows it.", effect=Effect.NEXT_BOOT, at=f"{where}/secret/@usage"
            ),
            "uuid": UUID.but("The secret's UUID.", effect=Effect.NEXT_BOOT, at=f"{where}/secret/@uuid"),
        },
        one=True,
        error=_EXACTLY_ONE,
    )


AUTH = shared(
    "diskAuth",
    mapping(
        "As whom QEMU logs in to RBD or iSCSI. Default: as nobody.",
        {
            "username": NAME.but("The user.", effect=Effect.NEXT_BOOT, at="source/auth/@username"),
            "secret": _secret("source/auth", "The secret of libvirt's that holds the password or key."),
        },
        required=("username", "secret"),
    ),
)

ENCRYPTION = shared(
    "diskEncryption",
    mapping(
        "How the data is encrypted; the passphrase is a secret of libvirt's. Default: it isn't, or the volume's own.",
        {
            "format": word("The format.", "luks", "luks2", effect=Effect.NEXT_BOOT, at="source/encryption/@format"),
            "engine": word(
                "Who decrypts it; luks2 and RBD's own encryption need librbd. Default: qemu.",
                "qemu",
                "librbd",
                effect=Effect.NEXT_BOOT,
                at="source/encryption/@engine",
            ),
            "secret": _secret("source/encryption", "The secret of libvirt's that holds the passphrase."),
        },
        required=("format", "secret"),
    ),
)

NVME = mapping(
    "A namespace of an NVMe controller of the host, driven by QEMU itself; the host loses the controller meanwhile.",
    {
        "device": text(
            "The controller, as `virsh nodedev-list` names it.",
            "^pci_[0-9a-f]{4}_[0-9a-f]{2}_[0-9a-f]{2}_[0-7]$",
            error="A controller is named such as pci_0000_01_00_0; correct it.",
            at=IN_CODE,
        ),
        "namespace": number("The number of the namespace.", 1, 4294967295, at=IN_CODE),
        "managed": yes_no(
            "Whether libvirt takes the controller from the host's driver, and gives it back. Default: false.",
            effect=Effect.NEXT_BOOT,
            at="source/@managed",
        ),
    },
    required=("device", "namespace"),
)

# What a disk is instead of a volume, and what goes with that.
DISK_SOURCES: Final[Mapping[str, Declared]] = {
    "file": HOST_PATH.but(
        "An image of the host outside of pools, in a folder of the setting allowed-folder; onggi neither makes nor "
        "deletes it.",
        examples=("/srv/images/web.qcow2",),
    ),
    "block": HOST_PATH.but(
        "A block device of the host, which the setting allowed-folder names, or a folder of it such as "
        "/dev/disk/by-id; onggi doesn't write to it.",
        pattern="^/dev/",
        examples=("/dev/disk/by-id/wwn-0x5000c50015ea71ac",),
        error="A block device is a path below /dev without `..`; correct it.",
    ),
    "url": URL.but(
        "An image that is read over http, https, ftp or ftps, by a disk that is `readOnly`. Its server is on the "
        "Internet, or in a network of the setting allowed-network."
    ),
    "network": NETWORK_SOURCE,
    "nvme": NVME,
    "vhostUser": HOST_PATH.but(
        "The socket of a vhost-user-blk server, in a folder of the setting allowed-folder; the machine's memory has to "
        "be shared."
    ),
    "auth": AUTH.but("As whom QEMU logs in to RBD or iSCSI. Default: as nobody."),
    "encryption": ENCRYPTION.but(
        "How the data is encrypted; the passphrase is a secret of libvirt's. Default: as it is."
    ),
    "reservations": yes_no(
        "Whether a LUN has SCSI's persistent reservations, through a helper that libvirt starts. Default: false.",
        effect=Effect.NEXT_BOOT,
        at="source/reservations/@managed",
        absent=False,
        default=False,
    ),
}

SOURCE_NAMES: Final = ("size", "volume", "file", "block", "url", "network", "nvme", "vhostUser")
ONE_SOURCE: Final = exactly_one(
    *SOURCE_NAMES,
    error="A disk is a new volume (`size`), an existing one (`volume`), or one of `file`, `block`, `url`, `network`, "
    "`nvme` and `vhostUser`; write exactly one of them.",
)
OF_NEW_VOLUMES: Final = (
    never(
        has("volume", "base"),
        "`base` is for a new volume (`size`); an existing `volume` keeps the backing image that it has, so remove one "
        "of the two.",
    ),
    never(
        has("volume", "onLoss"),
        "`onLoss` is for a new volume (`size`); write it into the StorageVolume document of an existing `volume`.",
    ),
    *(
        never(has(source, name), f"`{name}` is for a volume, and `{source}` names none; remove one of the two.")
        for source in SOURCE_NAMES[2:]
        for name in ("pool", "base", "onLoss")
    ),
    never(
        {**has("size", "format"), "properties": {"format": {"enum": ["qcow", "qed", "vmdk", "vdi", "vpc"]}}},
        "A new volume is qcow2 or raw; write one of the two.",
    ),
)
