"""What a document may say about which of the host's processors a machine runs on, and how much of them it gets."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from specs.declared import Declared, has, is_one, items, mapping, never, number, word
from specs.effect import Effect
from specs.virtualmachine.compute.ranges import PROCESSORS

_BOOT, _LIVE = Effect.NEXT_BOOT, Effect.LIVE
_PRIORITY_GOES = never(
    {**is_one("scheduler", "batch", "idle"), **has("scheduler", "priority")},
    "Only the schedulers fifo and rr have a priority; remove one of the two.",
)
_PRIORITY_MISSES = never(
    {**is_one("scheduler", "fifo", "rr"), "not": has("priority")},
    "The schedulers fifo and rr need a `priority` of 1 to 99; add it.",
)


def _period(whose: str, at: str) -> Declared:
    about = f"Microseconds in which {whose} quota is measured. Default: 100000."
    return number(about, 1000, 1000000, effect=_LIVE, at=f"cputune/{at}")


def _quota(whose: str, at: str) -> Declared:
    about = f"Microseconds of a host's processor that {whose} in each period, -1 for no limit. Default: no limit."
    return number(about, -1, 17592186044415, effect=_LIVE, at=f"cputune/{at}")


def _scheduler(at: str) -> dict[str, Declared]:
    return {
        "scheduler": word(
            "The host's scheduler: for what may wait (`batch`, `idle`), or in real time (`fifo`, `rr`).",
            *("batch", "idle", "fifo", "rr"),
            effect=_BOOT,
            at=f"{at}@scheduler",
        ),
        "priority": number("Place among what runs in real time.", 1, 99, effect=_BOOT, at=f"{at}@priority"),
    }


_RULES = (_PRIORITY_GOES, _PRIORITY_MISSES)

FIELDS: Final[Mapping[str, Declared]] = {
    "cpuTune": mapping(
        "Which of the host's processors the machine runs on, and how much of them it gets. Default: any, all.",
        {
            "processors": PROCESSORS.but(
                "The host's processors for all that isn't pinned below, such as 0-7,^4. Default: every one.",
                effect=_BOOT,
                at="vcpu/@cpuset",
            ),
            "placement": word(
                "Whether these are as written (`static`) or chosen by numad (`auto`). Default: static.",
                *("static", "auto"),
                default="static",
                effect=_BOOT,
                at="vcpu/@placement",
                absent="static",
            ),
            "vcpuPins": items(
                "On which of the host's processors each CPU of the machine runs. Default: `processors`.",
                mapping(
                    "One CPU's.",
                    {
                        "vcpu": number("The CPU, counted from 0.", 0, 4095, effect=_BOOT, at="@vcpu"),
                        "processors": PROCESSORS.but("The host's processors.", effect=_LIVE, at="@cpuset"),
                    },
                    required=("vcpu", "processors"),
                ),
                effect=_LIVE,
                remove=_BOOT,
                at="cputune/vcpupin",
                identity=("vcpu",),
            ),
            "emulatorPin": PROCESSORS.but(
                "The host's processors for what the hypervisor does beside the CPUs. Default: `processors`.",
                effect=_LIVE,
                at="cputune/emulatorpin/@cpuset",
            ),
            "ioThreadPins": items(
                "On which of the host's processors each I/O thread runs. Default: `processors`.",
                mapping(
                    "One thread's.",
                    {
                        "ioThread": number("The thread's number.", 1, 4096, effect=_BOOT, at="@iothread"),
                        "processors": PROCESSORS.but("The host's processors.", effect=_LIVE, at="@cpuset"),
                    },
                    required=("ioThread", "processors"),
                ),
                effect=_LIVE,
                remove=_BOOT,
                at="cputune/iothreadpin",
                identity=("ioThread",),
            ),
            "shares": number(
                "The machine's share of the host's processors when they are short, relative to the others' shares. "
                "Default: the host's, mostly 1024 or 100.",
                1,
                262144,
                effect=_LIVE,
                at="cputune/shares",
            ),
            "period": _period("each CPU's", "period"),
            "quota": _quota("each CPU gets", "quota"),
            "globalPeriod": _period("the whole machine's", "global_period"),
            "globalQuota": _quota("the whole machine gets", "global_quota"),
            "emulatorPeriod": _period("the hypervisor's", "emulator_period"),
            "emulatorQuota": _quota("the hypervisor gets beside the CPUs", "emulator_quota"),
            "ioThreadPeriod": _period("each I/O thread's", "iothread_period"),
            "ioThreadQuota": _quota("each I/O thread gets", "iothread_quota"),
            "vcpuSchedulers": items(
                "How the host schedules CPUs of the machine. Default: as anything else.",
                mapping(
                    "Some CPUs'.",
                    {
                        "vcpus": PROCESSORS.but("The CPUs, such as 0-1.", effect=_BOOT, at="@vcpus"),
                        **_scheduler(""),
                    },
                    required=("vcpus", "scheduler"),
                    rules=_RULES,
                ),
                effect=_BOOT,
                at="cputune/vcpusched",
                identity=("vcpus",),
            ),
            "ioThreadSchedulers": items(
                "How the host schedules I/O threads. Default: as anything else.",
                mapping(
                    "Some threads'.",
                    {
                        "ioThreads": PROCESSORS.but("The threads, such as 1-2.", effect=_BOOT, at="@iothreads"),
                        **_scheduler(""),
                    },
                    required=("ioThreads", "scheduler"),
                    rules=_RULES,
                ),
                effect=_BOOT,
                at="cputune/iothreadsched",
                identity=("ioThreads",),
            ),
            "emulatorScheduler": mapping(
                "How the host schedules what the hypervisor does beside the CPUs. Default: as anything else.",
                _scheduler("cputune/emulatorsched/"),
                required=("scheduler",),
                rules=_RULES,
            ),
        },
    ),
    "ioThreads": number(
        "How many threads the machine has for its disks' I/O; they come and go while it runs. Default: none.",
        1,
        4096,
        effect=_LIVE,
        at="iothreads",
    ),
    "ioThreadPools": items(
        "I/O threads by number, with how many threads of their own each has for what would block it. As many as "
        "`ioThreads`. Default: numbered from 1.",
        mapping(
            "One thread.",
            {
                "id": number("Its number.", 1, 4096, effect=_BOOT, at="@id"),
                "least": number("At least so many. Default: 0.", 0, 65535, effect=_LIVE, at="@thread_pool_min"),
                "most": number("At most so many. Default: 64.", 0, 65535, effect=_LIVE, at="@thread_pool_max"),
            },
            required=("id",),
        ),
        effect=_LIVE,
        at="iothreadids/iothread",
        identity=("id",),
    ),
}
