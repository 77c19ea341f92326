"""A committer is no root: a document that names what only root may read or write gets nothing, and holds up nobody."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import libvirt
import pytest
import yaml

from reconciler.line.line import Line
from reconciler.settings.settings import Settings
from specs.reach import console_owner
from specs.reference import Ref
from tests.api.conftest import hand
from tests.api.live import LiveApi, api
from tests.lab.repositories import Repository, git
from tests.lab.waiting import until
from tests.stories.hosts import SHARED

__all__ = ["api", "hand"]

SECURE = libvirt.VIR_DOMAIN_XML_SECURE


def document(kind: str, name: str, **spec: Any) -> str:
    return yaml.safe_dump({"apiVersion": "onggi/v1", "kind": kind, "metadata": {"name": name}, "spec": spec})


def machine(name: str, file: object = None, **spec: Any) -> str:
    graphics = {"graphics": {"type": "vnc", "passwordFrom": {"file": str(file)}}} if file is not None else {}
    return document("VirtualMachine", name, memory=64, **graphics, **spec)


def blocked(line: Line) -> dict[str, str]:
    return {item.ref.name: item.message for item in line.plan().blocked}


def test_a_file_of_the_host_becomes_no_password_and_the_neighbours_go_on(
    repository: Repository, private_test_uri: str, tmp_path: Path
) -> None:
    files = ("/etc/shadow", "/dev/watchdog", "/proc/self/environ", str(tmp_path / "state/onggi.db"), "/nowhere")
    documents = {f"vm{place}.yaml": machine(f"vm{place}", file) for place, file in enumerate(files)}
    repository.commit({**documents, "good.yaml": machine("good")})
    told = Settings(repository=str(repository.path), connect=private_test_uri, state=tmp_path / "state")
    with Line.open(told, exclusive=True) as line:
        line.converge()
        messages = blocked(line)
        assert {ref.name for ref in line.observe().objects} == {"good"}
        answers = {messages[f"vm{place}"].replace(file, "it") for place, file in enumerate(files)}
        assert len(answers) == 1, "whether it is there isn't told"
        assert "allowed-secret-folder" in answers.pop()


def test_what_the_hosts_administrator_forbids_is_made_by_no_commit_and_stays_where_it_is(
    hand: libvirt.virConnect, repository: Repository, tmp_path: Path
) -> None:
    lan, card = (
        "<network><name>lan</name><ip address='10.9.8.1' netmask='255.255.255.0'/></network>",
        [{"network": "lan"}],
    )
    hand.networkDefineXML(lan)
    repository.commit({"web.yaml": document("VirtualMachine", "web", memory=64, interfaces=card)})
    told: dict[str, Any] = {"repository": str(repository.path), "connect": SHARED, "state": tmp_path / "state"}
    with Line.open(Settings(**told), exclusive=True) as line:
        assert line.converge().succeeded
    strict = Settings(**told, forbid=("VirtualMachine.interfaces.network=lan", "StoragePool"))
    repository.commit({
        "new.yaml": document("VirtualMachine", "new", memory=64, interfaces=card),
        "pool.yaml": document("StoragePool", "files", type="dir", path="/var/lib/libvirt/files"),
        "plain.yaml": machine("plain"),
        "web.yaml": document("VirtualMachine", "web", memory=64, interfaces=card, title="The shop"),
    })  # fmt: skip
    with Line.open(strict, exclusive=True) as line:
        line.converge()
        assert {ref.name for ref in line.observe().objects if ref.kind != "Network"} >= {"web", "plain"}
        assert set(blocked(line)) == {"new", "files", "web"}
        assert line.plan().steps == (), "and it is at rest"
        web = hand.lookupByName("web").XMLDesc()
        assert "<source network='lan'" in web and "<title>The shop</title>" in web
    with Line.open(Settings(**told), exclusive=True) as line:
        assert line.converge().succeeded, "once the rules are gone all of it is made"


def test_a_machine_that_had_such_a_password_runs_on_and_is_managed_in_all_else(
    hand: libvirt.virConnect, repository: Repository, tmp_path: Path
) -> None:
    secret, web = tmp_path / "secret", Ref("VirtualMachine", "web")
    secret.write_text("s3cret\n")
    repository.commit({"web.yaml": machine("web", secret)})
    told: dict[str, Any] = {"repository": str(repository.path), "connect": SHARED, "state": tmp_path / "state"}
    with Line.open(Settings(**told, allowed_secret_folders=(str(tmp_path),)), exclusive=True) as line:
        assert line.converge().succeeded
    with Line.open(Settings(**told), exclusive=True) as line:
        assert list(blocked(line)) == ["web"]
        assert line.plan().steps == (), "the running machine isn't changed"
        repository.commit({"web.yaml": machine("web", secret, title="The shop")})
        line.converge()
        changed = line.observe().objects[web]
        assert (changed.state, changed.config["title"], list(blocked(line))) == ("running", "The shop", ["web"])
        assert "passwd='s3cret'" in hand.lookupByName("web").XMLDesc(SECURE), "it keeps the one that it has"
    secret.write_text("0ther\n")
    with Line.open(Settings(**told, allowed_secret_folders=(str(tmp_path),)), exclusive=True) as line:
        assert line.converge().succeeded and blocked(line) == {}
        config = hand.lookupByName("web").XMLDesc(SECURE | libvirt.VIR_DOMAIN_XML_INACTIVE)
        assert "passwd='0ther'" in config, "what waited is put in"


def test_a_machine_sees_no_password_that_was_kept_for_another(
    api: LiveApi, hand: libvirt.virConnect, repository: Repository
) -> None:
    victim = api.client.get("/vms/test").json()["uuid"]
    file = api.serving.secrets.keep(console_owner(victim), "s3cret")
    repository.commit({"thief.yaml": machine("thief"), "twin.yaml": machine("twin", file)}, "Steal")
    api.agent.fetch_now()
    until(lambda: "thief" in [each["name"] for each in api.client.get("/vms").json()], 60, "the neighbour is made")
    assert api.client.get("/vms/twin").status_code == 404, "it isn't made with another's password"

    repository.commit({"thief.yaml": machine("thief", file)}, "Steal once more")
    api.agent.fetch_now()
    thief = Ref("VirtualMachine", "thief")
    until(lambda: str(file) in str(api.serving.world.desired.resources[thief].spec), 60, "the document is read")
    assert api.client.get("/vms/thief").json()["graphics"]["passwd"] is None
    assert "s3cret" not in hand.lookupByName("thief").XMLDesc(SECURE)
    api.client.post("/vms/thief/poweroff")
    answer = api.task(api.client.post("/vms/thief/clone"))
    clone = answer["target_uri"]
    assert "s3cret" not in api.client.get(clone).text, answer


@pytest.mark.parametrize("target", ["/etc/polkit-1/rules.d", "/home/ada/vms", "/data"])
def test_a_pool_is_made_nowhere_but_in_an_allowed_folder(
    repository: Repository, private_test_uri: str, tmp_path: Path, target: str
) -> None:
    allowed = tmp_path / "pools"
    allowed.mkdir()
    (allowed / "link").symlink_to(target)
    (allowed / "up").symlink_to(tmp_path)
    git(tmp_path, "init", "--quiet", "--bare", f"{allowed}/infra.git")
    repository.commit(
        {
            "direct.yaml": document("StoragePool", "direct", type="dir", path=target),
            "linked.yaml": document("StoragePool", "linked", type="dir", path=f"{allowed}/link"),
            "below.yaml": document("StoragePool", "below", type="dir", path=f"{allowed}/up/elsewhere"),
            "bare.yaml": document("StoragePool", "bare", type="dir", path=f"{allowed}/infra.git"),
            "hooks.yaml": document("StoragePool", "hooks", type="dir", path=f"{allowed}/infra.git/hooks"),
            "share.yaml": document(
                "StoragePool", "share", type="netfs", path=f"{tmp_path}/mount", source={"host": "nas", "path": "/vms"}
            ),
            "good.yaml": document("StoragePool", "good", type="dir", path=str(allowed / "good")),
        }
    )
    told = Settings(
        repository=str(repository.path),
        connect=private_test_uri,
        state=tmp_path / "state",
        allowed_pool_folders=(str(allowed),),
    )
    with Line.open(told, exclusive=True) as line:
        line.converge()
        assert {ref.name for ref in line.observe().objects} == {"good"}


def test_a_pool_that_is_there_already_stays_and_is_told(
    hand: libvirt.virConnect, repository: Repository, tmp_path: Path
) -> None:
    place, other, pool = tmp_path / "before", tmp_path / "after", Ref("StoragePool", "p")
    repository.commit({"p.yaml": document("StoragePool", "p", type="dir", path=str(place))})
    told: dict[str, Any] = {"repository": str(repository.path), "connect": SHARED, "state": tmp_path / "state"}
    with Line.open(Settings(**told), exclusive=True) as line:
        assert line.converge().succeeded
    with Line.open(Settings(**told, allowed_pool_folders=("/srv",)), exclusive=True) as line:
        plan = line.plan()
        assert plan.empty and any("stays as it is" in note for note in plan.notes)
        repository.commit({"p.yaml": document("StoragePool", "p", type="dir", path=str(place), autostart=True)})
        line.converge()
        assert line.observe().objects[pool].autostart, "it is managed as before"
        repository.commit({"p.yaml": document("StoragePool", "p", type="dir", path=str(other), autostart=False)})
        line.converge()
        seen = line.observe().objects[pool]
        assert (seen.config["path"], seen.autostart) == (str(place), False), "all but the folder came true"
        assert "allowed-pool-folder" in blocked(line)["p"]
    assert hand.storagePoolLookupByName("p").isActive()
