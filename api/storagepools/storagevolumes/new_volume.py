"""What a request for a volume asks for: checked, and as the spec of a document."""

from __future__ import annotations

import itertools
import posixpath
import re
from collections.abc import Collection, Iterator
from dataclasses import dataclass, field
from typing import Final
from urllib.parse import unquote, urlsplit

from api.http.refusal import bad
from api.http.schema import Schema, boolean, number, obj, text
from api.storagepools.view import space_of
from reconciler.errors import OnggiError
from reconciler.loop.passes import World
from reconciler.network.addresses import Networks
from reconciler.network.limits import Busy
from reconciler.observed.snapshot import Observed
from reconciler.serving.new_volumes import FORMATS
from reconciler.serving.probe import Probe, probe
from specs.codecs import size_text
from specs.name import name_problem
from specs.plain import Json, NewSpec, Spec
from specs.reference import STORAGE_VOLUME, Ref
from specs.size import MAX_BYTES, MIN_BYTES
from specs.storagepool import KIND as POOLS
from specs.storagepool.types import OF_FILES
from specs.url import url_problem

CREATE: Final[Schema] = obj(
    {
        "name": text("Its name; with `url` that of the file there when it is left out.", x_code="KCHVOL0013E"),
        "capacity": number("What it holds, in bytes.", minimum=1, maximum=MAX_BYTES, x_code="KCHVOL0020E"),
        "allocation": number("Taken, and of no effect: volumes take what is written.", minimum=0, x_code="KCHVOL0014E"),
        "format": text("Image format, with `capacity`. Default: qcow2 in pools of files.", x_code="KCHVOL0015E"),
        "upload": boolean("Whether its contents are going to be uploaded, with `capacity`.", x_code="KCHVOL0025E"),
        "url": text(
            "An http, https, ftp or ftps address of what is downloaded into it.",
            pattern="^(?:https?|ftps?)://",
            maxLength=4096,
            x_code="KCHVOL0021E",
        ),
    },
    closed=False,
    x_code="KCHVOL0018E",
)
_LONGEST_STEM: Final = 100  # of a name that is made up


@dataclass(frozen=True, slots=True)
class NewVolume:
    """`name`, or a later one of `names` when it is taken. `capacity` in bytes, 0 for what a download has."""

    name: str
    spec: Spec
    capacity: int = 0
    upload: bool = False
    others: Iterator[str] = field(default_factory=lambda: iter(()))

    @property
    def names(self) -> Iterator[str]:
        """Where it may go, the best first. To be walked through once."""
        return itertools.chain([self.name], self.others)

    @property
    def small(self) -> bool:
        """True for one that a document can't declare."""
        return 0 < self.capacity < MIN_BYTES


def planned(body: Json, pool: Observed, networks: Networks) -> NewVolume:
    """What is to be made in a pool. Blocks to look at a URL. Raises Refusal 400."""
    if ("capacity" in body) == ("url" in body):
        raise bad("KCHVOL0018E", "A new volume needs either `capacity` or `url`.")
    in_files = str(POOLS.lowered(pool.config).get("type")) in OF_FILES
    if "url" in body:
        return _downloaded(body, pool, networks, in_files=in_files)
    name = str(body.get("name") or "")
    if not name:
        raise bad("KCHVOL0016E", "A new volume with a `capacity` needs a `name`.")
    check_name(name)
    capacity = int(body["capacity"])
    if body.get("upload"):
        return NewVolume(name, {}, capacity, upload=True)
    spec = {"capacity": size_text(capacity)}
    image_format = str(body.get("format") or ("qcow2" if in_files else "raw"))
    if image_format not in FORMATS - {"iso"} or (image_format != "raw" and not in_files):
        known = ", ".join(sorted(FORMATS - {"iso"})) if in_files else "raw"
        raise bad("KCHVOL0015E", f"A new volume in this pool can have the format {known}.")
    return NewVolume(name, {**spec, "format": image_format} if in_files else spec, capacity)


def check_name(name: str) -> None:
    """Raises Refusal 400."""
    if problem := name_problem(name):
        raise bad("KCHVOL0013E", problem)


def names_in(world: World, pool: str) -> frozenset[str]:
    """The names that a pool's volumes have, or are to have."""
    known = itertools.chain(world.snapshot.objects, world.desired.resources, world.desired.held)
    return frozenset(ref.short_name for ref in known if ref.kind == STORAGE_VOLUME and ref.pool == pool)


def clone_names(source: str, taken: Collection[str]) -> Iterator[str]:
    """`disk.qcow2` → `disk-clone-1.qcow2` and on, behind all that are taken."""
    stem, suffix = _parts(source)
    pattern = re.compile(rf"{re.escape(stem)}-clone-(\d{{1,9}}){re.escape(suffix)}")
    numbers = [int(match[1]) for name in taken if (match := pattern.fullmatch(name))]
    return (f"{stem}-clone-{number}{suffix}" for number in itertools.count(max(numbers, default=0) + 1))


def _downloaded(body: Json, pool: Observed, networks: Networks, *, in_files: bool) -> NewVolume:
    url = str(body["url"])
    if body.get("upload"):
        raise bad("KCHVOL0018E", "A volume is either downloaded or uploaded; leave out `url` or `upload`.")
    if problem := url_problem(url):
        raise bad("KCHVOL0021E", problem)
    given = str(body.get("name") or "")
    name = given or posixpath.basename(unquote(urlsplit(url).path))
    if not name:
        raise bad("KCHVOL0016E", "The URL has no file's name at its end; give a `name`.")
    check_name(name)
    offer = _offer(url, networks)
    if offer.length is not None and offer.length > (free := space_of(pool)[2]):
        raise bad(
            "KCHVOL0022E",
            f"{offer.length} bytes are offered, and {pool.ref.name} has room for {free}; make room first.",
        )
    spec: NewSpec = {"source": {"url": url}}
    if in_files and offer.format in FORMATS:
        spec["format"] = offer.format
    return NewVolume(name, spec, others=iter(()) if given else _numbered(name))


def _offer(url: str, networks: Networks) -> Probe:
    try:
        return probe(url, networks)
    except Busy:
        raise
    except OnggiError as error:
        raise bad("KCHVOL0022E", str(error)) from None


def _numbered(name: str) -> Iterator[str]:
    stem, suffix = _parts(name)
    return (f"{stem} ({number}){suffix}" for number in itertools.count(1))


def _parts(name: str) -> tuple[str, str]:
    stem, suffix = posixpath.splitext(name)
    return stem[:_LONGEST_STEM].rstrip(), suffix


def free_refs(pool: str, names: Iterator[str], taken: Collection[str], most: int = 10_000) -> Iterator[Ref]:
    """Those of `names` that no volume of the pool has."""
    return (Ref.volume(pool, name) for name in itertools.islice(names, most) if name not in taken)
