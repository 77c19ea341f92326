"""/vms in Kimchi's words: one life of one machine through its fields, actions and filters, and what it can't be."""

from __future__ import annotations

import os
import pwd
import re
from typing import Any

from tests.api.kimchi.differences import VIEWER
from tests.api.kimchi.hosts import Host
from tests.api.kimchi.words import Kimchi
from tests.lab.waiting import until

ME = pwd.getpwuid(os.getuid()).pw_name
ACTIONS = ["clone", "connect", "poweroff", "reset", "resume", "shutdown", "start", "suspend"]


def test_one_life_of_one_machine(small: Kimchi) -> None:
    kimchi = small
    begun = kimchi.task("/vms", {"name": "∨м-црdαtеd", "template": "/templates/small", "persistent": True})
    assert begun["target_uri"].startswith("/vms/")
    vm = "/vms/∨м-црdαtеd"
    made = kimchi.read(vm)
    assert (made["state"], made["memory"], made["cpus"], made["screenshot"]) == ("shutoff", 512, 1, None)
    assert (made["access"], made["persistent"], made["users"], made["groups"]) == ("full", True, [], [])
    assert made["graphics"] == {
        "type": "vnc",
        "listen": "127.0.0.1",
        "port": None,
        "passwd": None,
        "passwdValidTo": None,
    }
    assert made["actions"] == ACTIONS

    changes: list[dict[str, Any]] = [
        {"cpus": 3}, {"memory": 1024}, {"users": [ME], "groups": ["root"]}, {"users": []}, {"groups": []},
    ]  # fmt: skip
    for change in changes:
        assert kimchi.write("PUT", vm, change).items() >= change.items()
        assert kimchi.read(vm).items() >= change.items()
    renamed = kimchi.send("PUT", vm, {"name": "web"})
    assert (renamed.status_code, renamed.headers["Location"]) == (303, f"{kimchi.api.url}/vms/web")
    assert kimchi.send("GET", vm).status_code == 404
    assert kimchi.read("/vms/web")["uuid"] == made["uuid"]

    for action, state in (
        ("start", "running"), ("connect", "running"), ("suspend", "paused"), ("resume", "running"),
        ("reset", "running"), ("poweroff", "shutoff"),
    ):  # fmt: skip
        assert kimchi.write("POST", f"/vms/web/{action}")["state"] == state, action
        assert kimchi.read("/vms/web")["state"] == state, action
        if state == "running":
            assert kimchi.read("/vms/web")["screenshot"] == "/vms/web/screenshot"
            assert kimchi.send("GET", "/vms/web/screenshot").headers["Content-Type"] == "image/png"

    assert kimchi.names("/vms", state="shutoff") == ["web"]
    assert kimchi.names("/vms", state="^run", name="test") == ["test"]
    assert kimchi.names("/vms", name="w") == ["web"]
    assert kimchi.names("/vms", actions="start", persistent="true") == ["test", "web"]
    assert kimchi.names("/vms", bogus="1") == []

    clone = kimchi.task("/vms/web/clone")
    assert clone["target_uri"] == "/vms/web-clone-1/clone"
    copied, web = kimchi.read("/vms/web-clone-1"), kimchi.read("/vms/web")
    assert copied["uuid"] != web["uuid"]
    assert {key: copied[key] for key in ("memory", "cpus", "state")} == {
        key: web[key] for key in ("memory", "cpus", "state")
    }
    assert kimchi.write("POST", "/vms/web-clone-1/start")["state"] == "running"
    kimchi.write("POST", "/vms/web-clone-1/shutdown")  # doesn't wait for the guest
    until(lambda: kimchi.read("/vms/web-clone-1")["state"] == "shutoff", 60, "the guest has shut down")
    assert kimchi.write("POST", "/vms/web/start")["state"] == "running"
    assert kimchi.send("DELETE", "/vms/web").status_code == 204
    assert kimchi.refusal("GET", "/vms/web") == "404 KCHVM0002E"
    assert kimchi.names("/vms") == ["test", "web-clone-1"]


def test_every_documented_error(small: Kimchi) -> None:
    kimchi = small
    kimchi.task("/vms", {"name": "web", "template": "/templates/small"})
    before = kimchi.read("/vms")
    for body, status, code in (
        ({}, 400, "KCHVM0016E"), ({"name": "a/b", "template": "/templates/small"}, 400, "KCHVM0011E"),
        ({"name": "web", "template": "/templates/small"}, 400, "KCHVM0001E"),
        ({"template": "small"}, 400, "KCHVM0012E"), ({"template": "/templates/none"}, 404, "KCHOBJST0001E"),
        ({"template": "/templates/small", "storagepool": "default"}, 400, "KCHVM0013E"),
        ({"template": "/templates/small", "storagepool": "/storagepools/none"}, 400, "KCHTMPL0004E"),
        ({"template": "/templates/small", "graphics": {"type": "rdp"}}, 400, "KCHVM0014E"),
        ({"template": "/templates/small", "graphics": {"listen": "here"}}, 400, "KCHVM0015E"),
    ):  # fmt: skip
        assert kimchi.refusal("POST", "/vms", body) == f"{status} {code}", body
    for body, code in (
        ({"name": 12}, "KCHAPI0008E"), ({"name": ""}, "KCHAPI0008E"), ({"bogus": 1}, "KCHAPI0008E"),
        ({"name": "test"}, "KCHVM0001E"), ({"cpus": -2}, "KCHTMPL0012E"), ({"cpus": "four"}, "KCHTMPL0012E"),
        ({"memory": 100}, "KCHTMPL0013E"), ({"memory": "ten gigas"}, "KCHTMPL0013E"),
        ({"memory": 1024, "users": ["no-such-user"]}, "KCHVM0027E"), ({"groups": ["no-such-group"]}, "KCHVM0028E"),
        ({"graphics": {"passwd": 5}}, "KCHVM0031E"), ({"graphics": {"passwdValidTo": "soon"}}, "KCHVM0032E"),
    ):  # fmt: skip
        assert kimchi.refusal("PUT", "/vms/web", body) == f"400 {code}", body
    for action, code in (
        ("poweroff", "KCHVM0049E"), ("shutdown", "KCHVM0050E"), ("reset", "KCHVM0051E"), ("suspend", "KCHVM0037E"),
        ("resume", "KCHVM0039E"),
    ):  # fmt: skip
        assert kimchi.refusal("POST", f"/vms/web/{action}") == f"400 {code}", action
        assert kimchi.refusal("POST", f"/vms/none/{action}") == "404 KCHVM0002E", action
    assert kimchi.refusal("GET", "/vms/web/screenshot") == "404 KCHVM0004E"
    assert kimchi.send("DELETE", "/vms/none").status_code == kimchi.send("POST", "/vms/web/bogus").status_code == 404
    assert kimchi.send("PUT", "/vms").status_code == kimchi.send("GET", "/vms/web/start").status_code == 405
    assert kimchi.read("/vms") == before

    kimchi.write("POST", "/vms/web/start")
    for method, uri, body, code in (
        ("PUT", "/vms/web", {"name": "other"}, "KCHVM0003E"), ("POST", "/vms/web/start", None, "KCHVM0048E"),
        ("POST", "/vms/web/clone", None, "KCHVM0033E"), ("POST", "/vms/web/resume", None, "KCHVM0039E"),
    ):  # fmt: skip
        assert kimchi.refusal(method, uri, body) == f"400 {code}", uri


def test_the_console_of_a_machine(small: Kimchi) -> None:
    """Its kind is chosen when the machine is made; whoever speaks of it afterwards sets its password."""
    kimchi = small
    for name, given, kind in (
        ("lit", {"type": "spice", "listen": "::1"}, "spice"), ("dark", {"type": None}, None), ("plain", {}, "vnc"),
    ):  # fmt: skip
        kimchi.task("/vms", {"name": name, "template": "/templates/small", "graphics": given})
        graphics = kimchi.read(f"/vms/{name}")["graphics"]
        assert (graphics["type"], graphics["passwd"], graphics["passwdValidTo"]) == (kind, None, None)
    for given, passwd, longest in (
        ({"passwd": "s3cret", "passwdValidTo": 600}, "s3cret", 600), ({"passwd": "0ther"}, "0ther", 30),
        ({"passwdValidTo": 60}, "[A-Za-z0-9]{8}", 60), ({}, "[A-Za-z0-9]{8}", 30),
    ):  # fmt: skip
        told = kimchi.write("PUT", "/vms/lit", {"graphics": given})["graphics"]
        assert re.fullmatch(passwd, told["passwd"]) and told["passwdValidTo"] <= longest
        assert kimchi.read("/vms/lit")["graphics"]["passwd"] == told["passwd"]
    dark = kimchi.write("PUT", "/vms/dark", {"graphics": {"passwd": "s3cret"}})
    assert dark["graphics"]["passwd"] is None, "there is nothing to look at"


def test_one_life_of_a_machine_s_snapshots(small: Kimchi) -> None:
    kimchi, all_of_them = small, "/vms/web/snapshots"
    kimchi.task("/vms", {"name": "web", "template": "/templates/small"})
    assert (kimchi.read(all_of_them), kimchi.read(f"{all_of_them}/current")) == ([], {})
    kimchi.task(all_of_them, {"name": "first"})
    kimchi.write("POST", "/vms/web/start")
    kimchi.task(all_of_them, {"name": "second"})
    kimchi.task(all_of_them)
    by_the_clock = next(name for name in kimchi.names(all_of_them) if name not in ("first", "second"))
    assert by_the_clock.isdecimal()
    told = {each["name"]: (each["parent"], each["state"]) for each in kimchi.read(all_of_them)}
    assert told == {
        "first": ("", "shutoff"), "second": ("first", "running"), by_the_clock: ("second", "running"),
    }  # fmt: skip
    second = kimchi.read(f"{all_of_them}/second")
    assert (second["created"].isdecimal(), second["actions"]) == (True, ["revert"])
    assert kimchi.names(all_of_them, state="shutoff") == ["first"]

    kimchi.write("POST", "/vms/web/poweroff")
    back = kimchi.send("POST", f"{all_of_them}/second/revert")
    assert (back.status_code, back.headers["Location"]) == (303, f"{kimchi.api.url}{all_of_them}/second")
    assert kimchi.read(f"{all_of_them}/current") == kimchi.read(f"{all_of_them}/second")
    assert kimchi.read("/vms/web")["state"] == "running"

    assert kimchi.send("DELETE", f"{all_of_them}/second").status_code == 204
    assert {each["name"]: each["parent"] for each in kimchi.read(all_of_them)} == {"first": "", by_the_clock: "first"}
    for method, rest in (("GET", ""), ("DELETE", ""), ("POST", "/revert")):
        assert kimchi.refusal(method, f"{all_of_them}/second{rest}") == "404 KCHSNAP0003E"
        assert kimchi.refusal(method, f"/vms/none/snapshots/second{rest}") == "404 KCHVM0002E"
    failed = kimchi.api.task(kimchi.send("POST", all_of_them, {"name": "first"}))
    assert (failed["status"], failed["message"].partition(":")[0]) == ("failed", "KCHSNAP0002E")
    assert kimchi.refusal("POST", all_of_them, {"name": "a/b"}) == "400 KCHSNAP0002E"
    assert kimchi.refusal("POST", "/vms/test/snapshots", {}) == "400 KCHSNAP0010E", "its disk is a raw one"


def test_what_later_versions_know_of_a_machine(web: Kimchi, host: Host) -> None:
    kimchi, vm = web, "/vms/web"
    changes: list[dict[str, Any]] = [
        {"title": "The shop", "description": "Two\nlines", "autostart": True},
        {"title": "", "description": "", "autostart": False},
        {"bootorder": ["cdrom", "hd"], "bootmenu": True}, {"bootorder": ["hd"], "bootmenu": False},
        {"memory": 512, "max_memory": 1024},
    ]  # fmt: skip
    for change in changes:
        assert kimchi.write("PUT", vm, change).items() >= change.items()
        assert kimchi.read(vm).items() >= change.items()
    processors = kimchi.write("PUT", vm, {"cpu_info": {"vcpus": 2, "maxvcpus": 4}})
    assert (processors["cpus"], processors["cpu_info"]["maxvcpus"]) == (2, 4)
    kimchi.write("POST", f"{vm}/start")
    viewer = kimchi.send("GET", f"{vm}/virtviewerfile")
    assert (viewer.status_code, viewer.headers["Content-Type"]) == host.expects(VIEWER), viewer.text
    assert kimchi.refusal("GET", "/vms/test/virtviewerfile") == "400 KCHVM0083E"
    assert kimchi.refusal("GET", "/vms/none/virtviewerfile") == "404 KCHVM0002E"
