"""Each image that makes QEMU open a file of the host, through each door by which images come in from outside."""

from __future__ import annotations

from pathlib import Path

import pytest

from reconciler.errors import OnggiError, Refused, Terminal
from reconciler.hypervisor.storagevolume.data import judged
from reconciler.hypervisor.storagevolume.images import check_download
from reconciler.network.addresses import Networks
from reconciler.serving.probe import probe
from specs.binding import parse
from specs.storagevolume.header import HEADER_BYTES
from tests.hostile.web_server import WebServer, web_server
from tests.lab.hostile_images import ATTACKS

__all__ = ["web_server"]  # a fixture

EACH = pytest.mark.parametrize("attack", ATTACKS, ids=[name.replace(" ", "-") for name in ATTACKS])
PLAIN = frozenset({"a vmdk's descriptor without its first line", "a vmdk's descriptor below other text"})


@EACH
def test_no_download_is_taken_as_what_qemu_would_fall_for(tmp_path: Path, attack: str) -> None:
    image_format, make = ATTACKS[attack]
    start = make(tmp_path, tmp_path / "x")[:HEADER_BYTES]
    wanted = parse(f"<volume><target><format type='{image_format}'/></target></volume>")
    with pytest.raises(Terminal, match=r"isn't used: .*(?:qemu-img convert|declare `format: raw`)"):
        check_download(start, wanted, "http://192.0.2.1/image")


@EACH
@pytest.mark.parametrize("size", [700, HEADER_BYTES], ids=lambda size: f"{size}-bytes-at-once")
def test_no_upload_of_it_is_taken_whatever_its_pieces(tmp_path: Path, attack: str, size: int) -> None:
    """What looks like plain text is stored as plain bytes, and never opened as anything else."""
    if attack in PLAIN:
        return
    _, make = ATTACKS[attack]
    stored, content = b"", make(tmp_path, tmp_path / "x")[:HEADER_BYTES]
    with pytest.raises(Refused) as refused:  # the piece that completes it is the one
        for at in range(0, len(content), size):
            stored += b"".join(judged(stored, at, iter([content[at : at + size]])))
    assert refused.value.reason == "UnsafeImage"


@EACH
def test_none_is_promised_to_a_client_who_gives_its_url(tmp_path: Path, attack: str, web_server: WebServer) -> None:
    _, make = ATTACKS[attack]
    web_server.files["/image"] = make(tmp_path, tmp_path / "x")
    try:
        offer = probe(web_server.url("/image"), Networks.of(["127.0.0.0/8"]))
    except OnggiError as error:
        assert "qemu-img convert" in str(error)
    else:
        assert attack in PLAIN
        assert offer.format == "raw"
