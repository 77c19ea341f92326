"""Where a new document's file goes, whatever its name is."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from reconciler.writing.placing import path_for
from specs.reference import Ref


@pytest.mark.parametrize(
    ("ref", "neighbours", "path"),
    [
        (Ref("VirtualMachine", "web"), [], "vms/web.yaml"),
        (Ref("VirtualMachine", "web"), ["hosts/a.yaml", "hosts/b.yaml"], "hosts/web.yaml"),
        (Ref("VirtualMachine", "web"), ["hosts/a.yaml", "b.yaml"], "vms/web.yaml"),
        (Ref("VirtualMachine", "web"), ["a.yaml"], "web.yaml"),
        (Ref("Network", "onggi"), ["a.yaml"], "onggi-2.yaml"),
        (Ref.volume("default", "a.img"), ["x/y.yaml"], "volumes/default/a.img.yaml"),
        (Ref("Template", "vm: small"), [], "templates/vm- small.yaml"),
    ],
)
def test_a_file_goes_where_a_person_would_put_it(ref: Ref, neighbours: list[str], path: str) -> None:
    assert path_for(ref, "", neighbours, lambda _: False) == path


def test_it_stays_below_the_sub_path_and_takes_no_others_place() -> None:
    taken = {"a/vms/web.yaml", "a/vms/web-2.yaml"}
    assert path_for(Ref("VirtualMachine", "web"), "a", ["elsewhere/x.yaml"], taken.__contains__) == "a/vms/web-3.yaml"


@given(
    name=st.text(min_size=1, max_size=200), pool=st.text(min_size=1, max_size=50).filter(lambda text: "/" not in text)
)
def test_no_name_leads_out_of_the_folder_or_hides_the_file(name: str, pool: str) -> None:
    for ref, depth in ((Ref("Network", name), 2), (Ref.volume(pool, name), 3)):
        parts = path_for(ref, "", [], lambda _: False).split("/")
        assert len(parts) == depth
        assert not any(part.startswith(".") or part in ("", "..") for part in parts)
        assert all(part.isprintable() and len(part.encode()) <= 255 for part in parts)
