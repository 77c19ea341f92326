"""What documents may say of folders of the host that a guest sees."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from specs.declared import (
    Declared,
    exactly_one,
    has,
    is_one,
    items,
    mapping,
    number,
    on_off,
    only_with,
    present,
    text,
    where,
    word,
    yes_no,
)
from specs.effect import Effect
from specs.notations import HOST_PATH
from specs.virtualmachine.devices.common_fields import VIRTIO_OPTIONS
from specs.virtualmachine.devices.helper_fields import generation
from specs.virtualmachine.devices.place_fields import PLACE

_NEXT = Effect.NEXT_BOOT
_OF_DRIVER: Final = (*("binary", "@accessmode", "@fmode", "@dmode", "@multidevs", "driver", "address", "readonly"),)
_OF_VIRTIOFS: Final = (
    *("socket", "binary", "xattr", "cache", "sandbox", "posixLock", "flock", "threadPool", "bootOrder"),
)
_MODE = r"^0?[0-7]{1,3}$"
_MODE_ERROR = "A mode is written in octal, such as 0644; correct it."

FILESYSTEMS: Final = items(
    "Folders of the host that the guest mounts by a name. Default: none.",
    mapping(
        "One folder.",
        {
            "target": text(
                "The name by which the guest mounts it.",
                r"^[^\u0000-\u001f'\"<>&\\]{1,128}$",
                examples=("shared",),
                error="The name of a folder has 1 to 128 characters and none of ' \" < > & \\; correct it.",
                effect=_NEXT,
                at="target/@dir",
            ),
            "source": HOST_PATH.but(
                "The folder on the host, in an allowed folder. Default: none, with `socket`.",
                effect=_NEXT,
                at="source/@dir",
            ),
            "socket": HOST_PATH.but(
                "Of virtiofs: the socket of a virtiofsd that somebody else runs, in an allowed folder. Default: "
                "libvirt runs one.",
                effect=_NEXT,
                at="source/@socket",
            ),
            "type": word(
                "How it is shared: `virtiofs` is fast and needs `memoryBacking.access: shared`, 9p is `path` or "
                "`handle`. Default: path.",
                *("virtiofs", "path", "handle"),
                effect=_NEXT,
                at="driver/@type",
                takes_along=_OF_DRIVER,
            ),
            "accessMode": word(
                "Whose rights count: the guest's users as on the host (`passthrough`), QEMU's own with those of the "
                "guest noted beside (`mapped`), or what goes (`squash`). Default: passthrough.",
                *("passthrough", "mapped", "squash"),
                effect=_NEXT,
                at="@accessmode",
                absent="passthrough",
            ),
            "readOnly": present(
                "Whether the guest can't write. Default: false.", absent=False, effect=_NEXT, at="readonly"
            ),
            "multidevs": word(
                "Of 9p: what is done about a folder that holds several file systems. Default: a warning.",
                *("remap", "forbid", "warn"),
                effect=_NEXT,
                at="@multidevs",
            ),
            "fileMode": text(
                "Of 9p with `mapped`: the mode of new files. Default: 0600.",
                _MODE,
                error=_MODE_ERROR,
                examples=("0644",),
                effect=_NEXT,
                at="@fmode",
            ),
            "folderMode": text(
                "Of 9p with `mapped`: the mode of new folders. Default: 0700.",
                _MODE,
                error=_MODE_ERROR,
                examples=("0755",),
                effect=_NEXT,
                at="@dmode",
            ),
            "binary": HOST_PATH.but(
                "Of virtiofs: the program that serves it, in an allowed folder. Default: the host's virtiofsd.",
                effect=_NEXT,
                at="binary/@path",
            ),
            "xattr": on_off(
                "Of virtiofs: whether it has extended attributes. Default: false.", effect=_NEXT, at="binary/@xattr"
            ),
            "cache": word(
                "Of virtiofs: what the guest keeps of it. Default: chosen by virtiofsd.",
                "none",
                "always",
                effect=_NEXT,
                at="binary/cache/@mode",
            ),
            "sandbox": word(
                "Of virtiofs: how its program is locked in. Default: namespace.",
                "namespace",
                "chroot",
                effect=_NEXT,
                at="binary/sandbox/@mode",
            ),
            "posixLock": on_off(
                "Of virtiofs: whether POSIX locks hold on the host too. Default: false.",
                effect=_NEXT,
                at="binary/lock/@posix",
            ),
            "flock": on_off(
                "Of virtiofs: whether locks by flock do. Default: false.", effect=_NEXT, at="binary/lock/@flock"
            ),
            "threadPool": number(
                "Of virtiofs: the size of its pool of threads. Default: virtiofsd's own.",
                0,
                65535,
                effect=_NEXT,
                at="binary/thread_pool/@size",
            ),
            "model": generation(),
            "bootOrder": number(
                "Its place in the order of boot devices. Default: none.", 1, 1000, effect=_NEXT, at="boot/@order"
            ),
            "driver": mapping(
                "How it works. Default: as libvirt and QEMU do it.",
                {
                    "queue": number(
                        "Of virtiofs: how many requests may wait. Default: 1024.",
                        1,
                        65535,
                        effect=_NEXT,
                        at="driver/@queue",
                    ),
                    "immediateWrites": yes_no(
                        "Of 9p: whether what is written leaves the host's cache at once. Default: false.",
                        effect=_NEXT,
                        at="driver",
                        absent=False,
                        codec="<driver> immediate",
                    ),
                    **VIRTIO_OPTIONS,
                },
            ),
            **PLACE,
        },
        required=("target",),
        rules=(
            exactly_one("source", "socket", error="Write the folder as `source`, or a server's `socket`."),
            *(
                only_with(name, "type", "virtiofs", error=f"Only virtiofs has `{name}`; remove it.")
                for name in _OF_VIRTIOFS
            ),
            *(
                only_with(name, "type", "path", "handle", error=f"virtiofs has no `{name}`; remove it.")
                for name in ("accessMode", "multidevs", "fileMode", "folderMode", "readOnly")
            ),
            *(
                where(
                    has(name),
                    {
                        **is_one("accessMode", "mapped"),
                        "errorMessage": f"`{name}` goes with `accessMode: mapped`; write that too.",
                    },
                )
                for name in ("fileMode", "folderMode")
            ),
            where(
                {"required": ["driver"], "properties": {"driver": has("queue")}},
                {**is_one("type", "virtiofs"), "errorMessage": "Only virtiofs has a `queue`; remove it."},
            ),
            where(
                has("socket"),
                {
                    **has("type"),
                    "errorMessage": "What is served at a socket is virtiofs; write `type: virtiofs`.",
                },
            ),
        ),
    ),
    at="devices/filesystem[@type='mount']",
    identity=("target",),
    effect=_NEXT,
)

FIELDS: Final[Mapping[str, Declared]] = {"filesystems": FILESYSTEMS}
