"""What is wrong with documents is said in sentences, at the place where it is written, all at once."""

from __future__ import annotations

import json

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from specs.document import Document
from specs.problem import Problem
from specs.reference import Ref
from specs.registry import kinds
from specs.schema_errors import schema_errors
from specs.validate import validate, validate_set
from tests.specs.written import one, read, told, told_of, written


def machine(spec: str) -> dict[str, str]:
    return told_of("VirtualMachine", spec)


def pool(spec: str) -> dict[str, str]:
    return told_of("StoragePool", spec)


def volume(spec: str) -> dict[str, str]:
    return told_of("StorageVolume", spec)


def network(spec: str) -> dict[str, str]:
    return told_of("Network", spec)


class TestEveryDocument:
    def test_has_all_its_mistakes_told_at_once_in_the_order_of_its_lines(self) -> None:
        text = "apiVersion: v1\nkind: VirtualMachine\nmetadata:\n  name: web\n  uid: x\n"
        text += "spec:\n  cpu: 1\n  memory: 2\n  disks:\n    - {size: 1GiB}\n    - {size: 1GiB}\nstatus: {}\n"
        assert [(p.line, p.column, p.pointer) for p in told(text)] == [
            (1, 1, "/apiVersion"),
            (5, 3, "/metadata/uid"),
            (7, 3, "/spec/cpu"),
            (8, 3, "/spec/memory"),
            (10, 7, "/spec/disks/0"),
            (11, 7, "/spec/disks/1"),
            (11, 7, "/spec/disks/1"),
            (12, 1, "/status"),
        ]

    def test_knows_which_document_a_mistake_is_in(self) -> None:
        (problem,) = validate(one(written("Network", "mode: nta", "lab")))
        assert problem.ref == Ref("Network", "lab")
        assert str(problem) == (
            "a.yaml:6:3: `mode` has to be one of nat, isolated, bridge, route, open, private, "
            "vepa, passthrough, hostdev, not `nta`; did you mean `nat`? (at /spec/mode)"
        )

    @pytest.mark.parametrize(
        ("spec", "pointer", "sentence"),
        [
            ("memoryy: 1", "/memoryy", "There is no field `memoryy` here; did you mean `memory`?"),
            ("cpus: '4'", "/cpus", "`cpus` has to be a whole number; write 4 without quotes."),
            ("cpus: 0", "/cpus", "`cpus` has to be at least 1; correct it."),
            ("osVersion: 12", "/osVersion", '`osVersion` has to be text; write it in quotes: "12".'),
            ("autostart: yes", "/autostart", "`autostart` has to be true or false; write true."),
            ("title:", "/title", "`title` has no value; write one, or remove the line."),
            ("disks: {size: 1GiB}", "/disks", "`disks` has to be a list; begin each item with `- `."),
            (
                "graphics: vnc",
                "/graphics",
                "`graphics` has to be a mapping (`key: value`); write its fields indented on the lines below.",
            ),
            (
                "runStrategy: always",
                "/runStrategy",
                "`runStrategy` has to be one of Always, RerunOnFailure, Manual, Halted, not `always`; "
                "did you mean `Always`?",
            ),
            (
                "cpuTopology: {sockets: 1, cores: 1}",
                "/cpuTopology",
                "`threads` is missing; add it (threads of each core).",
            ),
            (
                "ignoreFields: [memory]",
                "/ignoreFields/0",
                "A field is named by a JSON pointer into the spec, such as /memory; correct it.",
            ),
            ("memory: 2", "/memory", "`memory`: 2 would be 2 MiB; write a unit, such as 2GiB."),
        ],
    )
    def test_is_answered_in_sentences_with_a_remedy(self, spec: str, pointer: str, sentence: str) -> None:
        assert machine(spec) == {pointer: sentence}

    def test_needs_a_spec(self) -> None:
        problems = told("apiVersion: onggi/v1\nkind: Network\nmetadata: {name: a}\n")
        assert [problem.message for problem in problems] == ["`spec` is missing; add it (the network)."]
        problems = told("apiVersion: onggi/v1\nkind: Network\nmetadata: {name: a}\nspec:\n")
        assert [problem.message for problem in problems] == ["`spec` has no value; write one, or remove the line."]

    def test_has_switches_that_are_text(self) -> None:
        text = written("VirtualMachine", "").replace(
            "  name: thing", "  name: thing\n  annotations: {onggi/protect: true}"
        )
        assert [problem.message for problem in told(text)] == [
            '`onggi/protect` has to be one of true, false; write "true" in quotes.'
        ]

    @pytest.mark.parametrize(
        "spec",
        [
            "graphics: {passwordFrom: hunter2}",
            "graphics: {passwordFrom: [hunter2]}",
            "graphics: {passwordFrom: {hunter2: x}}",
            "graphics: {passwordFrom: {value: hunter2}}",
            "graphics: {passwordFrom: {file: hunter2}}",
            "graphics: {passwordFrom: {env: 'hunter2 '}}",
            "graphics: {password: hunter2}",
            "cloudInit: {userData: [hunter2]}",
            "cloudInit: {userData: {password: hunter2}}",
            "cloudInit: {networkConfig: {wifi: hunter2}}",
            "cloudInit: hunter2",
        ],
    )
    def test_never_has_its_secrets_shown(self, spec: str) -> None:
        problems = told(written("VirtualMachine", spec))
        assert problems
        assert "hunter2" not in "".join(problem.message for problem in problems)

    def test_never_has_a_large_value_shown(self) -> None:
        for spec in (f"runStrategy: {'x' * 5000}", f"{'x' * 120}: 1", f"memory: {'9' * 18}", f"cpus: {'x' * 5000}"):
            assert all(len(problem.message) < 1000 for problem in told(written("VirtualMachine", spec)))


class TestAMachine:
    @pytest.mark.parametrize("memory", ["512", "16", "2GiB", "512M", "1.5GiB", "2 GiB", "1024MiB"])
    def test_has_memory_in_mib_or_with_a_unit(self, memory: str) -> None:
        assert machine(f"memory: {memory}") == {}

    @pytest.mark.parametrize(
        "memory", ["0", "-1", "'2048'", "1073741824", "lots", "2GB2", "1MiB", "[]", "true", "17TiB"]
    )
    def test_has_no_other_memory(self, memory: str) -> None:
        assert list(machine(f"memory: {memory}")) == ["/memory"]

    @pytest.mark.parametrize("size", ["20GiB", "512M", "10G", "1048576B", "1MiB", "10 GB", "1.5TiB"])
    def test_has_disks_with_a_size(self, size: str) -> None:
        assert machine(f"disks: [{{size: {size}}}]") == {}

    @pytest.mark.parametrize(("size", "meant"), [("10", "10GiB"), ("1073741824", "1GiB"), ("1048577", "1048577B")])
    def test_has_no_disk_whose_unit_would_have_to_be_guessed(self, size: str, meant: str) -> None:
        sentence = f"{size} has no unit: it could be bytes, or GiB as in a template; write one, such as {meant}."
        assert machine(f"disks: [{{size: {size}}}]") == {"/disks/0/size": f"`size`: {sentence}"}

    @pytest.mark.parametrize("size", ["0", "-5", "'10'", "0GiB", "1KiB", "10 apples", "99999999TiB", "null", "[1]"])
    def test_has_no_disk_of_another_size(self, size: str) -> None:
        assert list(machine(f"disks: [{{size: {size}}}]")) == ["/disks/0/size"]

    @pytest.mark.parametrize("disk", ["{}", "{name: a}", "{size: 1GiB, volume: a}"])
    def test_has_disks_that_are_new_or_exist(self, disk: str) -> None:
        assert "write exactly one of them" in machine(f"disks: [{disk}]")["/disks/0"]

    def test_names_its_disks_when_several_are_new(self) -> None:
        assert machine("disks: [{size: 1GiB}]") == {}
        assert machine("disks: [{size: 1GiB}, {volume: a}]") == {}
        assert machine("disks: [{size: 1GiB, name: a}, {size: 1GiB, name: b}]") == {}
        sentence = machine("disks: [{size: 1GiB, name: a}, {size: 1GiB}]")["/disks/1"]
        assert "removing a disk would give its volume to the next" in sentence

    @pytest.mark.parametrize(
        ("spec", "pointer", "words"),
        [
            ("disks: [{size: 1GiB, name: a}, {volume: v, name: a}]", "/disks/1", "Item 1 of `disks` is called `a` too"),
            ("disks: [{size: 1GiB}, {volume: v, name: disk0}]", "/disks/1", "called `disk0` too"),
            ("cdroms: [{}, {name: cdrom0}]", "/cdroms/1", "called `cdrom0` too"),
            ("interfaces: [{network: a}, {network: a}]", "/interfaces/1", "called `a` too"),
            (
                "disks: [{volume: a, target: sda}]\ncdroms: [{target: sda}]",
                "/cdroms/0/target",
                "Item 1 of `disks` is the device sda already",
            ),
            (
                "disks: [{volume: a, bootOrder: 1}]\ninterfaces: [{network: n, bootOrder: 1}]",
                "/interfaces/0/bootOrder",
                "boots at place 1 already",
            ),
            (
                "disks: [{volume: a}, {volume: default/a}]",
                "/disks/1/volume",
                "Item 1 of `disks` is this volume already",
            ),
            ("disks: [{volume: fast/a, pool: slow}]", "/disks/0/pool", "names another pool"),
            ("disks: [{volume: a, base: b}]", "/disks/0", "remove one of the two"),
            (
                "interfaces: [{network: a, mac: '52:54:00:00:00:0A'}, {network: b, mac: '52:54:00:00:00:0a'}]",
                "/interfaces/1/mac",
                "has this MAC address already",
            ),
            ("interfaces: [{network: a, mac: '53:54:00:00:00:01'}]", "/interfaces/0/mac", "the first one even"),
            ("interfaces: [{network: a, bridge: br0}]", "/interfaces/0", "exactly one"),
            ("interfaces: [{bridge: 'br 0'}]", "/interfaces/0/bridge", "at most 15"),
            ("interfaces: [{network: a, model: virtoi}]", "/interfaces/0/model", "did you mean `virtio`?"),
            (
                "cpus: 4\ncpuTopology: {sockets: 1, cores: 2, threads: 1}",
                "/cpuTopology",
                "makes 2 CPUs, but `cpus` is 4",
            ),
            ("cpuTopology: {sockets: 1, cores: 2, threads: 1}", "/cpuTopology", "write `cpus: 2` too"),
            ("cdroms: [{path: images/a.iso}]", "/cdroms/0/path", "A path is absolute"),
            ("cdroms: [{path: /srv/../etc/shadow}]", "/cdroms/0/path", "no `..`"),
            ("cdroms: [{path: /..}]", "/cdroms/0/path", "no `..`"),
            ("cdroms: [{path: /a.iso, url: 'http://x/a.iso'}]", "/cdroms/0", "at most one medium"),
            ("cdroms: [{url: 'file:///etc/shadow'}]", "/cdroms/0/url", "http://"),
            ("cdroms: [{url: 'https://user:secret@x/a.iso'}]", "/cdroms/0/url", "no user name or password"),
            ("cdroms: [{volume: a/b/c}]", "/cdroms/0/volume", "`pool/volume`"),
            ("cdroms: [{volume: ../a}]", "/cdroms/0/volume", "`pool/volume`"),
            ("disks: [{size: 1GiB, pool: ..}]", "/disks/0/pool", "begin with `.`"),
            ("template: a/b", "/template", "the character /"),
            ("graphics: {listen: everywhere}", "/graphics/listen", "IP address"),
            ("graphics: {listen: 1.2.3}", "/graphics/listen", "IP address"),
            ("graphics: {passwordFrom: {}}", "/graphics/passwordFrom", "exactly one of `file`"),
            ("graphics: {passwordFrom: {file: /a, env: B}}", "/graphics/passwordFrom", "exactly one of `file`"),
            ("hostDevices: [{device: ../sda}]", "/hostDevices/0/device", "virsh nodedev-list"),
            ('title: "two\\nlines"', "/title", "one line"),
        ],
    )
    def test_keeps_its_rules(self, spec: str, pointer: str, words: str) -> None:
        found = machine(spec)
        assert list(found) == [pointer]
        assert words in found[pointer]

    def test_may_leave_half_of_its_topology_to_its_template(self) -> None:
        assert machine("template: small\ncpuTopology: {sockets: 1, cores: 2, threads: 1}") == {}

    def test_needs_whatever_it_names(self) -> None:
        document = one(written("VirtualMachine", """
            template: small
            disks:
              - {name: a, size: 1GiB, pool: fast, base: images/debian}
              - {volume: data}
            cdroms: [{volume: images/iso}, {path: /a.iso}]
            interfaces: [{network: lan}, {bridge: br0}]
            cloudInit: {pool: seeds}
        """))  # fmt: skip
        needed = kinds()["VirtualMachine"].references(document.name, document.spec)
        assert {str(ref) for ref in needed} == {
            "Template/small", "StoragePool/fast", "StoragePool/images", "StorageVolume/images/debian",
            "StoragePool/default", "StorageVolume/default/data", "StorageVolume/images/iso", "Network/lan",
            "StoragePool/seeds",
        }  # fmt: skip


class TestATemplate:
    @pytest.mark.parametrize("cdrom", ["/srv/a.iso", "https://x.example/a.iso", "a.iso", "images/a.iso"])
    def test_has_a_medium_of_three_kinds(self, cdrom: str) -> None:
        assert told_of("Template", f"cdrom: {cdrom}") == {}

    @pytest.mark.parametrize("cdrom", ["/srv/../a.iso", "file:///a.iso", "a/b/c", "''", '"a\\nb"', "javascript:x/y/z"])
    def test_has_no_other_medium(self, cdrom: str) -> None:
        assert list(told_of("Template", f"cdrom: {cdrom}")) == ["/cdrom"]

    def test_counts_its_disks_in_gib(self) -> None:
        assert told_of("Template", "disks: [{size: 20}, {volume: a}]") == {}
        assert told_of("Template", "disks: [{size: 20GiB}]") == {}  # as it would be in a machine
        for size in ("0", "1.5", "'20'", "1KiB", "20 apples", "99999999"):
            assert list(told_of("Template", f"disks: [{{size: {size}}}]")) == ["/disks/0/size"], size
        assert list(told_of("Template", "disks: [{size: 1, index: 1}, {size: 1}]")) == ["/disks/1"]


class TestAPool:
    @pytest.mark.parametrize(
        ("spec", "pointer", "words"),
        [
            ("type: dir", "", "needs its `path`"),
            ("type: kimchi-iso", "", "needs its `path`"),
            ("type: netfs", "", "`host` and `path`"),
            ("type: netfs\nsource: {host: a}", "/source", "`host` and `path`"),
            ("type: iscsi\nsource: {host: a}", "/source", "`host` and `target`"),
            ("type: iscsi-direct\nsource: {host: a, target: 'iqn.2024-01.org.example:a'}", "/source", "`initiator`"),
            ("type: scsi\nsource: {}", "/source", "`adapter`"),
            ("type: scsi\nsource: {adapter: {}}", "/source/adapter", "needs its `name`"),
            ("type: scsi\nsource: {adapter: {type: fc_host}}", "/source/adapter", "`wwnn` and `wwpn`"),
            ("type: fs\npath: /srv/a", "", "`devices`"),
            ("type: disk\nsource: {devices: [/dev/a, /dev/b]}", "/source/devices", "has one device"),
            ("type: dirr\npath: /srv/a", "/type", "did you mean `dir`?"),
            ("type: dir\npath: /srv/a\nsource: {host: a}", "/source/host", "no use of `host`"),
            (
                "type: netfs\nsource: {host: a, path: /a, target: 'iqn.2024-01.a:b'}",
                "/source/target",
                "no use of `target`",
            ),
            ("type: iscsi\nsource: {host: a, target: disk0}", "/source/target", "iqn."),
            (
                "type: iscsi\nsource: {host: a, target: 'iqn.2024-01.a:b', auth: {username: u}}",
                "/source/auth",
                "exactly one of `passwordFrom` and `secret`",
            ),
            ("type: dir\npath: srv", "/path", "absolute"),
            ("type: dir\npath: /srv/../etc", "/path", "no `..`"),
        ],
    )
    def test_keeps_its_rules(self, spec: str, pointer: str, words: str) -> None:
        found = pool(spec)
        assert list(found) == [pointer]
        assert words in found[pointer]

    @pytest.mark.parametrize(
        "path",
        [
            "/",
            "//",
            "/etc",
            "/etc/",
            "//etc",
            "/./etc",
            "/etc/.",
            "/etc/onggi",
            "/usr",
            "/boot",
            "/proc/1",
            "/sys",
            "/dev",
            "/bin",
            "/lib",
            "/root",
            "/run",
            "/var",
            "/var/lib/libvirt",
            "/dev/shm",
        ],
    )
    def test_is_never_a_folder_of_the_system(self, path: str) -> None:
        assert list(pool(f"type: dir\npath: {path}")) == ["/path"]

    @pytest.mark.parametrize(
        "path", ["/var/lib/libvirt/images", "/srv", "/home/vms", "/mnt/a b", "/.pool", "/var/tmp/x"]
    )
    def test_is_any_other_folder(self, path: str) -> None:
        assert pool(f"type: dir\npath: {path}") == {}

    def test_of_block_devices_may_appear_below_dev(self) -> None:
        assert pool("type: logical\npath: /dev/vg\nsource: {devices: [/dev/sdb]}") == {}
        assert pool("type: logical") == {}, "an existing volume group"


class TestAVolume:
    @pytest.mark.parametrize(
        ("spec", "pointer", "words"),
        [
            ("pool: a", "", "needs a `capacity`"),
            ("pool: a\ncapacity: 10", "/capacity", "write one, such as 10GiB"),
            ("pool: a\ncapacity: 0GiB", "/capacity", "at least 1MiB"),
            ("pool: a\nsource: {url: 'ssh://x/y'}", "/source/url", "http://"),
            ("pool: a\nsource: {url: 'http://x/y', sha256: abc}", "/source/sha256", "64 hexadecimal digits"),
            ("pool: a\nsource: {url: 'http://x/y'}\nbackingVolume: b", "", "remove one of the two"),
            ("pool: a\ncapacity: 1GiB\nformat: raw\nbackingVolume: b", "/format", "qcow2"),
            ("pool: a\ncapacity: 1GiB\nbackingVolume: thing", "/backingVolume", "its own"),
        ],
    )
    def test_keeps_its_rules(self, spec: str, pointer: str, words: str) -> None:
        found = volume(spec)
        assert list(found) == [pointer]
        assert words in found[pointer]

    def test_needs_its_pool_and_what_it_starts_from(self) -> None:
        document = one(written("StorageVolume", "pool: a\ncapacity: 1GiB\nbackingVolume: b/c"))
        needed = kinds()["StorageVolume"].references(document.name, document.spec)
        assert [str(ref) for ref in needed] == ["StoragePool/a", "StoragePool/b", "StorageVolume/b/c"]


class TestANetwork:
    @pytest.mark.parametrize(
        ("spec", "pointer", "words"),
        [
            ("{}", "", "`mode` is missing"),
            ("mode: bridge", "", "exactly one"),
            ("mode: bridge\nbridge: br0\ninterface: eth0", "", "exactly one"),
            ("mode: bridge\nbridge: br0\nvlan: 3", "", "`vlan` is the tag on an `interface`"),
            ("mode: bridge\nbridge: br0\nsubnet: 10.0.0.0/24", "", "has no `subnet`"),
            ("mode: nat\nbridge: br0", "", "`bridge` is for mode bridge"),
            ("mode: isolated\ninterface: eth0", "", "`interface` is for mode bridge"),
            ("mode: bridge\ninterface: eth0\nvlan: 4095", "/vlan", "at most 4094"),
            ("mode: nat\nsubnet: 10.0.0.0", "/subnet", "192.168.150.0/24"),
            ("mode: nat\nsubnet: 10.0.0.300/24", "/subnet", "isn't an IPv4 subnet"),
            ("mode: nat\nsubnet: 10.0.0.0/30", "/subnet", "/29"),
            ("mode: nat\nsubnet: 10.0.0.1/24", "/subnet", "write the subnet itself: 10.0.0.0/24"),
            ("mode: nat\nsubnet: 127.0.0.0/24", "/subnet", "private"),
            ("mode: nat\nsubnet: 224.0.0.0/24", "/subnet", "private"),
            ("mode: nat\ndhcp: {start: 10.0.0.2, end: 10.0.0.9}", "/dhcp", "need a `subnet`"),
            ("mode: nat\nsubnet: 10.0.0.0/24\ndhcp: {start: 10.0.0.2}", "/dhcp", "write both"),
            (
                "mode: nat\nsubnet: 10.0.0.0/24\ndhcp: {start: 10.0.0.9, end: 10.0.0.2}",
                "/dhcp/end",
                "ends before it starts",
            ),
            (
                "mode: nat\nsubnet: 10.0.0.0/24\ndhcp: {start: 10.0.1.2, end: 10.0.0.9}",
                "/dhcp/start",
                "isn't in the subnet",
            ),
            ("mode: nat\nsubnet: 10.0.0.0/24\ndhcp: {start: 10.0.0.1, end: 10.0.0.9}", "/dhcp/start", "gateway"),
            (
                "mode: nat\nsubnet: 10.0.0.0/24\ndhcp: {start: 10.0.0.5, end: 10.0.0.255}",
                "/dhcp/end",
                "the subnet's own",
            ),
            (
                "mode: nat\nsubnet: 10.0.0.0/24\ndhcp: {enabled: false, start: 10.0.0.5, end: 10.0.0.9}",
                "/dhcp/enabled",
                "switched off",
            ),
            (
                "mode: nat\nsubnet: 10.0.0.0/24\ndhcp: {hosts: [{mac: '52:54:00:00:00:01', ip: 10.1.0.5}]}",
                "/dhcp/hosts/0/ip",
                "isn't in the subnet",
            ),
            (
                "mode: nat\nsubnet: 10.0.0.0/24\ndhcp: {hosts: [{mac: '52:54:00:00:00:01', ip: 10.0.0.5}, "
                "{mac: '52:54:00:00:00:02', ip: 10.0.0.5}]}",
                "/dhcp/hosts/1/ip",
                "the same `ip`",
            ),
            ("mode: nat\ndns: {hosts: [{ip: '1.2', hostnames: [a]}]}", "/dns/hosts/0/ip", "IP address"),
            ("mode: nat\ndns: {hosts: [{ip: 1.2.3.4, hostnames: []}]}", "/dns/hosts/0/hostnames", "can't be empty"),
            ("mode: nat\ndns: {forwarders: [dns.example]}", "/dns/forwarders/0", "IP address"),
            ("mode: nat\ndomain: 'a b'", "/domain", "host name"),
        ],
    )
    def test_keeps_its_rules(self, spec: str, pointer: str, words: str) -> None:
        found = network(spec)
        assert list(found) == [pointer]
        assert words in found[pointer]


def documents(*texts: str) -> list[Document]:
    """Good documents, one file each."""
    found = [document for index, text in enumerate(texts) for document in read(text, f"{index}.yaml").documents]
    assert [problem for document in found for problem in validate(document)] == []
    return found


def by_path(problems: list[Problem]) -> dict[str, str]:
    return {problem.path: problem.message for problem in problems}


class TestDocumentsTogether:
    def test_have_different_names(self) -> None:
        found = by_path(validate_set(documents(*[written("Network", "mode: nat", "lan")] * 2)))
        assert found == {
            "0.yaml": "Network/lan is declared more than once, also at 1.yaml:1; rename or remove one.",
            "1.yaml": "Network/lan is declared more than once, also at 0.yaml:1; rename or remove one.",
        }

    def test_may_share_a_name_across_kinds_and_pools(self) -> None:
        texts = [written("Network", "mode: nat"), written("VirtualMachine", "")]
        texts += [written("StorageVolume", f"pool: {pool}\ncapacity: 1GiB") for pool in ("a", "b")]
        assert validate_set(documents(*texts)) == []

    def test_have_different_uids(self) -> None:
        uid = "1c0b3c4e-7a0b-4a35-8d0d-0d9f6c0f3c30"
        texts = [written("Network", "mode: nat", f"n{i}\n  uid: {u}") for i, u in enumerate([uid, uid.upper()])]
        found = validate_set(documents(*texts))
        assert [(p.path, p.line, p.pointer) for p in found] == [
            ("0.yaml", 5, "/metadata/uid"),
            ("1.yaml", 5, "/metadata/uid"),
        ]
        assert "also at 1.yaml:1" in found[0].message

    def test_name_templates_that_exist(self) -> None:
        found = validate_set(documents(written("VirtualMachine", "template: smal")))
        assert [(p.pointer, p.message) for p in found] == [
            ("/spec/template", "There is no Template `smal`; add its document, or correct the name.")
        ]

    def test_may_name_pools_volumes_and_networks_of_the_host(self) -> None:
        spec = "disks: [{volume: there/already}]\ninterfaces: [{network: default}]"
        assert validate_set(documents(written("VirtualMachine", spec))) == []

    def test_have_no_templates_in_a_circle(self) -> None:
        texts = [written("Template", f"template: {parent}", name) for name, parent in ("ab", "bc", "ca", "da", "ee")]
        found = by_path(validate_set(documents(*texts)))
        assert sorted(found) == ["0.yaml", "1.yaml", "2.yaml", "4.yaml"], "d leads into the circle and isn't part of it"
        assert "a → b → c → a" in found["0.yaml"]
        assert "e → e" in found["4.yaml"]

    def test_do_not_write_to_one_volume(self) -> None:
        texts = [
            written("VirtualMachine", f"disks: [{disk}]", f"vm{i}")
            for i, disk in enumerate(["{volume: a}", "{volume: default/a, readOnly: true}"])
        ]
        found = validate_set(documents(*texts))
        assert [p.pointer for p in found] == ["/spec/disks/0/volume"] * 2
        assert "two writers destroy it" in found[0].message
        texts = [written("VirtualMachine", "disks: [{volume: a, readOnly: true}]", name) for name in "ab"]
        assert validate_set(documents(*texts)) == []

    def test_do_not_share_a_mac_address(self) -> None:
        texts = [
            written("VirtualMachine", f"interfaces: [{{network: n, mac: '52:54:00:00:00:{end}'}}]", end)
            for end in ("aa", "AA", "bb")
        ]
        found = by_path(validate_set(documents(*texts)))
        assert sorted(found) == ["0.yaml", "1.yaml"]
        assert "52:54:00:00:00:aa is used at 1.yaml:1 too" in found["0.yaml"]

    def test_do_not_run_two_networks_on_one_subnet(self) -> None:
        subnets = ("10.1.0.0/24", "10.1.0.0/16", "10.2.0.0/24", "10.1.0.0/24\nactive: false", "10.1.7.0/24")
        texts = [written("Network", f"mode: isolated\nsubnet: {each}", f"n{i}") for i, each in enumerate(subnets)]
        problems = validate_set(documents(*texts))
        assert {(p.path, p.line, p.pointer) for p in problems} == {
            (path, 7, "/spec/subnet") for path in ("0.yaml", "1.yaml", "4.yaml")
        }
        found = by_path(problems)
        assert "overlaps that of Network/n1 at 1.yaml:1" in found["0.yaml"]
        assert "Network/n0 at 0.yaml:1, Network/n4 at 4.yaml:1" in found["1.yaml"]
        assert "write `active: false` in all but one" in found["4.yaml"]

    def test_of_one_name_and_one_subnet_are_told_both(self) -> None:
        texts = [written("Network", "mode: nat\nsubnet: 10.1.0.0/24", "lan")] * 2
        assert {p.pointer for p in validate_set(documents(*texts))} == {"/metadata/name", "/spec/subnet"}

    def test_may_be_many_networks_on_one_subnet_and_are_told_in_a_line_each(self) -> None:
        texts = [written("Network", "mode: nat\nsubnet: 10.0.0.0/8", "wide")]
        texts += [written("Network", f"mode: nat\nsubnet: 10.1.{i}.0/24", f"n{i}") for i in range(200)]
        problems = validate_set(documents(*texts))
        assert len(problems) == 201
        assert max(len(problem.message) for problem in problems) < 400

    def test_do_not_put_two_pools_into_one_folder(self) -> None:
        paths = ("/srv/a", "/srv//a/", "/srv/b")
        texts = [written("StoragePool", f"type: dir\npath: {path}", f"p{i}") for i, path in enumerate(paths)]
        found = by_path(validate_set(documents(*texts)))
        assert sorted(found) == ["0.yaml", "1.yaml"]
        assert "/srv/a is the folder of another pool too, at 1.yaml:1" in found["0.yaml"]


_VALUES = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**62), 2**62) | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=10), inner, max_size=4),
    max_leaves=10,
)


@st.composite
def bodies(draw: st.DrawFn) -> tuple[str, dict[str, object]]:
    """A document with known fields that have any values at all."""
    kind = draw(st.sampled_from(sorted(kinds())))
    fields = kinds()[kind].schema["properties"]["spec"]["properties"]
    spec = draw(st.dictionaries(st.sampled_from(sorted(fields)), _VALUES, max_size=6))
    for name, items in (
        ("disks", "size"),
        ("cdroms", "path"),
        ("interfaces", "network"),
        ("dhcp", "start"),
        ("source", "host"),
    ):
        if name in fields and draw(st.booleans()):
            item = draw(st.dictionaries(st.sampled_from([items, "name", "volume", "mac", "pool"]), _VALUES, max_size=3))
            spec[name] = item if name in ("dhcp", "source") else [item]
    return kind, {"apiVersion": "onggi/v1", "kind": kind, "metadata": {"name": "x"}, "spec": spec}


@settings(max_examples=300, deadline=2000)
@given(bodies())
def test_any_values_of_any_fields_are_answered_without_an_exception(drawn: tuple[str, dict[str, object]]) -> None:
    kind, body = drawn
    problems = told(json.dumps(body))  # JSON is YAML, and escapes whatever a file can't hold
    assert all(problem.message and "\n" not in problem.message for problem in problems)
    if list(schema_errors(kinds()[kind], body)):
        assert problems
