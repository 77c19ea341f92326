"""/vms/{name}/virtviewerfile: what virt-viewer opens a machine's console by, answered directly."""

from __future__ import annotations

import ipaddress
from typing import Final

from api.http.endpoint import Answer, Call, get
from api.http.refusal import bad
from api.http.schema import text
from api.vms.devices import MachineDevices
from api.vms.view import machine_view
from reconciler.identity.role import Role
from reconciler.observed.consoles import console_of

_TYPE: Final = "application/x-virt-viewer"


class MachineVirtViewerFile(MachineDevices):
    """Of one machine."""

    address = "/vms/{name}/virtviewerfile"
    since = "2.3"

    @get(
        "A file by which virt-viewer opens the console of a running machine.", text(), content_type=_TYPE,
        statuses=(400,),
        description="It has the console's password, if there is one. A console that listens on every address of the"
        " host is named by the host that the request names.", role=Role.OPERATOR,
    )  # fmt: skip
    def read(self, call: Call, name: str) -> Answer:
        """Never kept by anybody on the way."""
        observed = self.machine(name)
        console = console_of(observed)
        if console is None or console.port is None:
            raise bad("KCHVM0083E", f"{name} has no console now: it doesn't run, or it has none at all.")
        view = machine_view(self.serving.world, observed, {}, self.serving.secrets)
        host = console.listen or ""
        if not host or ipaddress.ip_address(host).is_unspecified:
            host = call.request.host
        lines = {"type": console.type, "host": host, "port": console.port, "title": name}
        if password := view["graphics"]["passwd"]:
            lines["password"] = password
        content = "[virt-viewer]\n" + "".join(f"{key}={value}\n" for key, value in lines.items())
        headers = {"Content-Disposition": 'attachment; filename="console.vv"', "Cache-Control": "no-store"}
        return Answer(content=content.encode(), content_type=_TYPE, headers=headers)
