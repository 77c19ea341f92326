"""Every sort of StoragePool spec, for laws. What is valid isn't decided here: each one has to pass validation first."""

from __future__ import annotations

from typing import Any

from hypothesis import strategies as st

WORDS = st.from_regex(r"[a-z][a-z0-9_.-]{0,8}[a-z0-9]", fullmatch=True)
SLASHES = st.sampled_from(["/", "/", "//"])
HOSTS = st.sampled_from(["nas.example.org", "192.0.2.7", "san-1"])
IQNS = WORDS.map(lambda word: f"iqn.2024-01.org.example:{word}")
WWNS = st.integers(1 << 60, (1 << 64) - 1).map(lambda number: f"{number:016x}") | st.just("20000000C9831B4B")


@st.composite
def paths(draw: st.DrawFn, root: str = "/srv/onggi-law") -> str:
    """Paths as people write them: with doubled slashes, and one at the end."""
    parts = draw(st.lists(WORDS, min_size=1, max_size=3))
    return root + "".join(draw(SLASHES) + part for part in parts) + draw(st.sampled_from(["", "/"]))


def pool(
    type_: str,
    *,
    needs: dict[str, Any] | None = None,
    may: dict[str, Any] | None = None,
    path: Any = None,
    path_needed: bool = False,
    beside: dict[str, Any] | None = None,
) -> st.SearchStrategy[dict[str, Any]]:
    """Specs of one type: `needs` and `may` are fields of its source."""
    fields: dict[str, Any] = {"type": st.just(type_)}
    optional: dict[str, Any] = {"autostart": st.booleans(), "active": st.booleans(), **(beside or {})}
    if path is not None:
        (fields if path_needed else optional)["path"] = path
    if needs or may:
        source = st.fixed_dictionaries(needs or {}, optional=may or {})
        (fields if needs else optional)["source"] = source
    return st.fixed_dictionaries(fields, optional=optional)


PORTS = st.integers(1, 65535)
MADE_BY = {"vendor": WORDS, "product": WORDS}
REFRESHED = st.fixed_dictionaries({"allocation": st.sampled_from(["default", "capacity"])})
PERMISSIONS = st.fixed_dictionaries(
    {"mode": st.sampled_from(["0711", "755"]), "owner": st.integers(0, 9), "group": st.integers(0, 9)},
    optional={"label": WORDS},
)
MOUNTED = {
    "mountOptions": st.lists(st.sampled_from(["sync", "vers=4.1", "noatime"]), unique=True),
    "permissions": PERMISSIONS,
}
SECRETS = WORDS.map(lambda usage: {"usage": usage}) | st.uuids().map(lambda each: {"uuid": str(each).upper()})
KEY = st.fixed_dictionaries({"username": WORDS, "secret": SECRETS})
AUTH = st.fixed_dictionaries({"username": WORDS, "passwordFrom": st.just({"env": "SAN_PASSWORD"})}) | KEY
MONITORS = st.lists(
    st.fixed_dictionaries({"name": HOSTS}, optional={"port": PORTS}),
    min_size=1,
    max_size=3,
    unique_by=lambda each: each["name"],
)
ADAPTERS = st.fixed_dictionaries(
    {"name": st.sampled_from(["scsi_host2", "host3"])}, optional={"type": st.just("scsi_host")}
) | st.fixed_dictionaries(
    {"type": st.just("fc_host"), "wwnn": WWNS, "wwpn": WWNS}, optional={"parent": st.just("scsi_host5")}
)
DEVICES = st.lists(WORDS.map(lambda word: f"/dev/{word}"), min_size=1, max_size=3, unique=True)
ONE_DEVICE = DEVICES.map(lambda devices: devices[:1])

BY_TYPE = {
    "dir": pool("dir", path=paths(), path_needed=True, beside={"permissions": PERMISSIONS}),
    "kimchi-iso": pool("kimchi-iso", path=paths(), path_needed=True),
    "netfs": pool(
        "netfs",
        needs={"host": HOSTS, "path": paths("/export")},
        may={"port": PORTS, "format": st.sampled_from(["nfs", "cifs", "glusterfs", "auto"]), **MADE_BY},
        path=paths(),
        beside=MOUNTED,
    ),
    "nfs": pool(
        "netfs",
        needs={"host": HOSTS, "path": paths("/export"), "protocolVersion": st.sampled_from(["3", "4.1"])},
        beside=MOUNTED,
    ),
    "fs": pool(
        "fs",
        needs={"devices": ONE_DEVICE},
        may={"format": st.sampled_from(["ext4", "xfs", "auto"])},
        path=paths(),
        path_needed=True,
        beside=MOUNTED,
    ),
    "zfs": pool("zfs", needs={"name": WORDS.map("tank/{}".format)}),
    "mpath": pool("mpath", path=st.just("/dev/mapper")),
    "rbd": pool("rbd", needs={"name": WORDS, "hosts": MONITORS}, may={"auth": KEY}, beside={"refresh": REFRESHED}),
    "gluster": pool("gluster", needs={"host": HOSTS, "name": WORDS}, may={"path": paths("/vms")}),
    "disk": pool("disk", needs={"devices": ONE_DEVICE}, may={"format": st.sampled_from(["gpt", "dos"])}),
    "logical": pool("logical", may={"devices": DEVICES, "format": st.just("lvm2")}, path=WORDS.map("/dev/{}".format)),
    "iscsi": pool(
        "iscsi",
        needs={"host": HOSTS, "target": IQNS},
        may={"port": PORTS, "initiator": IQNS, "auth": AUTH},
        path=st.just("/dev/disk/by-id/"),
    ),
    "iscsi-direct": pool(
        "iscsi-direct",
        needs={"host": HOSTS, "target": IQNS, "initiator": IQNS},
        may={"port": PORTS, "auth": AUTH},
    ),
    "scsi": pool("scsi", needs={"adapter": ADAPTERS}, path=st.just("/dev/disk/by-id")),
}
