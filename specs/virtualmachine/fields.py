"""Everything that a VirtualMachine document may say. What is omitted is unmanaged once the machine exists."""

from __future__ import annotations

from specs.declared import BESIDE, IN_CODE, items, mapping, number, shared, text, word, yes_no
from specs.effect import Effect
from specs.name import TITLE_PATTERN
from specs.notations import MEMORY, NAME
from specs.policy import policies
from specs.virtualmachine.cloud_init_fields import CLOUD_INIT
from specs.virtualmachine.device_fields import CDROM, DISK, GRAPHICS, HOST_DEVICE, INTERFACE

CPU_TOPOLOGY = shared(
    "cpuTopology",
    mapping(
        "How the virtual CPUs are arranged: sockets × cores × threads has to equal `cpus`, "
        "or `maximumCpus` where that is written.",
        {
            "sockets": number("Number of CPU sockets.", 1, 4096),
            "cores": number("Cores of each socket.", 1, 4096),
            "threads": number("Threads of each core.", 1, 4096),
        },
        required=("sockets", "cores", "threads"),
    ),
)

ABOUT = "A virtual machine of the host."
ANNOTATIONS = {
    "onggi/complete": text(
        "Lists that are complete, separated by commas: what such a list doesn't declare is "
        "drift and is detached (its volume stays). Counts only for lists that the document "
        "has. Default: none; what isn't declared is left alone and reported as extra.",
        "^(?:disks|cdroms|interfaces|hostDevices)(?: *, *(?:disks|cdroms|interfaces|hostDevices))*$",
        examples=("disks, interfaces",),
        error="Name lists of the machine, separated by commas, out of disks, cdroms, "
        "interfaces and hostDevices; correct it.",
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
        "cpus": number(
            "Number of virtual CPUs. More come true in the running machine as far as its "
            "definition allows, fewer at the next boot. Default: 1.",
            1,
            4096,
            default=1,
            effect=Effect.NEXT_BOOT,
            at=IN_CODE,
        ),
        "maximumCpus": number(
            "How many virtual CPUs the machine can have while it runs: room for `cpus` to grow "
            "without a boot. Default: the same as `cpus`.",
            1,
            4096,
            effect=Effect.NEXT_BOOT,
            at=IN_CODE,
        ),
        "cpuTopology": CPU_TOPOLOGY.but(
            "How the virtual CPUs are arranged: sockets × cores × threads has to equal "
            "`maximumCpus`, or `cpus` without one. Default: chosen by the hypervisor.",
            effect=Effect.NEXT_BOOT,
            at=IN_CODE,
        ),
        "cpuMode": word(
            "Which CPU the guest sees: like the host's (`host-model`), the host's itself "
            "(`host-passthrough`), all that the hypervisor can do (`maximum`), or a plain one "
            "(`default`). Default: host-model with KVM, maximum with emulation.",
            "host-model",
            "host-passthrough",
            "maximum",
            "default",
            effect=Effect.NEXT_BOOT,
            at=IN_CODE,
        ),
        "memory": MEMORY.but(
            "Memory in MiB, or a size with a unit such as 2GiB. It changes in the running "
            "machine up to what it was started with. Default: 1024.",
            default=1024,
            examples=(2048, "2GiB"),
            effect=Effect.LIVE,
            at=IN_CODE,
        ),
        "maximumMemory": MEMORY.but(
            "Up to how much memory the machine can have while it runs, in MiB or with a unit: "
            "room for `memory` to grow without a boot. Default: the same as `memory`.",
            examples=("8GiB",),
            effect=Effect.NEXT_BOOT,
            at=IN_CODE,
        ),
        "disks": items(
            "The disks. Adding and removing works in the running machine. One that leaves the "
            "list stays attached until `onggi approve` lets it go, and its volume stays even "
            "then. Default: none.",
            DISK,
            effect=Effect.LIVE,
            at=IN_CODE,
        ),
        "cdroms": items(
            "The CD-ROM drives. Changing a medium works in the running machine. Default: none.",
            CDROM,
            effect=Effect.LIVE,
            at=IN_CODE,
        ),
        "interfaces": items(
            "The network interfaces. Adding and removing works in the running machine. Default: none.",
            INTERFACE,
            effect=Effect.LIVE,
            at=IN_CODE,
        ),
        "graphics": GRAPHICS.but("The graphical console. Default: VNC that only the host itself reaches.", at=IN_CODE),
        "hostDevices": items(
            "Devices of the host that the machine gets for itself. Default: none.",
            HOST_DEVICE,
            unique=True,
            effect=Effect.LIVE,
            at=IN_CODE,
        ),
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
        "firmware": word(
            "What boots the machine. Default: bios.",
            "bios",
            "uefi",
            default="bios",
            effect=Effect.NEXT_BOOT,
            at=IN_CODE,
        ),
        "bootDevices": items(
            "The kinds of devices that the machine tries to boot from, in this order: of each "
            "kind the first one, of `network` the first interface. Goes without any `bootOrder`, "
            "which names single devices instead. Default: hd, cdrom for a new machine.",
            word(
                "hd: a disk; cdrom: a CD-ROM drive; network: an interface (PXE); fd: a floppy drive.",
                "hd",
                "cdrom",
                "network",
                "fd",
            ),
            least=1,
            unique=True,
            examples=(["network", "hd"],),
            effect=Effect.NEXT_BOOT,
            at=IN_CODE,
        ),
        "bootMenu": yes_no(
            "Whether the firmware asks at its start what to boot from. Default: false.",
            default=False,
            effect=Effect.NEXT_BOOT,
            at="os/bootmenu/@enable",
            absent=False,
        ),
        "machine": text(
            "The machine type: q35, pc, or one with a version such as pc-q35-7.2. Default: q35 where the host has it.",
            "^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$",
            error="A machine type is a word such as q35 or pc-q35-7.2; correct it.",
            effect=Effect.NEXT_BOOT,
            at=IN_CODE,
        ),
        "domainType": word(
            "Hardware virtualisation (`kvm`) or emulation in software (`emulated`), which is "
            "slower and runs everywhere. Default: kvm where the host has it.",
            "kvm",
            "emulated",
            effect=Effect.NEXT_BOOT,
            at=IN_CODE,
        ),
        "serialConsole": yes_no(
            "Whether the machine has a serial console. Default: true.",
            default=True,
            effect=Effect.NEXT_BOOT,
            at=IN_CODE,
        ),
        "watchdog": mapping(
            "A device that does something about a guest from which it hasn't heard for a while: one that hangs. "
            "Default: none.",
            {
                "model": word(
                    "The device, for which the guest needs a driver: i6300esb and ib700 for x86, itco is part of the "
                    "machine type q35, diag288 is for s390x.",
                    *("i6300esb", "ib700", "itco", "diag288"),
                    effect=Effect.NEXT_BOOT,
                    at="devices/watchdog/@model",
                    takes_along=("/devices/watchdog/address",),  # one on another bus has another one
                ),
                "action": word(
                    "What it does: reset, shut down (which a guest that hangs rarely does), power off or pause the "
                    "machine, write its memory into a file of the host (`dump`), send the guest an interrupt that it "
                    "can't pass over (`inject-nmi`), or only tell libvirt's clients (`none`). Default: reset.",
                    *("reset", "shutdown", "poweroff", "pause", "dump", "inject-nmi", "none"),
                    default="reset",
                    effect=Effect.NEXT_BOOT,
                    at="devices/watchdog/@action",
                    absent="reset",
                ),
            },
            required=("model",),
        ),
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
