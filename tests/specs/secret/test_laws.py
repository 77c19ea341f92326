"""The laws of every Secret: what is declared, defined and read again agrees, under the name of its document."""

from __future__ import annotations

from typing import Any

import libvirt
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from reconciler.exporting.secret.exporter import secret
from reconciler.hypervisor.secret.driver import DRIVER
from reconciler.observed.snapshot import Observed
from specs.binding import parse
from specs.host import Host
from specs.reference import SECRET, Ref
from specs.secret import KIND
from specs.secret.naming import named
from tests.lab.libvirtd import HostObjects
from tests.specs.rendering import assert_at_rest, lowered, new_xml

HOST = Host()
TEXTS = st.from_regex(r"[A-Za-z0-9 /.\[\]:-]{1,20}", fullmatch=True).map(str.strip).filter(bool)
SPECS = st.fixed_dictionaries(
    {},
    optional={
        "usage": st.fixed_dictionaries(
            {"type": st.sampled_from(["ceph", "tls", "vtpm"])}, optional={"id": TEXTS.map("law {}".format)}
        )
        | TEXTS.map(lambda text: {"type": "iscsi", "id": f"law {text}"})
        | TEXTS.map(lambda text: {"type": "volume", "id": f"/law/{text}"}),
        "description": TEXTS,
        "private": st.booleans(),
        "ephemeral": st.booleans(),
        "valueFrom": st.just({"env": "ONGGI_SECRET_LAW"}),
    },
)
several = settings(deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow])


@settings(several, max_examples=60)
@given(spec=SPECS)
def test_what_is_defined_agrees_and_is_known_by_its_name(
    qemu_connection: libvirt.virConnect, host_objects: HostObjects, spec: dict[str, Any]
) -> None:
    name = host_objects.name("law")
    concrete = lowered(KIND, spec, name=name, host=HOST)
    made = qemu_connection.secretDefineXML(new_xml(KIND, concrete, name=name, host=HOST))
    try:
        xml = made.XMLDesc()
        assert_at_rest(KIND, concrete, xml)
        assert [called for called, _ in named([(parse(xml), made)])] == [name]
        assert DRIVER.look_up(qemu_connection, Ref(SECRET, name)).UUIDString() == made.UUIDString()
        document = secret(Observed(Ref(SECRET, name), made.UUIDString(), xml)).spec
    finally:
        made.undefine()
    again = lowered(KIND, document, name=name, host=HOST)
    made = qemu_connection.secretDefineXML(new_xml(KIND, again, name=name, host=HOST))
    try:
        assert made.XMLDesc() == xml
    finally:
        made.undefine()


def of(uid: int, usage: str = "", description: str = "") -> str:
    kind, _, identifier = usage.partition(" ")
    used = f"<usage type='{kind}'><{ID[kind]}>{identifier}</{ID[kind]}></usage>" if usage else ""
    return (
        f"<secret><uuid>00000000-0000-4000-8000-{uid:012}</uuid><description>{description}</description>{used}</secret>"
    )


ID = {"ceph": "name", "iscsi": "target", "vtpm": "name", "volume": "volume"}


def test_each_has_a_name_of_its_own() -> None:
    found = [
        of(1, "ceph key"),
        of(2, "iscsi key"),
        of(3, "volume /var/web.img"),
        of(4, "volume /var/db.img", "of the database [onggi: db]"),
        of(5, "iscsi onggi-pool"),
        of(6),
        of(7, "vtpm db"),
    ]
    uid = "00000000-0000-4000-8000-{:012}".format
    names = {int(each[-2:]): name for name, each in named((parse(xml), parse(xml).findtext("uuid")) for xml in found)}
    assert names == {1: "key", 2: uid(2), 3: uid(3), 4: "db", 6: uid(6), 7: uid(7)}
