"""What a document may say about a machine's clock and its timers."""

from __future__ import annotations

from typing import Final

from specs.declared import Declared, items, mapping, number, text, word, yes_no
from specs.effect import Effect

BOOT: Final = Effect.NEXT_BOOT

TIMER: Final = mapping(
    "One timer.",
    {
        "name": word(
            "Which one: rtc is a PC's clock, tsc the processor's counter, hpet and pit devices of a PC, "
            "kvmclock and hypervclock what the hypervisor tells its guests, armvtimer ARM's.",
            *("rtc", "tsc", "hpet", "pit", "kvmclock", "hypervclock", "armvtimer"),
            effect=BOOT,
            at="@name",
        ),
        "present": yes_no("Whether the machine has it. Default: the hypervisor's choice.", effect=BOOT, at="@present"),
        "tickpolicy": word(
            "What happens about ticks that the guest missed: they come late (`delay`), quickly (`catchup`), as one "
            "(`merge`) or never (`discard`). Default: delay.",
            *("delay", "catchup", "merge", "discard"),
            effect=BOOT,
            at="@tickpolicy",
        ),
        "track": word(
            "What rtc goes by: the time that the guest has run, or the host's. Default: the hypervisor's choice.",
            "guest",
            "wall",
            effect=BOOT,
            at="@track",
        ),
        "frequency": number(
            "Ticks of tsc in a second. Default: the host's.", 1, 9223372036854775807, effect=BOOT, at="@frequency"
        ),
        "mode": word(
            "How tsc is told to the guest. Default: auto.",
            *("auto", "native", "emulate", "paravirt", "smpsafe"),
            effect=BOOT,
            at="@mode",
        ),
        "catchup": mapping(
            "How ticks are caught up with `tickpolicy: catchup`. Default: the hypervisor's choice.",
            {
                "threshold": number(
                    "From how many late ticks on.", 0, 4294967295, effect=BOOT, at="catchup/@threshold"
                ),
                "slew": number("At which rate, in percent.", 0, 4294967295, effect=BOOT, at="catchup/@slew"),
                "limit": number("How many at most.", 0, 4294967295, effect=BOOT, at="catchup/@limit"),
            },
        ),
    },
    required=("name",),
)

CLOCK: Final[Declared] = mapping(
    "The clock that the guest finds at its start. Default: UTC.",
    {
        "offset": word(
            "What it shows: UTC, as Linux wants it; the host's time (`localtime`), as Windows does; that of a "
            "`timezone`; `variable`: UTC or the host's time and an `adjustment`, which libvirt keeps when the guest "
            "sets its clock; `absolute`: the time `start`, at each start. Default: utc.",
            *("utc", "localtime", "timezone", "variable", "absolute"),
            default="utc",
            effect=BOOT,
            at="clock/@offset",
            absent="utc",
            takes_along=("/clock/@timezone", "/clock/@adjustment", "/clock/@basis", "/clock/@start"),
        ),
        "timezone": text(
            "The time zone of `offset: timezone`. Default: none.",
            "^[A-Za-z0-9_./+-]{1,64}$",
            examples=("Europe/Berlin",),
            error="A time zone is written such as Europe/Berlin; correct it.",
            effect=BOOT,
            at="clock/@timezone",
        ),
        "adjustment": number(
            "Seconds by which a `variable` clock is ahead. Default: 0.",
            -2147483648,
            2147483647,
            effect=BOOT,
            at="clock/@adjustment",
            absent=0,
        ),
        "basis": word(
            "What a `variable` clock is ahead of. Default: utc.",
            "utc",
            "localtime",
            default="utc",
            effect=BOOT,
            at="clock/@basis",
            absent="utc",
        ),
        "start": number(
            "The time that an `absolute` clock shows at the machine's start, in seconds since 1970.",
            0,
            9223372036854775807,
            effect=BOOT,
            at="clock/@start",
        ),
        "timers": items(
            "Its timers, each by its name. Default: the hypervisor's choice of them.",
            TIMER,
            examples=([{"name": "rtc", "tickpolicy": "catchup"}, {"name": "hpet", "present": False}],),
            at="clock/timer",
            identity=("name",),
            effect=BOOT,
        ),
    },
)
