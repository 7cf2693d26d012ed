"""What a load had read when it was killed, on disk, for the next one to go on from.

They are records of patients: in folders of the owner only, named by hashes, and gone as soon as the partition has been
read whole or, once they are too old, with the next reading of anything and the next tick of a tracker's sensor.
"""

from __future__ import annotations

import hashlib
import logging
import shutil
import time
from collections.abc import Iterator, Sequence
from contextlib import suppress
from datetime import datetime
from pathlib import Path

import msgspec

from hic_assets.extract.dhis2.tracker.slices import TrackerSlice

log = logging.getLogger(__name__)

KEEP_SECONDS = 6 * 3600.0
"""Beyond this, slices read then and now are no longer one reading."""
_ABOUT, _BODY, _STATS, _PARTS = "about.json", ".body", ".stats", ".parts"
_SLICES = msgspec.json.Decoder(list[TrackerSlice])


class About(msgspec.Struct):
    """What a reading was: `began` by our clock (seconds), `read_at` by the server's."""

    began: float
    read_at: datetime
    slices: list[TrackerSlice]


class Stats(msgspec.Struct):
    """What a body cost when it was read, and how many rows a page were asked for."""

    url: str
    bytes: int
    seconds: float
    attempts: int
    page_rows: int


class Kept:
    """The bodies of one question to one server. `identity` tells it from every other; none of it is readable later.

    `about`: of the reading to go on with; None when there is none younger than KEEP_SECONDS.
    """

    def __init__(self, folder: Path, identity: Sequence[str]) -> None:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        self._folder = folder / _hash("\n".join(identity).encode())
        forget_old(folder)
        self.about = self._read_about()
        if self.about is None:
            self.done()

    def begin(self, slices: Sequence[TrackerSlice], read_at: datetime) -> None:
        """A reading begins: its plan, so that one that goes on asks for the same slices."""
        self._folder.mkdir(mode=0o700, exist_ok=True)
        self.about = About(time.time(), read_at, list(slices))
        self._write(_ABOUT, msgspec.json.encode(self.about))

    def plan(self) -> list[TrackerSlice]:
        """The slices of the reading, those that asked too much replaced by what they were divided into."""
        return list(self._expanded(self.about.slices if self.about else []))

    def body(self, slice_: TrackerSlice) -> tuple[Path, Stats] | None:
        """A body that was read whole before. The file stays."""
        path = self._path(slice_, _BODY)
        if not path.exists():
            return None
        try:
            return path, msgspec.json.decode(self._path(slice_, _STATS).read_bytes(), type=Stats)
        except (OSError, msgspec.DecodeError):
            return None

    def take(self, slice_: TrackerSlice, body: Path, stats: Stats) -> None:
        """Keep a whole body; the file is then here and no longer there."""
        self._write(self._path(slice_, _STATS).name, msgspec.json.encode(stats))
        arriving = self._path(slice_, ".new")
        shutil.move(body, arriving)
        arriving.replace(self._path(slice_, _BODY))

    def divided(self, slice_: TrackerSlice, parts: Sequence[TrackerSlice]) -> None:
        """Remember what a slice was divided into, so that it is not asked again."""
        self._write(self._path(slice_, _PARTS).name, msgspec.json.encode(list(parts)))
        self._path(slice_, _BODY).unlink(missing_ok=True)

    def done(self) -> None:
        """The partition has been read whole, or what is kept is of no use: nothing stays."""
        (self._folder / _ABOUT).unlink(missing_ok=True)
        shutil.rmtree(self._folder, ignore_errors=True)

    def _expanded(self, slices: Sequence[TrackerSlice]) -> Iterator[TrackerSlice]:
        for slice_ in slices:
            try:
                parts = _SLICES.decode(self._path(slice_, _PARTS).read_bytes())
            except (OSError, msgspec.DecodeError):
                yield slice_
            else:
                yield from self._expanded(parts)

    def _read_about(self) -> About | None:
        try:
            about = msgspec.json.decode((self._folder / _ABOUT).read_bytes(), type=About)
        except (OSError, msgspec.DecodeError):
            return None
        return about if 0 <= time.time() - about.began < KEEP_SECONDS else None

    def _path(self, slice_: TrackerSlice, suffix: str) -> Path:
        return self._folder / f"{_hash(msgspec.json.encode(slice_))}{suffix}"

    def _write(self, name: str, data: bytes) -> None:
        """Whole or not at all, whenever we are killed."""
        arriving = self._folder / f"{name}.new"
        arriving.touch(mode=0o600)
        arriving.write_bytes(data)
        arriving.replace(self._folder / name)


def _hash(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()[:32]


def forget_old(folder: Path) -> None:
    """Delete readings nobody came back to. By when they last grew: one of them may be under way elsewhere.

    `folder`: that of all readings; it need not exist.
    """
    if not folder.is_dir():
        return
    for reading in folder.iterdir():
        with suppress(OSError):
            if reading.is_dir() and time.time() - reading.stat().st_mtime >= KEEP_SECONDS:
                log.info("Forgetting what an unfinished reading kept in %s", reading)
                shutil.rmtree(reading)
