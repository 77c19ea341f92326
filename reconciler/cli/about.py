"""What a report of a bug has to say about an installation: versions, and where its settings come from.

What can't be found out keeps nothing else from being told. No secret is told: of a URL neither who logs in nor what
stands behind its path, and what a secret's file holds isn't read.
"""

from __future__ import annotations

import re
import sys
from collections.abc import Callable, Iterable, Mapping
from dataclasses import asdict
from functools import partial
from pathlib import Path
from typing import Any

from reconciler.version import VERSION
from specs.plain import NewJson

_PATIENCE_S = 5.0
_UNKNOWN = "unknown"


def about(connect: str, settings: Iterable[tuple[str, str, Any]]) -> NewJson:
    """As plain data. `settings` are those that aren't left at their defaults: the key, where it is said, the value."""
    import platform

    return {
        "version": VERSION,
        "folder": str(Path(__file__).parents[2]),
        "python": {"version": platform.python_version(), "executable": sys.executable},
        "platform": {"kernel": platform.platform(), "distribution": _asked(_distribution)},
        "git": _asked(_git),
        "libvirt": _libvirt(connect),
        "libraries": _asked(_libraries, {}),
        "plugins": _asked(_plugins, {}),
        "settings": [{"key": key, "from": source, "value": shown(value)} for key, source, value in settings],
    }


def shown(value: Any) -> Any:
    """A setting's value as it may be shown to anybody."""
    if isinstance(value, list | tuple):
        return [shown(item) for item in value]
    if isinstance(value, Mapping):
        return {str(key): shown(item) for key, item in value.items()}
    return _without_secrets(value) if isinstance(value, str) else value


def _without_secrets(text: str) -> str:
    text = re.sub(r"://.*@", "://…@", text, flags=re.DOTALL)
    return re.sub(r"(://[^?#]*)[?#].*", r"\1?…", text, flags=re.DOTALL)


def _asked(question: Callable[[], Any], otherwise: Any = _UNKNOWN) -> Any:
    """The answer, if there is one: this is asked for where something is broken."""
    try:
        return question()
    except Exception:
        return otherwise


def _distribution() -> str:
    import distro

    return distro.name(pretty=True) or _UNKNOWN


def _git() -> str:
    import subprocess

    done = subprocess.run(["git", "--version"], capture_output=True, text=True, timeout=_PATIENCE_S, check=True)  # noqa: S607  # whichever onggi would take
    return done.stdout.strip().removeprefix("git version ")


def _libvirt(connect: str) -> NewJson:
    at = shown(connect)
    try:
        from reconciler.hypervisor.host.versions import answering_at, client_version

        answer = asdict(answering_at(connect))
    except Exception as error:  # the binding itself may be what is broken
        return {"client": _UNKNOWN, "connect": at, "problem": f"{type(error).__name__}: {error}"}
    told = {key: _without_secrets(value.replace(connect, at)) for key, value in answer.items() if value}
    return {"client": client_version(), "connect": at, "server": told}


def _libraries() -> dict[str, str]:
    """Those that onggi declares, as they are installed."""
    from importlib import metadata

    names = (re.split(r"[^\w.-]", each)[0] for each in metadata.requires("onggi") or () if "extra ==" not in each)
    return {name.lower(): _asked(partial(metadata.version, name)) for name in sorted(names, key=str.lower)}


def _plugins() -> dict[str, str]:
    """As they are installed; none is loaded for that."""
    from importlib import metadata

    from reconciler.host.plugins import GROUP

    return {each.name: each.dist.version if each.dist else "" for each in metadata.entry_points(group=GROUP)}
