"""Whether the guests of this host may really use KVM.

libvirt says that they may as soon as QEMU was built for it and the device is there. Whether QEMU's own user can open
the device, and whether the processor virtualises at all, shows only when a machine fails to start, or never gets past
its boot loader. In containers and on some nested hosts it doesn't.
"""

from __future__ import annotations

import os
import platform
import re
import stat
from pathlib import Path

from reconciler.locality import is_here

_DEVICE = "/dev/kvm"


def kvm_is_usable(uri: str) -> bool:
    """False when this machine lacks what KVM needs. True for a host that can't be looked at from here."""
    return not is_here(uri) or (_processor_virtualises() and _device_is_open())


def _processor_virtualises() -> bool:
    """The question that virt-host-validate asks too. Only x86 lists the answer among its flags."""
    if platform.machine() not in ("x86_64", "i686"):
        return True
    try:
        return re.search(r"\b(vmx|svm)\b", Path("/proc/cpuinfo").read_text()) is not None
    except OSError:
        return True


def _device_is_open() -> bool:
    """Open to more than root: to a group, of which QEMU's user is a member, or to everybody."""
    try:
        found = os.stat(_DEVICE)  # noqa: PTH116  # no path object is needed for one question
    except OSError:
        return False
    for_group = stat.S_IRGRP | stat.S_IWGRP
    for_others = stat.S_IROTH | stat.S_IWOTH
    in_a_group = found.st_gid != 0 and found.st_mode & for_group == for_group
    return in_a_group or found.st_mode & for_others == for_others
