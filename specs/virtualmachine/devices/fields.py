"""What a document may say about a machine's other devices."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from specs.declared import IN_CODE, Declared, mapping, shared, text, word, yes_no
from specs.effect import Effect
from specs.notations import SECRET_FROM
from specs.virtualmachine.devices.display_fields import FIELDS as DISPLAY
from specs.virtualmachine.devices.folder_fields import FIELDS as FOLDERS
from specs.virtualmachine.devices.graphics_fields import DRAWS, MORE_GRAPHICS, OF_SPICE, OPTIONS, type_rules
from specs.virtualmachine.devices.helper_fields import FIELDS as HELPERS
from specs.virtualmachine.devices.hostdevice_fields import HOST_DEVICES
from specs.virtualmachine.devices.input_fields import FIELDS as INPUTS
from specs.virtualmachine.devices.line_fields import FIELDS as LINES
from specs.virtualmachine.devices.safety_fields import FIELDS as SAFETY
from specs.virtualmachine.devices.sound_fields import FIELDS as SOUND
from specs.virtualmachine.devices.viewer_fields import FIELDS as VIEWER

NOWHERE = "none"  # where a console listens that has no port: QEMU is handed connections to it


GRAPHICS = shared(
    "graphics",
    mapping(
        "The graphical console.",
        {
            "type": word(
                "The console's protocol; `none` for a machine without a screen. Default: vnc.",
                "vnc",
                "spice",
                "none",
                default="vnc",
                effect=Effect.NEXT_BOOT,
            ),
            "listen": text(
                "IP address of the host on which the console listens, or `none`: then it is only reached through the "
                "API's console. Default: 127.0.0.1, so that only the host itself reaches it.",
                "^(?:none|[0-9A-Fa-f:.]{2,45})$",
                default="127.0.0.1",
                error="An IP address is written such as 127.0.0.1 or fd00::10; correct it, or write `none`.",
                effect=Effect.NEXT_BOOT,
            ),
            "passwordFrom": SECRET_FROM.but(
                "Where the console's password is kept: a file or an environment variable of the "
                "agent. VNC uses its first 8 characters. A new one comes true in the running "
                "machine; the first one of a console that has none waits for the next boot. Default: "
                "no password.",
                effect=Effect.LIVE,
            ),
            "passwordValidTo": text(
                "Until when the password is accepted, in UTC such as 2030-12-31T23:59:59Z, or "
                "`never` for one that stays valid. Default: left as it is.",
                "^(?:never|[0-9]{4}-(?:0[1-9]|1[0-2])-(?:0[1-9]|[12][0-9]|3[01])T(?:[01][0-9]|2[0-3]):[0-5][0-9]:[0-5][0-9]Z)$",
                examples=("2030-12-31T23:59:59Z",),
                error="A time is written in UTC such as 2030-12-31T23:59:59Z; correct it, or write `never`.",
                effect=Effect.LIVE,
            ),
            **OPTIONS,
        },
        rules=(*type_rules(*OPTIONS, types=("vnc", "spice")), *OF_SPICE, DRAWS),
        lowered=mapping("", {"passwordFrom": text("Stands for a password, which nobody sees.")}),
    ),
)


FIELDS: Final[Mapping[str, Declared]] = {
    "graphics": GRAPHICS.but("The graphical console. Default: VNC that only the host itself reaches.", at=IN_CODE),
    "serialConsole": yes_no(
        "Whether the machine has a serial console. Default: true.",
        default=True,
        effect=Effect.NEXT_BOOT,
        at=IN_CODE,
    ),
    "moreGraphics": MORE_GRAPHICS,
    **LINES,
    **DISPLAY,
    **SOUND,
    **INPUTS,
    **HELPERS,
    **SAFETY,
    **FOLDERS,
    **VIEWER,
    "hostDevices": HOST_DEVICES,
}
