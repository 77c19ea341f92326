"""/config and what is below it in Kimchi's words, and /peers and /plugins, which are lists of texts."""

from __future__ import annotations

from tests.api.kimchi.words import Kimchi


def test_the_configuration_and_what_the_host_can_do(kimchi: Kimchi) -> None:
    config = kimchi.read("/config")
    assert config.keys() >= {"display_proxy_port", "version"}
    assert config["actions"] == []
    told = kimchi.read("/config/capabilities")
    for name in ("qemu_spice", "qemu_stream", "system_report_tool", "update_tool"):
        assert isinstance(told[name], bool), name
    assert isinstance(told["libvirt_stream_protocols"], list)
    assert told["screenshot"] in (True, False, None)
    assert told["repo_mngt_tool"] in ("deb", "yum", None)
    assert (told["federation"], told["auth"]) == ("off", told["auth"])


def test_distributions_are_found_by_every_field(kimchi: Kimchi) -> None:
    listed = kimchi.read("/config/distros")
    one = listed[len(listed) // 2]
    assert one.keys() - {"actions"} == {"name", "os_distro", "os_version", "os_arch", "path"}
    assert kimchi.read(f"/config/distros/{one['name']}") == one
    for field in ("name", "os_distro", "os_version", "path"):
        assert one in kimchi.read("/config/distros", **{field: one[field]}), field
    assert kimchi.refusal("GET", "/config/distros/none") == "404 KCHDISTRO0001E"


def test_they_can_only_be_looked_at(kimchi: Kimchi) -> None:
    for uri in ("/config", "/config/capabilities", "/config/distros", "/peers", "/plugins"):
        for method in ("POST", "PUT", "DELETE"):
            assert kimchi.send(method, uri, {}).status_code == 405, uri
