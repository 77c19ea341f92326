"""The story of onggi in one go: `make demo`, or `make demo CONNECT=qemu:///system` with a guest that really boots.

A repository is made from examples/01-first-vm, planned and applied; the machine is changed by hand behind onggi's back,
which is noticed and healed; a commit changes it, a client of the REST API changes it by a commit too, another commit
removes it, and its disk stays. Everything that the story made is gone at its end.
"""

from __future__ import annotations

import argparse
import contextlib
import functools
import hashlib
import http.server
import logging
import os
import shutil
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import httpx
import libvirt

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from api.app import create_app
from api.server import Server
from api.services import Services
from reconciler.line.line import Line
from reconciler.loop.agent import Agent
from reconciler.reporting.plan_text import plan_text
from reconciler.serving.host import open_host
from reconciler.serving.opening import Opening
from reconciler.settings.settings import Settings
from specs.reference import Ref

HERE = Path(__file__).resolve().parent
MACHINE = Ref("VirtualMachine", "demo-web")
COLOUR = sys.stdout.isatty()


def say(text: str) -> None:
    print(f"\n\033[1m# {text}\033[0m" if COLOUR else f"\n# {text}", flush=True)


def show(text: str) -> None:
    print("\n".join(f"    {line}" for line in text.rstrip().splitlines()), flush=True)


def until(what: str, holds: Callable[[], bool], timeout_s: float = 90.0) -> None:
    began = time.monotonic()
    while not holds():
        if time.monotonic() - began > timeout_s:
            sys.exit(f"demo: gave up after {timeout_s:.0f} s of waiting until {what}")
        time.sleep(0.02)
    show(f"… {what} ({time.monotonic() - began:.2f} s)")


class Repository:
    """The demo's git repository, with a person who commits to it."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        shutil.copytree(HERE / "01-first-vm", folder, ignore=shutil.ignore_patterns("expected-*"))
        self._git("init", "--quiet", "--initial-branch=main")

    def commit(self, message: str) -> None:
        self._git("add", "--all")
        self._git("commit", "--quiet", "--message", message)
        show(f"$ git commit -m '{message}'")

    def edit(self, name: str, old: str, new: str) -> None:
        path = self.folder / name
        path.write_text(path.read_text().replace(old, new))

    def story(self) -> str:
        """The newest commit: who made it, what it is called, and the lines that it changed."""
        shown = self._git("show", "--format=%an: %s", "--unified=0")
        author, *lines = shown.splitlines()
        return "\n".join(
            [author, *(line for line in lines if line.startswith(("+", "-")) and line[:3] not in ("+++", "---"))]
        )

    def _git(self, *words: str) -> str:
        person = {"NAME": "Dana Demo", "EMAIL": "dana@example.org"}
        identity = {f"GIT_{role}_{key}": value for role in ("AUTHOR", "COMMITTER") for key, value in person.items()}
        done = subprocess.run(
            ["git", "-C", str(self.folder), *words],
            check=True,
            stdout=subprocess.PIPE,
            text=True,
            env={**os.environ, **identity, "GIT_CONFIG_GLOBAL": os.devnull},
        )
        return done.stdout


@contextlib.contextmanager
def served(image: Path) -> Iterator[str]:
    """The base image on a web server of our own, as an image server would have it."""

    class Quiet(http.server.SimpleHTTPRequestHandler):
        def log_message(self, *args: object) -> None:
            pass

    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), functools.partial(Quiet, directory=str(image.parent)))
    threading.Thread(target=server.serve_forever, daemon=True).start()
    try:
        yield f"http://127.0.0.1:{server.server_port}/{image.name}"
    finally:
        server.shutdown()


@contextlib.contextmanager
def api_of(agent: Agent) -> Iterator[httpx.Client]:
    """A client of the agent's REST API, which listens on this machine alone."""
    opening = Opening(agent, open_host(agent.settings))
    server = Server(create_app(Services(agent.ready.is_set, agent.ready.is_set, dict, serve=opening)), "127.0.0.1:0")
    server.start()
    try:
        with httpx.Client(base_url=server.url, timeout=60) as client:
            yield client
    finally:
        server.stop()
        opening.close()


def ask(client: httpx.Client, repository: Repository, action: str) -> None:
    """Have something done to the machine, and show what it was told, and the commit that came of it."""
    path = f"/vms/{MACHINE.name}/{action}"
    show(f"$ curl -X POST {client.base_url}{path}")
    answer = client.post(path)
    answer.raise_for_status()
    show(f'{{"name": "{answer.json()["name"]}", "state": "{answer.json()["state"]}", …}}')
    show("$ git show")
    show(repository.story())


def give_it_a_guest(repository: Repository, url: str, image: Path) -> None:
    """The same machine, with a disk that an operating system is on: one more document and one more line."""
    digest = hashlib.sha256(image.read_bytes()).hexdigest()
    (repository.folder / "image.yaml").write_text(
        "apiVersion: onggi/v1\nkind: StorageVolume\nmetadata:\n  name: tiny.qcow2\n"
        "spec:\n  pool: demo\n  format: qcow2\n"
        f"  source:\n    url: {url}\n    sha256: {digest}\n  deletionPolicy: Delete\n"
    )
    repository.edit("web.yaml", "      pool: demo\n", "      pool: demo\n      base: tiny.qcow2\n")
    repository.edit(
        "web.yaml",
        "  forceStop: true         # its disk is empty: no guest is there to answer an ACPI shutdown\n"
        "  shutdownTimeout: 5\n",
        "",
    )


def tell(uri: str, folder: Path, image_url: str, image: Path | None) -> None:
    repository = Repository(folder / "repository")
    if image is not None:
        give_it_a_guest(repository, image_url, image)
    settings = Settings(
        repository=str(repository.folder), connect=uri, state=folder / "state",
        allowed_networks=("127.0.0.0/8",),  # the image server is on this machine
    )  # fmt: skip

    say("A git repository says what the host should have")
    for path in sorted(repository.folder.glob("*.yaml")):
        show(f"{path.name}")
    repository.commit("The first machine, its network and its pool")

    say(f"onggi plan {repository.folder.name} --connect {uri}")
    with Line.open(settings, exclusive=True) as line:
        show(plan_text(line.plan(), colour=COLOUR, width=110))

    say("onggi run: the agent makes it so, and keeps it so")
    hand = libvirt.open(uri)
    agent, stop = Agent(settings), threading.Event()
    loop = threading.Thread(target=agent.run, args=(stop,), name="agent")
    loop.start()
    try:
        until("the machine runs", lambda: active(hand))
        if image is not None:
            until("its guest has an address", lambda: bool(hand.networkLookupByName("demo").DHCPLeases()))

        say("Somebody pulls the plug by hand")
        show("$ virsh destroy demo-web")
        hand.lookupByName(MACHINE.name).destroy()
        until("onggi noticed, and it runs again", lambda: active(hand))

        say("Somebody gives it less memory by hand")
        show("$ virsh setmaxmem demo-web 98304 --config")
        definition = hand.lookupByName(MACHINE.name).XMLDesc(libvirt.VIR_DOMAIN_XML_INACTIVE)
        hand.defineXML(definition.replace(">196608<", ">98304<"))
        until("its definition is as declared again", lambda: configured_mib(hand) == 192)

        say("A commit changes it")
        repository.edit("web.yaml", "memory: 192", "memory: 160")
        repository.edit("web.yaml", "The first machine", "The first machine, changed")
        repository.commit("Less memory for web")
        until("the change has arrived", lambda: configured_mib(hand) == 160)
        if image is not None:
            until("the running guest has it too, without a reboot", lambda: live_mib(hand) == 160)

        say("A client of the REST API asks for something, and it becomes a commit")
        with api_of(agent) as client:
            ask(client, repository, "suspend")
            ask(client, repository, "resume")

        say("A commit removes it; its disk stays")
        (repository.folder / "web.yaml").unlink()
        repository.commit("Retire web")
        until("it was the last one: its removal waits for a person's yes", lambda: bool(waits_for(agent)))
        show(f"$ onggi approve {waits_for(agent)}")
        agent.line.ledger.decisions.approve(waits_for(agent))
        until("the machine is gone", lambda: MACHINE.name not in [domain.name() for domain in hand.listAllDomains()])
        disks = [volume.name() for volume in hand.storagePoolLookupByName("demo").listAllVolumes()]
        show(f"volumes that are still there: {', '.join(disks)}")
        assert "demo-web-root.qcow2" in disks
    finally:
        stop.set()
        agent.interrupt()
        loop.join()
        clean_up(hand)
        hand.close()
    say("That was it")


def waits_for(agent: Agent) -> str:
    """The digest that a removal waits for."""
    plan = agent.plan
    return next((item.digest for item in plan.blocked if item.digest), "") if plan is not None else ""


def active(hand: libvirt.virConnect) -> bool:
    return MACHINE.name in [domain.name() for domain in hand.listAllDomains(libvirt.VIR_CONNECT_LIST_DOMAINS_ACTIVE)]


def configured_mib(hand: libvirt.virConnect) -> int:
    from lxml import etree

    domain = etree.fromstring(hand.lookupByName(MACHINE.name).XMLDesc(libvirt.VIR_DOMAIN_XML_INACTIVE))
    return int(domain.findtext("currentMemory") or domain.findtext("memory") or 0) // 1024


def live_mib(hand: libvirt.virConnect) -> int:
    return int(hand.lookupByName(MACHINE.name).info()[2]) // 1024


def clean_up(hand: libvirt.virConnect) -> None:
    """Leave the host as it was found."""
    for domain in hand.listAllDomains():
        if domain.name() == MACHINE.name:
            if domain.isActive():
                domain.destroy()
            domain.undefine()
    for pool in hand.listAllStoragePools():
        if pool.name() == "demo":
            if pool.isActive():
                for volume in pool.listAllVolumes():
                    volume.delete()
                pool.destroy()
                with contextlib.suppress(libvirt.libvirtError):
                    pool.delete()  # the folder; the test driver has none
            pool.undefine()
    for network in hand.listAllNetworks():
        if network.name() == "demo":
            if network.isActive():
                network.destroy()
            network.undefine()


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("connect", nargs="?", default="test:///default", help="libvirt URI (default: %(default)s)")
    uri = parser.parse_args().connect
    logging.basicConfig(level=logging.WARNING, format="    onggi: %(message)s", stream=sys.stdout)
    libvirt.registerErrorHandler(lambda *_: None, None)
    with contextlib.ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="onggi-demo-")))
        image, url = None, ""
        if uri.startswith("qemu"):
            from tests.lab.guest_image import cached_image

            image = cached_image()
            url = stack.enter_context(served(image))
        tell(uri, folder, url, image)


if __name__ == "__main__":
    main()
