"""What identity resolution has left, counted: for the check on it and for ``hic link status``.

Belongs here: counts. Does not: a record or a name.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from psycopg import Connection
from psycopg.rows import class_row, dict_row

_BOOKS = """
select
    (select count(*) from identity.assignment) as assigned,
    (select count(distinct person_key) from identity.assignment) as persons,
    (select count(*) from identity.record r left join identity.assignment a using (system, record_id)
     where a.person_key is null) as unassigned,
    (select count(*) from identity.assignment a left join identity.record r using (system, record_id)
     where r.system is null) as assigned_to_nothing,
    (select count(*) from (select system, record_id from identity.person_record
                           except select system, record_id from identity.assignment) as new) as unseen,
    last.in_review as in_review,
    coalesce((select in_review from identity.run where run < last.run order by run desc limit 1), last.in_review)
        as in_review_before,
    (select coalesce(sum((one ->> 'records')::bigint), 0)::bigint from jsonb_array_elements(last.left_out) as one)
        as left_out
from (select * from identity.run order by run desc limit 1) as last
"""
_RUNS = """
select run, finished_at, round(extract(epoch from finished_at - started_at)::numeric, 1)::float as seconds, records,
    added, changed, removed, compared, persons, merged, split, moved, in_review
from identity.run order by run desc limit %s
"""
_SYSTEMS = """
select system, count(*) as records, count(distinct person_key) as persons
from identity.assignment group by system order by system
"""
_REVIEW = """
select count(*) as waiting,
    (select count(*) from identity.decision) as decisions,
    (select count(*) from identity.decision where decided_at > coalesce((select max(started_at) from identity.run), '-infinity'))
        as decided_since_the_last_run
from identity.pair where in_review
"""


@dataclass(frozen=True)
class Books:
    """After the last run. ``unassigned`` and ``assigned_to_nothing`` must be 0; ``unseen`` came to the sources since."""

    assigned: int
    persons: int
    unassigned: int
    assigned_to_nothing: int
    unseen: int
    in_review: int
    in_review_before: int
    left_out: int


def read_books(connection: Connection[Any]) -> Books | None:
    """The books; None before the first run."""
    return connection.cursor(row_factory=class_row(Books)).execute(_BOOKS.encode()).fetchone()


def standing(connection: Connection[Any], runs: int) -> dict[str, Any]:
    """The last runs, records and persons by system, and the review: as ``hic link status`` shows it."""
    cursor = connection.cursor(row_factory=dict_row)
    return {
        "runs": cursor.execute(_RUNS.encode(), (runs,)).fetchall(),
        "systems": cursor.execute(_SYSTEMS.encode()).fetchall(),
        "review": cursor.execute(_REVIEW.encode()).fetchone(),
    }
