"""A body of multipart/form-data, with files that are taken in bounds of size and time and never sit in memory.

A file is complete before anybody looks at it: a slow or broken connection holds nothing but a file without a name,
which is gone with this process whatever happens.
"""

from __future__ import annotations

import asyncio
import shutil
import tempfile
from collections.abc import AsyncIterator, Collection, Iterator, Mapping
from contextlib import ExitStack, asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any, Final

import falcon.asgi

from api.http.refusal import Refusal

MAX_FILE: Final = 4 << 30  # one request's
_AROUND: Final = 1 << 20  # what a form may have besides its file
_IN_MEMORY: Final = 1 << 20
_CHUNK: Final = 256 << 10
_SILENCE_S: Final = 60.0
_MOST_PARTS: Final = 32
_AT_ONCE: Final = 32
_PLACE_LEFT: Final = 64 << 20

_under_way = 0


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


def is_form(request: falcon.asgi.Request) -> bool:
    """True when the body says that it is one."""
    return (request.content_type or "").partition(";")[0].strip().lower() == "multipart/form-data"


@asynccontextmanager
async def read_form(
    request: falcon.asgi.Request, files: Collection[str], folder: Path, limit: int = MAX_FILE
) -> AsyncIterator[Form]:
    """The form, until the block ends. `files` are the fields that are files; a large one is kept on `folder`'s disk.

    Raises Refusal: 400, 408, 413, 415 or 503.
    """
    global _under_way
    if not is_form(request):
        raise Refusal(415, "This address takes a body of type multipart/form-data.", "KCHAPI0007E")
    announced = request.content_length or 0
    if announced > limit + _AROUND:
        raise _too_large(limit)
    if _under_way >= _AT_ONCE:
        raise Refusal(503, "Too many files come in at once; send it again soon.")
    _check_room(folder, announced)
    _under_way += 1
    try:
        with ExitStack() as stack:
            yield await _read(request, files, folder, limit, stack)
    finally:
        _under_way -= 1


async def _read(
    request: falcon.asgi.Request, files: Collection[str], folder: Path, limit: int, stack: ExitStack
) -> Form:
    texts: dict[str, str] = {}
    given: dict[str, Given] = {}
    parts = await request.get_media()
    count = 0
    async for part in _in_time(parts):
        count += 1
        if count > _MOST_PARTS:
            raise Refusal(400, f"A form has at most {_MOST_PARTS} parts here.")
        name = part.name or ""
        if name not in files:
            if part.content_type.partition(";")[0].strip().lower() == "text/plain":
                texts[name] = _text(await _patiently(part.get_data()))
        elif name in given:
            raise Refusal(400, f"The form has `{name}` twice; send one file at a time.")
        else:
            file = stack.enter_context(tempfile.SpooledTemporaryFile[bytes](_IN_MEMORY, dir=str(folder)))
            given[name] = Given(part.filename or "", await _fill(file, part.stream, limit), file)
    return Form(texts, given)


def _text(content: bytes) -> str:
    """What a field says. UTF-8 whatever the client calls it: some of Python's codecs take minutes for a megabyte."""
    try:
        return content.decode()
    except UnicodeDecodeError:
        raise Refusal(400, "A text of the form isn't UTF-8.") from None


async def _fill(file: IO[bytes], stream: Any, limit: int) -> int:
    length = 0
    while data := await _patiently(stream.read(_CHUNK)):
        length += len(data)
        if length > limit:
            raise _too_large(limit)
        try:
            await asyncio.to_thread(file.write, data)
        except OSError as error:
            raise Refusal(
                503, f"There is no room for what is sent ({error.strerror}); make room for the agent."
            ) from None
    return length


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


def _check_room(folder: Path, length: int) -> None:
    try:
        free = shutil.disk_usage(folder).free
    except OSError:
        return
    if length > _IN_MEMORY and length + _PLACE_LEFT > free:
        raise Refusal(503, f"The agent's disk has no room for the {length} bytes that are sent; send smaller pieces.")


def _too_large(limit: int) -> Refusal:
    return Refusal(413, f"A file can have at most {limit} bytes here; send it in pieces.")
