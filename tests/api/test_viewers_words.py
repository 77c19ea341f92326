"""What a viewer says to a VNC server, in pieces of any size: who only looks touches nothing, and nobody comes alone."""

from __future__ import annotations

import struct
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as some

from api.vms.console.rfb import RfbError, ViewersWords

HELLO = b"RFB 003.008\n\x01"
FORMAT = b"\x00\x00\x00\x00" + bytes(range(16))
ENCODINGS = struct.pack(">BxHii", 2, 2, 0, -239)
NO_ENCODINGS = struct.pack(">BxH", 2, 0)
UPDATE = struct.pack(">BBHHHH", 3, 1, 0, 0, 640, 480)
CONTINUOUS = struct.pack(">BBHHHH", 150, 1, 0, 0, 640, 480)
FENCE = struct.pack(">BxxxIB", 248, 0x80000001, 5) + b"fence"
SHOWN = [FORMAT, ENCODINGS, NO_ENCODINGS, UPDATE, CONTINUOUS, FENCE]

KEY = struct.pack(">BBxxI", 4, 1, 0xFF0D)
POINTER = struct.pack(">BBHH", 5, 1, 3, 4)
CUT = struct.pack(">BxxxI", 6, 5) + b"paste"
LONG_CUT = struct.pack(">BxxxI", 6, 70_000) + bytes(70_000)
EXTENDED_CUT = struct.pack(">Bxxxi", 6, -8) + struct.pack(">I", 1 << 28) + b"more"
POWER = struct.pack(">BxBB", 250, 1, 3)
SIZE = struct.pack(">BxHHBx", 251, 800, 600, 1) + bytes(16)
QEMU_KEY = struct.pack(">BBHII", 255, 0, 1, 0xFF0D, 28)
SOUND = struct.pack(">BBH", 255, 1, 0)
SOUND_FORMAT = struct.pack(">BBHBBI", 255, 1, 2, 3, 2, 44100)
TOUCHED = [KEY, POINTER, CUT, LONG_CUT, EXTENDED_CUT, POWER, SIZE, QEMU_KEY, SOUND, SOUND_FORMAT]


def passed(words: ViewersWords, *pieces: bytes) -> bytes:
    return b"".join(bytes(words.feed(piece)) for piece in pieces)


@given(
    some.lists(some.sampled_from(SHOWN + TOUCHED), max_size=8),
    some.lists(some.integers(min_value=1, max_value=100_000), max_size=12),
    some.sampled_from([b"\x00", b"\x01"]),
)
def test_of_who_only_looks_just_what_shows_goes_on_however_it_is_cut(
    said: list[bytes], cuts: list[int], shared: bytes
) -> None:
    whole = HELLO + shared + b"".join(said)
    places = sorted({0, *(each % (len(whole) + 1) for each in cuts), len(whole)})
    pieces = [whole[one:other] for one, other in pairwise(places)]
    wanted = HELLO + b"\x01" + b"".join(each for each in said if each in SHOWN)
    assert passed(ViewersWords(read_only=True), *pieces) == wanted


def test_byte_by_byte() -> None:
    whole = HELLO + b"\x00" + b"".join(SHOWN + TOUCHED + SHOWN)
    pieces = [bytes([byte]) for byte in whole]
    assert passed(ViewersWords(read_only=True), *pieces) == HELLO + b"\x01" + b"".join(SHOWN * 2)


def test_what_is_no_whole_message_yet_waits_unless_it_is_dropped() -> None:
    words = ViewersWords(read_only=True)
    assert passed(words, HELLO + b"\x00" + FORMAT[:-1]) == HELLO + b"\x01"
    assert passed(words, FORMAT[-1:] + LONG_CUT[:-1]) == FORMAT
    assert passed(words, LONG_CUT[-1:] + UPDATE) == UPDATE


@pytest.mark.parametrize("read_only", [True, False])
def test_a_password_is_proven_to_the_server(read_only: bool) -> None:
    hello = b"RFB 003.008\n\x02" + bytes(range(16))
    assert passed(ViewersWords(read_only=read_only), hello[:5], hello[5:20], hello[20:] + b"\x00") == hello + b"\x01"


def test_an_operators_words_all_go_on_though_nobody_comes_alone() -> None:
    said = b"".join(TOUCHED + SHOWN) + b"\xaanything"
    words = ViewersWords(read_only=False)
    assert passed(words, HELLO + b"\x00" + said[:7], said[7:]) == HELLO + b"\x01" + said


@pytest.mark.parametrize("hello", [b"RFB 003.003\n", b"RFB 004.001\n", b"GET / HTTP/1"])
def test_another_version_ends_the_session(hello: bytes) -> None:
    for read_only in (True, False):
        with pytest.raises(RfbError):
            ViewersWords(read_only=read_only).feed(hello)


@pytest.mark.parametrize(
    "message", [b"\x01" + bytes(5), b"\xc8", b"\xff\x02", struct.pack(">BxxxI", 6, 0x7FFFFFFF)], ids=repr
)
def test_what_is_not_known_ends_a_session_that_only_looks(message: bytes) -> None:
    with pytest.raises(RfbError):
        ViewersWords(read_only=True).feed(HELLO + b"\x01" + message)


def test_another_proof_is_an_operators_and_the_servers_matter() -> None:
    hello = b"RFB 003.008\n\x13"
    with pytest.raises(RfbError):
        ViewersWords(read_only=True).feed(hello)
    assert passed(ViewersWords(read_only=False), hello + b"\x00\x02", b"xyz") == hello + b"\x00\x02xyz"
