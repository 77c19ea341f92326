"""How many I/O threads a machine has, in its definition: libvirt numbers those from 1 of which nothing else is said."""

from __future__ import annotations

from specs.binding import Element, child_at
from specs.codecs import INTEGER
from specs.declared_binds import binder
from specs.virtualmachine.fields import SPEC

bind = binder(SPEC)


def _put(root: Element, count: int) -> None:
    child_at(root, "iothreads").text = str(count)
    named = root.findall("iothreadids/iothread")
    for thread in named[count:]:  # the last come, the first go
        if (holder := thread.getparent()) is not None:
            holder.remove(thread)
        for pin in root.findall("cputune/iothreadpin"):
            if pin.get("iothread") == thread.get("id") and (tune := pin.getparent()) is not None:
                tune.remove(pin)
    if not named:
        for pin in root.findall("cputune/iothreadpin"):
            if (INTEGER.decode(pin.get("iothread") or "") or 0) > count and (tune := pin.getparent()) is not None:
                tune.remove(pin)


IO_THREADS = bind("ioThreads", put=_put)
