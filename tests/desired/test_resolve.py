"""From documents to desired state."""

from __future__ import annotations

import time
import uuid
from pathlib import Path
from typing import Any

import pytest
import yaml

from reconciler.desired.identity import object_uid
from reconciler.desired.load import Loader
from reconciler.desired.resolve import Resolver
from reconciler.desired.state import Policy
from reconciler.source import files
from reconciler.source.opening import open_source
from specs.reference import Ref
from specs.virtualmachine.lowering import derived_mac
from tests.desired.documents import REPOSITORY, Desired, document, together, tree_of, vm
from tests.source.repositories import WorkTree
from tests.specs.virtualmachine.test_seed import files as files_of

WEB = Ref("VirtualMachine", "web")


def volume(name: str) -> Ref:
    return Ref("StorageVolume", name)


def spec_of(text: str, **options: Any) -> Any:
    state = Desired(**options).of({"a.yaml": text})
    assert state.problems == ()
    return state.resources[WEB].spec


def test_a_templates_fields_are_below_the_machines() -> None:
    small = document("Template", "small", {"cpus": 1, "memory": 512, "networks": ["lan"], "osDistro": "debian"})
    large = document("Template", "large", {"template": "small", "memory": 4096, "disks": [{"size": 8}]})
    web = document("VirtualMachine", "web", {"template": "large", "cpus": 3})
    state = Desired().of({"a.yaml": together(small, large, web)})
    assert state.problems == ()
    assert state.resources[WEB].spec == {
        "osDistro": "debian",
        "memory": 4096,
        "cpus": 3,
        "interfaces": [{"network": "lan"}],
        "disks": [{"name": "disk0", "volume": "default/web-disk0.qcow2"}],
    }
    assert state.resources[volume("default/web-disk0.qcow2")].spec["capacity"] == "8GiB"
    template = state.resources[Ref("Template", "large")]
    assert (template.uid, template.spec["template"]) == ("", "small")


def test_new_disks_become_volumes_of_the_machine() -> None:
    web = vm(
        "web",
        {
            "disks": [
                {"name": "root", "size": "10GiB", "base": "debian.qcow2", "bus": "virtio", "bootOrder": 1},
                {"name": "data", "size": "5GiB", "format": "raw", "pool": "slow"},
                {"name": "old", "volume": "old.qcow2", "pool": "slow"},
                {"name": "shared", "volume": "fast/shared.img"},
            ],
            "cdroms": [{"volume": "a.iso"}, {"name": "empty"}],
            "deletionPolicy": "Delete",
            "driftPolicy": "warn",
        },
        annotations={"onggi/protect": "true", "onggi/adopt": "true"},
    )
    state = Desired().of({"a.yaml": web})
    assert state.problems == ()
    machine = state.resources[WEB]
    assert machine.spec["disks"] == [
        {"name": "root", "bus": "virtio", "bootOrder": 1, "volume": "default/web-root.qcow2"},
        {"name": "data", "volume": "slow/web-data.img"},
        {"name": "old", "volume": "slow/old.qcow2"},
        {"name": "shared", "volume": "fast/shared.img"},
    ]
    assert machine.spec["cdroms"] == [{"volume": "default/a.iso"}, {"name": "empty"}]
    assert machine.policy == Policy("warn", "Delete", (), adopt=True, protect=True)
    assert {volume("default/web-root.qcow2"), volume("slow/web-data.img"), volume("fast/shared.img")} <= set(
        machine.depends_on
    )
    root = state.resources[volume("default/web-root.qcow2")]
    assert root.spec == {
        "pool": "default",
        "format": "qcow2",
        "capacity": "10GiB",
        "backingVolume": "default/debian.qcow2",
    }
    assert (root.parent, root.path, root.policy.deletion, root.has_content) == (WEB, "a.yaml", "Delete", False)
    assert volume("default/debian.qcow2") in root.depends_on
    data = state.resources[volume("slow/web-data.img")]
    assert data.spec == {"pool": "slow", "format": "raw", "capacity": "5GiB"}
    assert set(state.resources) == {WEB, root.ref, data.ref}


def test_a_disk_in_a_declared_block_pool_is_raw() -> None:
    pool = document("StoragePool", "vg", {"type": "logical", "source": {"devices": ["/dev/vdb"]}})
    state = Desired().of({"a.yaml": together(pool, vm("web", {"disks": [{"size": "1GiB", "pool": "vg"}]}))})
    assert state.problems == ()
    assert state.resources[volume("vg/web-disk0")].spec["format"] == "raw"


def test_a_seed_is_a_volume_with_content_in_the_drive_called_seed() -> None:
    web = {"cdroms": [{"name": "cdrom0"}], "cloudInit": {"userData": "#cloud-config\nhostname: web\n", "pool": "seeds"}}
    desired = Desired()
    state = desired.of({"a.yaml": vm("web", web)})
    assert state.problems == ()
    (seed,) = (resource for resource in state.resources.values() if resource.ref.kind == "StorageVolume")
    assert (seed.ref.pool, seed.parent, seed.has_content) == ("seeds", WEB, True)
    assert state.resources[WEB].spec["cdroms"][1:] == [{"name": "seed", "volume": seed.ref.name}]
    assert seed.ref in state.resources[WEB].depends_on
    assert seed.content is not None
    assert seed.content[32769:32774] == b"CD001"
    assert seed.content == seed.content
    web["cloudInit"]["userData"] += "package_update: true\n"  # type: ignore[index]
    changed = desired.of({"a.yaml": vm("web", web)})
    assert seed.ref not in changed.resources


def test_a_seed_says_each_interfaces_address_by_its_mac() -> None:
    fixed: dict[str, Any] = {"network": "lan", "addresses": ["192.168.7.5/24", "FD00::0005/64"]}
    fixed |= {"gateways": ["192.168.7.1", "fe80::1"], "nameservers": ["9.9.9.9"]}
    other = {"bridge": "br0", "mac": "52:54:00:AA:BB:CC", "link": "down"}
    web = {"interfaces": [fixed, other], "cloudInit": {"bus": "sata"}}
    desired = Desired()
    state = desired.of({"a.yaml": vm("web", web)})
    assert state.problems == ()
    (seed,) = (resource for resource in state.resources.values() if resource.ref.kind == "StorageVolume")
    assert state.resources[WEB].spec["cdroms"] == [{"name": "seed", "volume": seed.ref.name, "bus": "sata"}]
    found = yaml.safe_load(files_of(seed.content or b"")["network-config"])
    assert found == {
        "version": 2,
        "ethernets": {
            "eth0": {
                "match": {"macaddress": derived_mac(state.resources[WEB].uid, "lan")},
                "set-name": "eth0",
                "addresses": ["192.168.7.5/24", "fd00::5/64"],
                "routes": [{"to": "0.0.0.0/0", "via": "192.168.7.1"}, {"to": "::/0", "via": "fe80::1"}],
                "nameservers": {"addresses": ["9.9.9.9"]},
            },
            "eth1": {"match": {"macaddress": "52:54:00:aa:bb:cc"}, "set-name": "eth1", "dhcp4": True, "optional": True},
        },
    }
    fixed["addresses"] = ["192.168.7.5/24", "fd00::5/64"]  # the same in another spelling
    assert seed.ref in desired.of({"a.yaml": vm("web", web)}).resources
    fixed["addresses"] = ["192.168.7.6/24", "fd00::5/64"]
    assert seed.ref not in desired.of({"a.yaml": vm("web", web)}).resources


def test_a_file_of_the_system_is_no_medium_whatever_is_allowed() -> None:
    state = Desired(allowed_folders=("/",)).of({"a.yaml": vm("web", {"cdroms": [{"path": "/etc/shadow"}]})})
    assert state.problems[0].pointer == "/spec/cdroms/0/path"
    assert "belongs to the system" in state.problems[0].message


def test_a_path_outside_the_allowed_folders_is_held() -> None:
    inside = {"cdroms": [{"path": "/srv/iso/debian.iso"}]}
    assert spec_of(vm("web", inside), allowed_folders=("/srv/iso/",))["cdroms"] == inside["cdroms"]
    for path in ("/etc/shadow", "/srv/isolated/x.iso", "/srv/iso"):
        state = Desired(allowed_folders=("/srv/iso",)).of({"a.yaml": vm("web", {"cdroms": [{"path": path}]})})
        assert WEB in state.held
        assert WEB not in state.resources
        assert state.problems[0].pointer == "/spec/cdroms/0/path"


@pytest.mark.parametrize(
    ("templates", "sentence"),
    [
        ([], "There is no Template `a`"),
        ([document("Template", "a", {"template": "b"})], "'a' has a mistake of its own"),
        (
            [document("Template", "a", {"template": "b"}), document("Template", "b", {"template": "a"})],
            "'a' has a mistake",
        ),
        ([document("Template", "a", {"template": "a"})], "'a' has a mistake"),
        ([document("Template", "a", {"cpus": "many"})], "'a' has a mistake"),
        ([document("Template", "a", {"template": "b"}), document("Template", "b", {"cpus": "many"})], "'b', which the"),
    ],
)
def test_a_template_that_cant_be_used_holds_its_machines_and_nothing_else(templates: list[str], sentence: str) -> None:
    web = document("VirtualMachine", "web", {"template": "a"})
    state = Desired().of({"a.yaml": together(*templates, web), "b.yaml": vm("other")})
    assert WEB in state.held
    assert any(problem.ref == WEB and sentence in problem.message for problem in state.problems)
    assert Ref("VirtualMachine", "other") in state.resources


def test_a_volume_that_two_ask_for_is_given_to_neither() -> None:
    web = vm("web", {"disks": [{"name": "root", "size": "1GiB"}]})
    declared = document("StorageVolume", "web-root.qcow2", {"pool": "default", "capacity": "2GiB"})
    state = Desired().of({"a.yaml": together(web, declared), "b.yaml": vm("other")})
    assert set(state.resources) == {Ref("VirtualMachine", "other")}
    assert state.held == {WEB, volume("default/web-root.qcow2")}
    assert {problem.ref for problem in state.problems} == state.held
    first = vm("a-b", {"disks": [{"name": "c", "size": "1GiB"}]})
    second = vm("a", {"disks": [{"name": "b-c", "size": "1GiB"}]})
    state = Desired().of({"a.yaml": together(first, second)})
    assert state.resources == {}
    assert volume("default/a-b-c.qcow2") in state.held


def test_a_disk_that_two_machines_would_write_to_is_given_to_neither() -> None:
    shared = document("Template", "t", {"disks": [{"volume": "data.img"}]})
    machines = [document("VirtualMachine", name, {"template": "t"}) for name in ("web", "db")]
    owner = vm("owner", {"disks": [{"name": "root", "size": "1GiB"}]})
    thief = vm("thief", {"disks": [{"volume": "owner-root.qcow2"}]})
    state = Desired().of({"a.yaml": together(shared, *machines, owner, thief), "b.yaml": vm("other")})
    assert set(state.resources) == {Ref("Template", "t"), Ref("VirtualMachine", "other")}
    assert all("two writers destroy it" in problem.message for problem in state.problems)
    reading = {"disks": [{"volume": "data.img", "readOnly": True}]}
    state = Desired().of({"a.yaml": together(vm("web", reading), vm("db", reading))})
    assert (len(state.resources), state.problems) == (2, ())


def test_what_is_wrong_only_together_is_told_at_the_machine() -> None:
    template = document("Template", "t", {"cpus": 4, "cpuTopology": {"sockets": 2, "cores": 2, "threads": 1}})
    state = Desired().of(
        {"a.yaml": together(template, document("VirtualMachine", "web", {"template": "t", "cpus": 8}))}
    )
    assert WEB in state.held
    assert [problem.ref for problem in state.problems] == [WEB]
    raw = vm("web", {"disks": [{"size": "1GiB", "format": "raw", "base": "b.qcow2"}]})
    assert Desired().of({"a.yaml": raw}).problems[0].pointer == "/spec/disks/0/base"


def test_a_single_new_disk_keeps_its_name_wherever_it_stands() -> None:
    state = Desired().of({"a.yaml": vm("web", {"disks": [{"volume": "old.img"}, {"size": "1GiB"}]})})
    assert volume("default/web-disk0.qcow2") in state.resources


def test_two_drives_of_one_machine_with_one_name_are_told() -> None:
    twice = {"disks": [{"name": "root", "size": "1GiB"}, {"name": "root", "size": "2GiB"}]}
    seeds = {
        "cdroms": [{"name": "seed", "url": "https://x.example/a.iso"}],
        "cloudInit": {"userData": "#cloud-config\n"},
    }
    for spec in (twice, seeds):
        state = Desired().of({"a.yaml": vm("web", spec)})
        assert (state.resources, WEB in state.held) == ({}, True)
        assert state.problems


def test_identities_last() -> None:
    uid = "1b9d6bcd-bbfd-4b2d-9b5d-ab8dfbbd4bed"
    state = Desired().of({"a.yaml": together(vm("web"), vm("db", uid=uid))})
    assert state.resources[WEB].uid == object_uid(REPOSITORY, WEB, "") == str(uuid.UUID(state.resources[WEB].uid))
    assert state.resources[Ref("VirtualMachine", "db")].uid == uid
    assert (
        object_uid("another", WEB, "")
        != object_uid(REPOSITORY, WEB, "")
        != object_uid(REPOSITORY, Ref("Network", "web"), "")
    )
    renamed = Desired().of({"x.yaml": vm("db2", uid=uid)})
    assert renamed.resources[Ref("VirtualMachine", "db2")].uid == uid


def test_one_uid_for_two_is_given_to_neither() -> None:
    uid = "1b9d6bcd-bbfd-4b2d-9b5d-ab8dfbbd4bed"
    state = Desired().of({"a.yaml": together(vm("web", uid=uid), vm("db", uid=uid), vm("other"))})
    assert set(state.resources) == {Ref("VirtualMachine", "other")}
    assert state.held == {WEB, Ref("VirtualMachine", "db")}


def test_an_empty_source_prunes_nothing_and_a_broken_repository_file_changes_nothing() -> None:
    assert not Desired().of({}).prunable
    assert not Desired().of({"a.yaml": "{"}).prunable
    assert Desired().of({"a.yaml": vm("web")}).prunable
    broken = (files.special_problem("onggi.yaml"),)
    state = Desired().of({"a.yaml": vm("web")}, broken)
    assert state.resources == {}
    assert state.held == {WEB}
    assert not state.prunable


def test_the_same_object_is_handed_out_until_something_it_is_made_from_changes() -> None:
    small = document("Template", "small", {"cpus": 1, "memory": 512, "disks": [{"size": 1}]})
    templated = document("VirtualMachine", "templated", {"template": "small"})
    desired = Desired()
    first = desired.of({"t.yaml": small, "m.yaml": templated, "web.yaml": vm("web")}).resources
    again = desired.of({"t.yaml": small, "m.yaml": templated, "web.yaml": vm("web", {"cpus": 2})}).resources
    assert {ref for ref in first if first[ref] is not again[ref]} == {WEB}
    commented = {
        "t.yaml": small + "\n# no news",
        "m.yaml": templated + "\n# no news",
        "web.yaml": vm("web", {"cpus": 2}),
    }
    assert all(again[ref] is resource for ref, resource in desired.of(commented).resources.items())
    changed = desired.of(commented | {"t.yaml": small.replace("512", "1024")}).resources
    machine, disk = Ref("VirtualMachine", "templated"), volume("default/templated-disk0.qcow2")
    assert {ref for ref in again if again[ref] is not changed[ref]} == {Ref("Template", "small"), machine}
    assert changed[disk] is first[disk]


def test_digests_say_what_is_asked_for_and_not_where() -> None:
    here = Desired().of({"a.yaml": vm("web")}).resources[WEB]
    there = Desired().of({"b.yaml": "# moved\n\n" + vm("web")}).resources[WEB]
    assert (here.path, there.path) == ("a.yaml", "b.yaml")
    assert here.digest == there.digest
    assert here.digest != Desired().of({"a.yaml": vm("web", {"cpus": 2})}).resources[WEB].digest
    assert (
        here.digest != Desired().of({"a.yaml": vm("web", annotations={"onggi/protect": "true"})}).resources[WEB].digest
    )


def test_the_way_from_a_commit_to_desired_state_is_short(tmp_path: Path) -> None:
    tree = WorkTree(tmp_path / "repo")
    web = {"cpus": 2, "disks": [{"name": "root", "size": "10GiB"}], "interfaces": [{"network": "lan"}]}
    tree.commit({f"d{i}/f{j}.yaml": vm(f"n{i}-{j}", web) for i in range(10) for j in range(100)})
    source = open_source(str(tree.path), state_dir=tmp_path)
    loader, resolver = Loader(), Resolver()
    for step in ("cold", "one changed", "one more", "one more"):
        started = time.perf_counter()
        read = source.read()
        after_read = time.perf_counter()
        loaded = loader.load(read)
        after_load = time.perf_counter()
        state = resolver.resolve(read, loaded, REPOSITORY)
        end = time.perf_counter()
        parts = (after_read - started, after_load - after_read, end - after_load, end - started)
        print(
            f"1000 documents, {step}: read, load, resolve, all:", ", ".join(f"{part * 1e3:.2f}" for part in parts), "ms"
        )
        assert len(state.resources) == 2000
        tree.commit({"d3/f7.yaml": vm("n3-7", web | {"title": step + str(end)})})
    assert state.problems == ()


def test_nothing_read_twice_gives_the_same_state() -> None:
    desired = Desired()
    tree = tree_of({"a.yaml": vm("web")})
    loaded = desired.loader.load(tree)
    state = desired.resolver.resolve(tree, loaded, REPOSITORY)
    assert desired.resolver.resolve(tree, desired.loader.load(tree), REPOSITORY) is state
