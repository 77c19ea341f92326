"""A body of multipart/form-data, with files that are taken in bounds of size and time and never sit in memory.

A file is asked for before its first byte is stored: whether it is wanted, and how long it may be. It is complete before
anybody looks into it: a slow or broken connection holds nothing but a file without a name, which is gone with this
process whatever happens. All that is on its way at once has to fit on the disk.
"""

from __future__ import annotations

import asyncio
import shutil
import tempfile
from collections.abc import AsyncIterator, Awaitable, Callable, Collection, Iterator, Mapping
from contextlib import ExitStack, asynccontextmanager, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any, Final

import falcon.asgi

from api.http.refusal import Refusal
from reconciler.errors import Refused
from reconciler.serving.reservations import Reservation, Reservations

MAX_FILE: Final = 4 << 30  # one request's
AROUND: Final = 1 << 20  # what a form may have besides its file
_IN_MEMORY: Final = 1 << 20
_CHUNK: Final = 256 << 10
_SILENCE_S: Final = 60.0
_MOST_PARTS: Final = 32
_AT_ONCE: Final = 32
_PLACE_LEFT: Final = 64 << 20

_under_way = 0
_room = Reservations()


@dataclass(frozen=True, slots=True)
class Given:
    """A file of a form: its name there, its length in bytes, and what to read it from once."""

    name: str
    length: int
    file: IO[bytes]

    def chunks(self) -> Iterator[bytes]:
        """All of it, from the beginning."""
        self.file.seek(0)
        return iter(lambda: self.file.read(_CHUNK), b"")


@dataclass(frozen=True, slots=True)
class Form:
    """The texts and the files of a form by their fields."""

    texts: Mapping[str, str]
    files: Mapping[str, Given]


@dataclass(frozen=True, slots=True)
class Wanted:
    """A file is taken that has at most `most` bytes; a longer one is refused with `otherwise`."""

    most: int
    otherwise: Refusal


# Whether a file is wanted, by its name in the form and the texts before it. Raises whatever the answer is to be if not.
Asked = Callable[[str, Mapping[str, str]], Awaitable[Wanted]]


def is_form(request: falcon.asgi.Request) -> bool:
    """True when the body says that it is one."""
    return (request.content_type or "").partition(";")[0].strip().lower() == "multipart/form-data"


@asynccontextmanager
async def read_form(
    request: falcon.asgi.Request, files: Collection[str], folder: Path, ask: Asked, limit: int = MAX_FILE
) -> AsyncIterator[Form]:
    """The form, until the block ends. `files` are the fields that are files; a large one is kept on `folder`'s disk.
    `ask` is asked before one is read.

    Raises Refusal: 400, 408, 413, 415 or 503, and whatever `ask` does.
    """
    global _under_way
    if not is_form(request):
        raise Refusal(415, "This address takes a body of type multipart/form-data.", "KCHAPI0007E")
    announced = request.content_length or 0
    if announced > limit + AROUND:
        raise _too_large(limit)
    if _under_way >= _AT_ONCE:
        raise Refusal(503, "Too many files come in at once; send it again soon.")
    _under_way += 1
    try:
        with ExitStack() as stack:
            spool = _Spool(folder, announced, limit, stack)
            yield await _read(request, files, ask, spool)
    finally:
        _under_way -= 1


class _Spool:
    """Where the files of one request are kept, and how much room they may take."""

    def __init__(self, folder: Path, announced: int, limit: int, stack: ExitStack) -> None:
        self.announced = announced
        self._folder = folder
        self._limit = limit
        self._stack = stack

    async def keep(self, stream: Any, wanted: Wanted) -> tuple[IO[bytes], int]:
        """The file that comes, and its length. Raises Refusal."""
        if self.announced - AROUND > wanted.most:
            raise wanted.otherwise
        most, refusal = min(
            (self._limit, _too_large(self._limit)), (wanted.most, wanted.otherwise), key=lambda it: it[0]
        )
        file = self._stack.enter_context(tempfile.SpooledTemporaryFile[bytes](_IN_MEMORY, dir=str(self._folder)))
        length = counted = 0
        with _in_the_folders_room(self._folder):
            promise = self._promised(self.announced) if self.announced > _IN_MEMORY else None
            while data := await _patiently(stream.read(_CHUNK)):
                length += len(data)
                if length > most:
                    raise refusal
                if length > _IN_MEMORY:  # it goes to the disk from here on
                    promise = promise or self._promised(length)
                    promise.came(length - counted)
                    counted = length
                await asyncio.to_thread(file.write, data)
        return file, length

    def _promised(self, length: int) -> Reservation:
        folder = self._folder
        promise = _room.reserve(folder, length, lambda: _free(folder), "The agent's disk")
        self._stack.callback(promise.close)
        return promise


@contextmanager
def _in_the_folders_room(folder: Path) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        reason = f"There is no room for what is sent ({error.strerror}); make room in {folder}, or send smaller pieces."
        raise Refusal(503, reason) from None
    except Refused as error:
        raise Refusal(503, str(error)) from None


async def _read(request: falcon.asgi.Request, files: Collection[str], ask: Asked, spool: _Spool) -> Form:
    texts: dict[str, str] = {}
    given: dict[str, Given] = {}
    parts = await request.get_media()
    count = 0
    async for part in _in_time(parts):
        count += 1
        if count > _MOST_PARTS:
            raise Refusal(400, f"A form has at most {_MOST_PARTS} parts here.")
        name, file_name, kind = _told_of(part)
        if name not in files:
            if kind == "text/plain":
                texts[name] = _text(await _patiently(part.get_data()))
        elif name in given:
            raise Refusal(400, f"The form has `{name}` twice; send one file at a time.")
        else:
            file, length = await spool.keep(part.stream, await ask(file_name, texts))
            given[name] = Given(file_name, length, file)
    return Form(texts, given)


def _told_of(part: Any) -> tuple[str, str, str]:
    """The field, the file's name and the type that a part's headers tell."""
    try:
        return part.name or "", part.filename or "", part.content_type.partition(";")[0].strip().lower()
    except UnicodeDecodeError:
        raise Refusal(400, "The headers of a part of the form aren't UTF-8; write its names so.") from None


def _text(content: bytes) -> str:
    """What a field says. UTF-8 whatever the client calls it: some of Python's codecs take minutes for a megabyte."""
    try:
        return content.decode()
    except UnicodeDecodeError:
        raise Refusal(400, "A text of the form isn't UTF-8.") from None


async def _in_time(parts: Any) -> AsyncIterator[Any]:
    iterator = aiter(parts)
    while True:
        try:
            part = await _patiently(anext(iterator))
        except StopAsyncIteration:
            return
        yield part


async def _patiently(answer: Any) -> Any:
    try:
        async with asyncio.timeout(_SILENCE_S):
            return await answer
    except TimeoutError:
        raise Refusal(408, f"Nothing came for {_SILENCE_S:g} s; check the connection and send it again.") from None


def _free(folder: Path) -> int | None:
    try:
        return shutil.disk_usage(folder).free - _PLACE_LEFT
    except OSError:
        return None


def _too_large(limit: int) -> Refusal:
    return Refusal(413, f"A file can have at most {limit} bytes here; send it in pieces.")
