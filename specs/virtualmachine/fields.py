"""Everything that a VirtualMachine document may say. What is omitted is unmanaged once the machine exists."""

from __future__ import annotations

from specs.declared import BESIDE, items, mapping, number, text, word, yes_no
from specs.effect import Effect
from specs.name import TITLE_PATTERN
from specs.notations import NAME
from specs.overlay.field import overlay
from specs.policy import policies
from specs.virtualmachine.compute.fields import FIELDS as COMPUTE
from specs.virtualmachine.devices.fields import FIELDS as DEVICES
from specs.virtualmachine.guest.fields import CLOUD_INIT
from specs.virtualmachine.interfaces.fields import FIELDS as INTERFACES
from specs.virtualmachine.platform.fields import FIELDS as PLATFORM
from specs.virtualmachine.storage.fields import FIELDS as STORAGE

ABOUT = "A virtual machine of the host."


SPEC = mapping(
    "The machine. What is left out is chosen when the machine is made and left alone after that.",
    {
        "title": text(
            "A short title for people, on one line. Default: none.",
            TITLE_PATTERN,
            at_most=256,
            error="A title is one line of at most 256 characters that can be seen; use `description` for more.",
            effect=Effect.LIVE,
            at="title",
            absent="",
        ),
        "description": text(
            "What the machine is for, in as many lines as needed. Default: none.",
            at_most=16384,
            effect=Effect.LIVE,
            at="description",
            absent="",
        ),
        "osDistro": text(
            "The guest's distribution, such as debian; a note that also picks an icon. Default: unknown.",
            at_most=64,
            examples=("debian",),
            effect=Effect.LIVE,
            at=BESIDE,
        ),
        "osVersion": text(
            'The guest\'s version, as text, such as "12". Default: unknown.',
            at_most=64,
            examples=("12",),
            effect=Effect.LIVE,
            at=BESIDE,
        ),
        "icon": text(
            "Path or URL of a picture for the API's clients. Default: chosen by osDistro.",
            at_most=4096,
            effect=Effect.LIVE,
            at=BESIDE,
        ),
        "template": NAME.but(
            "A Template document whose fields apply wherever this document says nothing. Default: none.", at=BESIDE
        ),
        **COMPUTE,
        **STORAGE,
        **INTERFACES,
        **DEVICES,
        "access": mapping(
            "Who, besides administrators, may use the machine through the API. Default: nobody.",
            {
                "users": items(
                    "User names. Default: none.",
                    text(
                        "One name.",
                        r"^[^\s:,\u0000-\u001f]{1,64}$",
                        error="A user's or group's name has no blanks, colons or commas; correct it.",
                    ),
                    unique=True,
                    effect=Effect.LIVE,
                ),
                "groups": items(
                    "Group names. Default: none.",
                    text(
                        "One name.",
                        r"^[^\s:,\u0000-\u001f]{1,64}$",
                        error="A user's or group's name has no blanks, colons or commas; correct it.",
                    ),
                    unique=True,
                    effect=Effect.LIVE,
                ),
            },
            at=BESIDE,
        ),
        "runStrategy": word(
            "When the machine runs: `Always` (started again whatever stopped it), "
            "`RerunOnFailure` (started, and again after a crash, a failure or a restart of the "
            "host, but not when its guest shut itself down or when somebody destroyed it), "
            "`Manual` (never started nor stopped), `Halted` (stopped). Starts that follow each "
            "other in quick succession back off. Default: RerunOnFailure.",
            "Always",
            "RerunOnFailure",
            "Manual",
            "Halted",
            default="RerunOnFailure",
            effect=Effect.LIVE,
            at=BESIDE,
        ),
        "paused": yes_no(
            "Whether its CPUs stand still while it runs. Default: left as it is.", effect=Effect.LIVE, at=BESIDE
        ),
        "autostart": yes_no(
            "Whether the host starts the machine when it boots. Default: false.",
            default=False,
            effect=Effect.LIVE,
            at=BESIDE,
        ),
        **PLATFORM,
        "xml": overlay("domain", Effect.NEXT_BOOT),
        "cloudInit": CLOUD_INIT,
        "restartPolicy": word(
            "What is done about changes that wait for the next boot: `Never` (they wait until "
            "somebody switches the machine off and on), `WhenStopped` (likewise; and when the "
            "guest reboots itself, it is asked to shut down and started again with them), "
            "`Graceful` (the guest is asked to shut down within `shutdownTimeout`, and started "
            "again with them). The power is only cut with `forceStop: true`. Default: Never.",
            "Never",
            "WhenStopped",
            "Graceful",
            default="Never",
            effect=Effect.LIVE,
            at=BESIDE,
        ),
        "shutdownTimeout": number(
            "Seconds that a graceful stop may take. Default: 60.", 0, 86400, default=60, effect=Effect.LIVE, at=BESIDE
        ),
        "forceStop": yes_no(
            "Whether the power is cut when a graceful stop took too long. Default: false, and "
            "the stop is reported as failed.",
            default=False,
            effect=Effect.LIVE,
            at=BESIDE,
        ),
        **policies(
            "What happens to the volumes that were made for the machine's disks when the "
            "document is removed: `Retain` keeps them, `Delete` removes them too. Default: "
            "Retain."
        ),
    },
    lowered=mapping(
        "What only a definition has.",
        {
            "cells": number("How many NUMA cells its memory is laid out in, if any.", 1, 4096),
            "modules": number("MiB of its memory that are modules, if any.", 1, 16777216),
        },
    ),
)

_LISTS = [
    name
    for name, each in SPEC.fields.items()
    if each.at != BESIDE and (whole := each.base or each).item is not None and whole.item.fields
]

ANNOTATIONS = {
    "onggi/complete": text(
        "Lists that are complete, separated by commas: what such a list doesn't declare is "
        "drift and is detached (its volume stays). Counts only for lists that the document "
        "has. Default: none; what isn't declared is left alone and reported as extra.",
        f"^(?:{'|'.join(_LISTS)})(?: *, *(?:{'|'.join(_LISTS)}))*$",
        examples=("disks, interfaces",),
        error=f"Name lists of the machine, separated by commas, out of {', '.join(_LISTS)}; correct it.",
    ),
    "onggi/next-boot": text(
        "Changes that wait for the machine's next boot although they could be made at once, "
        "each with the value that waits: `memory` in MiB, `cpus` as a count. An entry whose "
        "field has another value by now means nothing. Clients of the API leave it when they "
        "change a running machine. Default: none; what can be live is.",
        "^(?:memory|cpus)=[0-9]{1,10}(?: *, *(?:memory|cpus)=[0-9]{1,10})*$",
        examples=("memory=2048, cpus=2",),
        error="Name fields with the values that wait, separated by commas, such as `memory=2048, cpus=2`; correct it.",
    ),
}
