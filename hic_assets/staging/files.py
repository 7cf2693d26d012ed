"""The written files in the dbt project: what they hold now, how that differs from what is wanted, and writing it.

Belongs here: the file system. Does not: what the files should say (``generate``).
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from hic_assets.staging.sql import WRITTEN

MODELS = Path(__file__).resolve().parents[2] / "dbt_project" / "models"

_HEADER = re.compile(rf"^(?:--|#) {WRITTEN} ", re.MULTILINE)
_FIELD = re.compile(r"^    \['(?P<column>[a-z0-9_]+)', '(?P<uid>[A-Za-z0-9]{11})', '[a-z]+'\],$", re.MULTILINE)
_STAGE = re.compile(r"^        when '(?P<uid>[A-Za-z0-9]{11})' then '", re.MULTILINE)


@dataclass(frozen=True)
class Change:
    """One file that is not as wanted: ``new``, ``changed`` or ``gone`` (no longer wanted). Fields by column."""

    path: str
    what: str
    added: tuple[str, ...] = ()
    removed: tuple[str, ...] = ()


def is_written(text: str) -> bool:
    """Whether a file's text is one that was written, not one by hand."""
    return bool(_HEADER.search(text))


def fields_in(sql: str) -> dict[str, str]:
    """Column by uid, in order, of a written staging model."""
    return {found["uid"]: found["column"] for found in _FIELD.finditer(sql)}


def stages_in(sql: str) -> set[str]:
    """Uids of the stages that a written staging model has a name for."""
    return {found["uid"] for found in _STAGE.finditer(sql)}


def kept_columns(models: Path = MODELS) -> dict[str, dict[str, str]]:
    """Column by uid of every written staging model, so that a column keeps its name and place."""
    return {path.stem: fields_in(path.read_text()) for path in _written(models) if path.suffix == ".sql"}


def changes(wanted: Mapping[str, str], left_alone: Collection[str] = (), models: Path = MODELS) -> list[Change]:
    """How the written files differ from those wanted, by path; files ``left_alone`` are not judged."""
    found = [change for path, text in wanted.items() if (change := _change(models / path, path, text))]
    present = {path.relative_to(models).as_posix() for path in _written(models)}
    found += [Change(path, "gone") for path in present - set(wanted) - set(left_alone)]
    return sorted(found, key=lambda change: change.path)


def write(wanted: Mapping[str, str], differing: Collection[Change], models: Path = MODELS) -> None:
    """Make the differing files as wanted."""
    for change in differing:
        path = models / change.path
        if change.what == "gone":
            path.unlink()
        else:
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(wanted[change.path], encoding="utf-8")


def _change(file: Path, path: str, text: str) -> Change | None:
    before = file.read_text(encoding="utf-8") if file.is_file() else None
    if before == text:
        return None
    old, new = fields_in(before or ""), fields_in(text)
    return Change(
        path,
        "new" if before is None else "changed",
        tuple(new[uid] for uid in new if uid not in old),
        tuple(old[uid] for uid in old if uid not in new),
    )


def _written(models: Path) -> Iterator[Path]:
    for path in sorted(models.rglob("*")):
        if path.suffix in (".sql", ".yml") and is_written(path.read_text(encoding="utf-8")):
            yield path
