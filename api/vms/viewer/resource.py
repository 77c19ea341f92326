"""/vms/{name}/viewer: the same file as /vms/{name}/virtviewerfile."""

from __future__ import annotations

from api.http.endpoint import OURS
from api.vms.virtviewerfile.resource import MachineVirtViewerFile


class MachineViewer(MachineVirtViewerFile):
    """Of one machine."""

    address = "/vms/{name}/viewer"
    since = OURS
