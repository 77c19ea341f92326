"""A libvirtd on another host that lies gets neither this host's files nor its memory, and hides nothing true."""

from __future__ import annotations

import struct
from collections.abc import Iterator
from pathlib import Path

import pytest
from lxml import etree

from reconciler.errors import Disconnected
from reconciler.hypervisor import Hypervisor, found
from reconciler.line.line import Line
from reconciler.settings.settings import Settings
from specs.binding import parse
from tests.hostile.lying_libvirtd import LONGEST, LyingLibvirtd
from tests.lab.repositories import Repository

SECRET = "in a file of this host"


@pytest.fixture
def libvirtd(qemu_system: str) -> Iterator[LyingLibvirtd]:
    lying = LyingLibvirtd()
    yield lying
    lying.close()


def lies(tag: str, secret: Path) -> dict[str, str]:
    """What libvirt never says of an object."""
    whole = f"<{tag}><name>test</name><uuid>6695eb01-f6a4-8304-79aa-97f2502e193f</uuid>%s</{tag}>"
    ladder = "".join(f'<!ENTITY a{step + 1} "{f"&a{step};" * 10}">' for step in range(12))
    return {
        "deep": whole % ("<a>" * 200_000),
        "wide": whole % ("<a/>" * 250_000),
        "long": whole % f"<title>{'x' * (2 << 20)}</title>",
        "longer": whole % f"<title>{'x' * (LONGEST + 1)}</title>",
        "bomb": f'<!DOCTYPE d [<!ENTITY a0 "aaaaaaaaaa">{ladder}]>' + whole % "<title>&a12;</title>",
        "attribute": f"<!DOCTYPE d [<!ENTITY a '{'a' * 9999}'>]>" + whole % f"<t x='{'&a;' * 9999}'/>",
        "file": f'<!DOCTYPE d [<!ENTITY a SYSTEM "{secret.as_uri()}">]>' + whole % "<title>&a;</title>",
        "parameter": f'<!DOCTYPE d [<!ENTITY % a SYSTEM "{secret.as_uri()}">%a;]>' + whole.replace("%s", ""),
        "nothing": "",
        "no XML": "\x00\x01<",
        "another": "<other/>",
        "half": whole[: len(whole) // 2],
    }


def names() -> list[str]:
    return list(lies("x", Path("/x")))


@pytest.mark.parametrize("tag", ["domain", "pool", "network"])
def test_one_lie_costs_that_object_and_no_other(
    libvirtd: LyingLibvirtd, repository: Repository, tmp_path: Path, tag: str
) -> None:
    secret = tmp_path / "secret"
    secret.write_text(SECRET)
    repository.commit({"a.yaml": "apiVersion: onggi/v1\nkind: Network\nmetadata: {name: a}\nspec: {mode: isolated}\n"})
    told = Settings(repository=str(repository.path), connect=libvirtd.uri, state=tmp_path / "state")
    with Line.open(told, exclusive=True) as line:
        kinds = {ref.kind for ref in line.observe().objects}
        for what, lie in lies(tag, secret).items():
            libvirtd.answers = {tag: lie}
            line.hypervisor.close()
            line.hypervisor = Hypervisor.open(libvirtd.uri)
            line._snapshot = None
            snapshot = line.observe()
            seen = [each for each in snapshot.objects.values() if len(each.xml) < found._MOST_OF_ONE]
            assert len(seen) == len(snapshot.objects), f"{what}: nothing of any size is kept"
            assert len(snapshot.objects) + len(snapshot.unseen) >= 3, f"{what}: all of them are told of"
            assert kinds >= {ref.kind for ref in snapshot.objects}
            assert SECRET not in str(line.plan().to_json()), what


def test_a_message_of_a_gigabyte_is_not_read(libvirtd: LyingLibvirtd) -> None:
    libvirtd.garbage = struct.pack(">I", 1 << 30) + bytes(1 << 16)
    hypervisor = Hypervisor.open(libvirtd.uri)
    try:
        with pytest.raises(Disconnected, match="can't be reached"):
            hypervisor.observe(None, None)
    finally:
        hypervisor.close()


@pytest.mark.parametrize("what", names())
def test_no_parser_of_ours_follows_what_xml_can_bring_along(tmp_path: Path, what: str) -> None:
    secret = tmp_path / "secret"
    secret.write_text(SECRET)
    lie = lies("domain", secret)[what]
    if what in ("wide", "long", "another"):  # odd, and harmless
        assert SECRET not in etree.tostring(parse(lie), encoding="unicode")
        return
    with pytest.raises(etree.XMLSyntaxError) as refused:
        parse(lie)
    assert SECRET not in str(refused.value)
