"""/plugins/kimchi before every address, as later versions of the original have it."""

from __future__ import annotations

from tests.api.live import LiveApi
from tests.api.test_vms import make


def test_a_machine_s_life_goes_by_the_prefix_too(templates: LiveApi) -> None:
    prefix, client = "/plugins/kimchi", templates.client
    assert client.get(f"{prefix}/vms").json() == client.get("/vms").json()
    assert client.get(f"{prefix}/vms/").status_code == 200
    body = {
        "name": "web",
        "template": f"{prefix}/templates/small",
        "storagepool": f"{prefix}/storagepools/default-pool",
    }
    assert templates.task(client.post(f"{prefix}/vms", json=body))["status"] == "finished"
    assert client.post(f"{prefix}/vms/web/start").json()["state"] == "running"
    assert client.post(f"{prefix}/vms/web/poweroff").json()["state"] == "shutoff"
    renamed = client.put(f"{prefix}/vms/web", json={"title": "The shop"})
    assert (renamed.status_code, renamed.json()["title"]) == (200, "The shop")
    cloned = client.post(f"{prefix}/templates/small/clone")
    assert (cloned.status_code, cloned.headers["Location"]) == (303, f"{templates.url}{prefix}/templates/small-clone1")
    assert client.get(cloned.headers["Location"]).json()["name"] == "small-clone1"
    assert client.delete(f"{prefix}/vms/web").status_code == 204


def test_names_are_decoded_once(templates: LiveApi) -> None:
    make(templates, "a%20b")
    assert templates.client.get("/plugins/kimchi/vms/a%2520b").json()["name"] == "a%20b"
    assert templates.client.get("/plugins/kimchi/vms/a%20b").status_code == 404


def test_what_guards_an_address_guards_it_under_both_names(api: LiveApi) -> None:
    for headers, status in (
        ({"Origin": "http://evil.example"}, 403),
        ({"Sec-Fetch-Site": "cross-site"}, 403),
        ({"If-Match": '"stale.stale"'}, 412),
    ):
        for prefix in ("", "/plugins/kimchi"):
            answer = api.client.post(f"{prefix}/networks/default/activate", headers=headers)
            assert answer.status_code == status, (prefix, headers)


def test_what_only_looks_like_it_is_nothing(api: LiveApi) -> None:
    for address in (
        "/plugins/kimchi/plugins/kimchi/vms",
        "/plugins/kimchivms",
        "/plugins/kimchi2/vms",
        "/plugins/kimchi",
    ):
        assert api.client.get(address).status_code == 404, address
    assert isinstance(api.client.get("/plugins").json(), list)
