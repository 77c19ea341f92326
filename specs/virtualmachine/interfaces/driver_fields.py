"""What a document may say about how a network interface does its work: its driver, and what both sides leave to it."""

from __future__ import annotations

from typing import Final

from specs.declared import Declared, mapping, number, on_off, word, yes_no
from specs.effect import Effect
from specs.notations import HOST_PATH

_NEXT: Final = Effect.NEXT_BOOT
_AS_QEMU: Final = "Default: as QEMU has it."


def _switch(about: str, at: str) -> Declared:
    return on_off(f"{about} {_AS_QEMU}", effect=_NEXT, at=at)


def _size_of_queue(about: str, at: str) -> Declared:
    return number(about, 256, 1024, multipleOf=256, effect=_NEXT, at=at)


_OFFLOADS: Final = {
    "csum": "checksums",
    "gso": "segments of any kind",
    "tso4": "segments of TCP over IPv4",
    "tso6": "segments of TCP over IPv6",
    "ecn": "congestion marks",
    "ufo": "fragments of UDP",
}


def _offloads(side: str, *words: str) -> dict[str, Declared]:
    return {
        word: _switch(f"Whether it may leave {_OFFLOADS[word]} to the other.", f"driver/{side}/@{word}")
        for word in words
    }


DRIVER: Final = mapping(
    "How a card of the model virtio does its work.",
    {
        "name": word(
            "Who moves its packets: `vhost` the host's kernel, `qemu` QEMU; `vfio` is for `hostdev`. Default: vhost "
            "where the host has it.",
            "vhost",
            "qemu",
            "vfio",
            effect=_NEXT,
            at="driver/@name",
        ),
        "queues": number(
            "How many queues it has, mostly as many as the machine has CPUs. Default: 1.",
            1,
            256,
            effect=_NEXT,
            at="driver/@queues",
        ),
        "rxQueueSize": _size_of_queue(
            "How many packets a receiving queue holds: 256, 512 or 1024. Default: 256.", "driver/@rx_queue_size"
        ),
        "txQueueSize": _size_of_queue(
            "How many packets a sending queue of a `vhostUser` holds: 256, 512 or 1024. Default: 256.",
            "driver/@tx_queue_size",
        ),
        "txMode": word(
            f"Who sends when the queue is full. {_AS_QEMU}", "iothread", "timer", effect=_NEXT, at="driver/@txmode"
        ),
        "ioeventfd": _switch("Whether another thread is told of work.", "driver/@ioeventfd"),
        "eventIdx": _switch("Whether both sides tell when they want to be told.", "driver/@event_idx"),
        "rss": _switch("Whether the guest may share packets out to its queues by their hash.", "driver/@rss"),
        "rssHashReport": _switch("Whether the guest gets that hash.", "driver/@rss_hash_report"),
        "iommu": _switch("Whether it goes through the machine's IOMMU.", "driver/@iommu"),
        "ats": _switch("Whether it may keep what that IOMMU translated.", "driver/@ats"),
        "packed": _switch("Whether its queues are packed.", "driver/@packed"),
        "pagePerVq": _switch("Whether each queue is told on a page of its own.", "driver/@page_per_vq"),
        "host": mapping(
            "What the guest may leave to the host.",
            {
                **_offloads("host", "csum", "gso", "tso4", "tso6", "ecn", "ufo"),
                "mrgRxbuf": _switch("Whether a packet may lie in several buffers.", "driver/host/@mrg_rxbuf"),
            },
        ),
        "guest": mapping(
            "What the host may leave to the guest.", _offloads("guest", "csum", "tso4", "tso6", "ecn", "ufo")
        ),
    },
)

ROM: Final = mapping(
    "The card's ROM, from which a guest boots over the network.",
    {
        "enabled": yes_no(
            "Whether it has one. Default: true.",
            default=True,
            effect=_NEXT,
            at="rom/@enabled",
            takes_along=("rom/@bar", "rom/@file"),
        ),
        "bar": on_off(f"Whether the guest sees it in the card's memory. {_AS_QEMU}", effect=_NEXT, at="rom/@bar"),
        "file": HOST_PATH.but(
            "What is in it: a file of the host, in a folder of the setting allowed-folder. Default: QEMU's.",
            effect=_NEXT,
            at="rom/@file",
        ),
    },
)

BACKEND: Final = mapping(
    "The host's devices through which the card works.",
    {
        "tap": HOST_PATH.but(
            "That of taps, in a folder of the setting allowed-folder. Default: /dev/net/tun.",
            effect=_NEXT,
            at="backend/@tap",
        ),
        "vhost": HOST_PATH.but(
            "That of vhost, in a folder of the setting allowed-folder. Default: /dev/vhost-net.",
            effect=_NEXT,
            at="backend/@vhost",
        ),
    },
)
