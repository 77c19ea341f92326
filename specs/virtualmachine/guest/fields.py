"""What a document may say to the guest's cloud-init."""

from __future__ import annotations

from specs.declared import BESIDE, items, mapping, text, word
from specs.effect import Effect
from specs.notations import NAME

CLOUD_INIT = mapping(
    "First-boot data for the guest, given to it on a small medium of its own (NoCloud). Default: none.",
    {
        "user": text(
            "Name of the default user, whom `sshKeys` let in. Default: as the image has it, such as debian or ubuntu.",
            "^[a-z_][a-z0-9_-]{0,31}$",
            examples=("ops",),
            error="A user's name begins with a small letter or `_` and has at most 32 small "
            "letters, digits, `_` or `-`; correct it.",
            effect=Effect.LIVE,
        ),
        "sshKeys": items(
            "OpenSSH public keys, each a line of a .pub file, that let the default user in. Default: none.",
            text(
                "A public key: kind, key, and a comment.",
                r"^[^\u0000-\u001f\u007f-\u009f\u2028\u2029]+$",
                at_most=16384,
                error="A public key is one line; copy that of the .pub file.",
            ),
            most=256,
            unique=True,
            examples=(
                ["ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAINBdU05+IfrXnvx3r1wr/RaHmeNJfQq6fOPny9W0x0fo ops@example.org"],
            ),
            effect=Effect.LIVE,
        ),
        "hostname": text(
            "The guest's host name, with or without a domain. Default: the machine's name.",
            r"^(?!-)[A-Za-z0-9-]{1,63}(?<!-)(?:\.(?!-)[A-Za-z0-9-]{1,63}(?<!-))*$",
            at_most=253,
            examples=("web.example.org",),
            error="A host name has letters, digits, `-` and `.`, such as web.example.org; correct it.",
            effect=Effect.LIVE,
        ),
        "userData": text(
            "The user-data as text, usually beginning with #cloud-config. It is stored in git: "
            "keep passwords out of it. Default: empty.",
            at_most=524288,
            effect=Effect.LIVE,
        ),
        "metaData": text(
            "The meta-data as text: a YAML mapping. Default: an instance-id, the host name and "
            "the keys, which are added to it anyway.",
            at_most=524288,
            effect=Effect.LIVE,
        ),
        "networkConfig": text(
            "The network-config as text, instead of `addresses` of the interfaces. Default: made "
            "from those; without any the guest uses DHCP.",
            at_most=524288,
            effect=Effect.LIVE,
        ),
        "pool": NAME.but("The storage pool of the medium. Default: default.", default="default", effect=Effect.LIVE),
        "bus": word(
            "How the guest sees the medium's drive. `scsi` is virtio-scsi, which kernels made "
            "for clouds have; `sata` is for guests without virtio drivers. Default: scsi for a "
            "drive that onggi adds; one that is there stays as it is.",
            "scsi",
            "sata",
            "ide",
            "usb",
            effect=Effect.NEXT_BOOT,
        ),
        "instanceIdPolicy": word(
            "`OnChange` gives a new instance-id with each change, so that cloud-init runs again "
            "at the next boot; `Never` keeps the first one. Default: OnChange.",
            "OnChange",
            "Never",
            default="OnChange",
            effect=Effect.LIVE,
        ),
    },
    at=BESIDE,
)
