"""Everything that a Template document may say: what the Kimchi API's template has, in this project's spelling."""

from __future__ import annotations

from specs.declared import either, items, mapping, number, quantity, text, word
from specs.notations import ABSOLUTE_PATH, MEMORY, NAME, SIZE_PATTERN, URL, VOLUME_REFERENCE
from specs.virtualmachine.compute.fields import CPU_TOPOLOGY
from specs.virtualmachine.devices.fields import GRAPHICS
from specs.virtualmachine.fields import SPEC as MACHINE
from specs.virtualmachine.storage.fields import NEW_OR_EXISTING

ABOUT = "What virtual machines have in common. It makes nothing on the host by itself."

SPEC = mapping(
    "The fields that machines have in common. What a machine's own document says wins.",
    {
        "template": NAME.but(
            "Another Template that this one extends: fields written here win, lists replace lists. Default: none."
        ),
        "osDistro": MACHINE["osDistro"].unplaced("The guest's distribution, such as debian. Default: unknown."),
        "osVersion": MACHINE["osVersion"].unplaced(),
        "cpus": MACHINE["cpus"].unplaced("Number of virtual CPUs. Default: 1."),
        "maximumCpus": MACHINE["maximumCpus"].unplaced(
            "Up to how many CPUs a machine can be given while it runs. Default: `cpus`."
        ),
        "memory": MEMORY.but(
            "Memory in MiB, or a size with a unit such as 2GiB. Default: 1024.", default=1024, examples=(2048, "2GiB")
        ),
        "maximumMemory": MEMORY.but(
            "Up to how much memory a machine can be given while it runs. Default: `memory`.", examples=("8GiB",)
        ),
        "cdrom": text(
            "The medium in the CD-ROM drive: an absolute path, a URL (http, https, ftp or ftps), "
            "or a volume (`volume` or `pool/volume`). A path lies in a folder of the setting allowed-folder, "
            "a URL leads to the Internet or into a network of allowed-network. Default: no drive.",
            either(ABSOLUTE_PATH, URL, VOLUME_REFERENCE),
            at_most=4096,
            error="A CD-ROM is an absolute path without `..`, a URL (http, https, ftp or ftps) "
            "without credentials, or a volume; correct it.",
            format="onggi-medium",
        ),
        "storagePool": NAME.but("The storage pool of the disks. Default: default.", default="default"),
        "networks": items(
            "The libvirt networks that each machine gets an interface on. Default: none.",
            NAME.but("A network's name."),
            examples=(["default"],),
        ),
        "disks": items(
            "The disks of each machine. Default: none.",
            mapping(
                "A disk of each machine made from the template: a new volume (`size`), or an existing one (`volume`).",
                {
                    "index": number("Place among the disks, from 0. Default: the position in this list.", 0, 255),
                    "size": quantity(
                        "Capacity of a new volume: a number with its unit, such as 20GiB; a whole number "
                        "alone counts GiB, as the API's clients do.",
                        1,
                        1048576,
                        unit="GiB",
                        pattern=SIZE_PATTERN,
                        examples=("20GiB",),
                        error="A size is a number with its unit, such as 20GiB; a whole number alone counts "
                        "GiB, from 1 to 1048576.",
                    ),
                    "base": VOLUME_REFERENCE.but(
                        "Backing image of the new volume: `volume` in the same pool, or `pool/volume`. "
                        "Default: none, an empty disk."
                    ),
                    "volume": VOLUME_REFERENCE.but("An existing volume: `volume` in `pool`, or `pool/volume`."),
                    "format": word(
                        "Image format. Machines get qcow2 and raw disks; the others are known to the API's "
                        "clients. Default: qcow2 in pools of files, raw elsewhere.",
                        "qcow2",
                        "raw",
                        "bochs",
                        "cloop",
                        "cow",
                        "dmg",
                        "qcow",
                        "qed",
                        "vmdk",
                        "vpc",
                    ),
                    "pool": NAME.but("The storage pool of the volume. Default: the template's storagePool."),
                },
                rules=NEW_OR_EXISTING,
            ),
        ),
        "graphics": GRAPHICS.but("The graphical console. Default: VNC that only the host itself reaches."),
        "bootDevices": MACHINE["bootDevices"].unplaced(
            "The kinds of devices that each machine tries to boot from, in this order; `network` "
            "first lets it be installed over the network. Default: hd, cdrom."
        ),
        "defaults": MACHINE["defaults"].unplaced(),
        "guestOs": MACHINE["guestOs"].unplaced(),
        "cpuTopology": CPU_TOPOLOGY.but(
            "How the virtual CPUs are arranged: sockets × cores × threads has to equal `cpus`, "
            "or `maximumCpus` where that is written. Default: chosen by the hypervisor."
        ),
        "folder": items(
            "Where the template is shown in the API's clients, as folder names from the top. Default: at the top.",
            NAME.but("A folder's name."),
        ),
        "icon": MACHINE["icon"].unplaced(),
    },
)
