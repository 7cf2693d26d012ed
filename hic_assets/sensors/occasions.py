"""What tells one occasion to load a partition from another, so that each is asked for once, and once a day while it stays.

Belongs here: what trackers and REST APIs share of requesting runs. Does not: finding what is stale (``watermarks``).
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta

import dagster as dg

from hic_assets.partitions import contiguous_ranges, range_of, range_tags, today
from hic_assets.sensors.watermarks import Found, Watermarks

Occasions = dict[date, list[str]]
"""By stale partition what makes it so: nothing that moves with changes elsewhere."""

WAITS = "What has changed was asked for today already, or is being loaded."
_ASKED = "asked"
_UNFINISHED = [
    dg.DagsterRunStatus.QUEUED,
    dg.DagsterRunStatus.NOT_STARTED,
    dg.DagsterRunStatus.STARTING,
    dg.DagsterRunStatus.STARTED,
    dg.DagsterRunStatus.CANCELING,
]
# A run that is older waits for nobody any more, or its machine has gone: what is stale is asked for all the same.
_WAITED_FOR = timedelta(days=1)


@dataclass
class Asked:
    """Occasions for which runs were requested on a day. What is stale on the next is asked for once more."""

    day: str = ""
    occasions: set[str] = field(default_factory=set)

    def take(self, occasions: Mapping[str, str]) -> list[str]:
        """The keys whose occasion is new today; it is not new any more."""
        if self.day != str(today()):
            self.day, self.occasions = str(today()), set()
        found = [key for key, occasion in occasions.items() if f"{key} {occasion}" not in self.occasions]
        self.occasions |= {f"{key} {occasions[key]}" for key in found}
        return found


def read_cursor(text: str | None) -> tuple[Watermarks, Asked]:
    """The watermarks and what was asked for; of cursors without, as they once were, nothing was."""
    marks = json.loads(text or "{}")
    asked = marks.pop(_ASKED, {})
    return marks, Asked(asked.get("day", ""), set(asked.get("occasions", ())))


def written(marks: Watermarks, asked: Asked) -> str:
    """The cursor that ``read_cursor`` reads."""
    return json.dumps({**marks, _ASKED: {"day": asked.day, "occasions": sorted(asked.occasions)}})


def add(occasions: Occasions, found: Found) -> Occasions:
    """The occasions with those that one table gives."""
    for stale in found.stale:
        words = f"{found.feed.table.relation} {stale.newest} {sorted(stale.why.items())}"
        occasions.setdefault(stale.partition, []).append(words)
    return occasions


def requests(
    instance: dg.DagsterInstance,
    job_name: str,
    what: str,
    occasions: Occasions,
    asked: Asked,
    definition: dg.PartitionsDefinition,
    tags: Mapping[str, str] | None = None,
    **more: object,
) -> Iterator[dg.RunRequest]:
    """Runs of these partitions, but for those that were asked for by the same occasion today or that a run has under way.

    ``what``: is loaded, in words. ``tags``: of the runs; one that has none of them does more than these.
    """
    tags = tags or {}
    running = under_way(instance, job_name, tags)
    waiting = {day for day in occasions if any(first <= str(day) <= last for first, last in running)}
    hashes = {f"{what}:{day}": _hash(texts) for day, texts in occasions.items() if day not in waiting}
    due = {key.removeprefix(f"{what}:"): hashes[key] for key in asked.take(hashes)}
    for first, last in contiguous_ranges(due, definition):
        why = _hash(f"{key} {occasion}" for key, occasion in due.items() if first <= key <= last)
        yield dg.RunRequest(
            job_name=job_name,
            run_key=f"{what}:{first}:{last}:{why}:{today()}",
            tags={**range_tags(first, last), **tags},
            **more,  # type: ignore[arg-type]
        )


def under_way(instance: dg.DagsterInstance, job_name: str, tags: Mapping[str, str]) -> list[tuple[str, str]]:
    """First and last partition of the job's runs that wait or run; what they have not read yet, they will read as it is."""
    since = datetime.now(UTC) - _WAITED_FOR
    found = instance.get_run_records(dg.RunsFilter(job_name=job_name, statuses=_UNFINISHED, created_after=since))
    runs = [record.dagster_run.tags for record in found]
    ranges = [range_of(run) for run in runs if all(run.get(name, value) == value for name, value in tags.items())]
    return [one for one in ranges if one]


def _hash(texts: Iterable[str]) -> str:
    return hashlib.sha256("\n".join(sorted(texts)).encode()).hexdigest()[:16]
