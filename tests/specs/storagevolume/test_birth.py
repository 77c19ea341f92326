"""How a volume is made: what the fields about that ask of each other, and what libvirt is given."""

from __future__ import annotations

import json
from typing import Any

import pytest

from specs.document import parse
from specs.host import Host
from specs.reference import SECRET, Ref
from specs.storagevolume import KIND
from specs.storagevolume.model import references
from specs.validate import validate
from tests.specs.rendering import lowered, new_xml

HOST = Host(pool_paths={"default": "/srv"})
NEW: Any = {"pool": "default", "capacity": "1GiB"}


def problems(spec: dict[str, Any]) -> list[tuple[str, str]]:
    body = {"apiVersion": "onggi/v1", "kind": KIND.name, "metadata": {"name": "web"}, "spec": spec}
    parsed = parse("web.yaml", json.dumps(body).encode())
    return [(each.pointer, each.message) for document in parsed.documents for each in validate(document)]


@pytest.mark.parametrize(
    ("spec", "pointer", "sentence"),
    [
        ({"format": "raw", "qcow2": {"compat": "1.1"}}, "/qcow2", "no qcow2 image"),
        ({"qcow2": {"lazyRefcounts": True}}, "/qcow2/lazyRefcounts", 'needs `compat: "1.1"`'),
        ({"qcow2": {"clusterSize": "100KiB"}}, "/qcow2/clusterSize", "power of two"),
        ({"qcow2": {"compat": "1.1", "extendedL2": True, "clusterSize": "8KiB"}}, "/qcow2/clusterSize", "16KiB"),
        ({"format": "raw", "preallocation": "metadata"}, "/preallocation", "write `full`"),
        ({"preallocation": "full", "allocation": "1GiB"}, "/allocation", "remove one of the two"),
        ({"preallocation": "full", "backingVolume": "base"}, "/preallocation", "can't be set aside"),
        ({"format": "vdi", "encryption": {"secret": {"usage": "key"}}}, "/encryption", "choose another format"),
        ({"encryption": {"secret": {"usage": "a", "uuid": "1" * 8}}}, "/encryption/secret", "exactly one"),
    ],
)
def test_what_cant_be_asked_for(spec: dict[str, Any], pointer: str, sentence: str) -> None:
    found = problems({**NEW, **spec})
    assert any(where == f"/spec{pointer}" and sentence in said for where, said in found), found


def test_what_is_downloaded_comes_as_it_is() -> None:
    spec = {"pool": "default", "source": {"url": "http://a.example/b.qcow2"}, "preallocation": "full"}
    assert [where for where, _ in problems(spec)] == ["/spec/preallocation"]


def test_an_encrypted_volume_names_its_secret_and_needs_it() -> None:
    spec = {
        **NEW,
        "format": "raw",
        "encryption": {
            "secret": {"usage": "key"},
            "cipher": {"name": "aes", "size": 256},
            "ivgen": {"name": "plain64"},
        },
    }
    concrete = lowered(KIND, spec, name="web", host=HOST)
    xml = " ".join(new_xml(KIND, concrete, name="web", host=HOST).split())
    assert (
        '<encryption format="luks"> <secret type="passphrase" usage="key"/> <cipher name="aes" size="256"/> '
        '<ivgen name="plain64"/> </encryption>'
    ) in xml
    assert Ref(SECRET, "key") in references("web", spec)  # type: ignore[arg-type]
