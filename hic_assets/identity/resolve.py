"""One run of identity resolution on the warehouse: what changed in the sources is compared with all, and put in place.

Belongs here: the transaction and the order of the steps. Does not: how records are compared (``linkage``), SQL (``store``).
"""

from __future__ import annotations

import hashlib
import hmac
from dataclasses import dataclass
from datetime import UTC, datetime

from hic_assets.identity import store
from hic_assets.identity.tables import create_identity_tables
from hic_assets.linkage import Linked, link
from hic_assets.warehouse import Warehouse

ONE_TO_ONE: frozenset[str] = frozenset()
"""Sources that guarantee one record a person. None of the country's does: each has registered somebody twice."""


@dataclass(frozen=True)
class Resolved:
    """What a run did: records that were new, other or no more, pairs weighed, and what there is now."""

    run: int
    records: int
    added: int
    changed: int
    removed: int
    compared: int
    persons: int
    in_review: int
    events: dict[str, int]


def person_secret(key: bytes) -> bytes:
    """The secret of person keys, made of the key of pseudonyms: a person's key is the pseudonym of none of their records."""
    return hmac.new(key, b"hic: secret of person keys", hashlib.sha256).digest()


def resolve(warehouse: Warehouse, key: bytes) -> Resolved:
    """Link what changed, in one transaction: readers see who was whom before, or after. Two runs at once wait for each other."""
    started = datetime.now(UTC)
    with warehouse.connect(application_name="hic-identity") as connection:
        create_identity_tables(connection)
        connection.execute(store.LOCK)
        run = store.next_run(connection)
        changes = store.find_changes(connection)
        known = store.read_known(connection)
        new = changes.records.drop("content")
        found = link(
            new,
            known,
            secret=person_secret(key),
            run=run,
            decisions=store.read_decisions(connection),
            one_to_one=ONE_TO_ONE,
        )
        store.write(connection, run, started, changes, known, found)
    _analyze(warehouse)
    return _told(run, changes, found)


def _told(run: int, changes: store.Changes, found: Linked) -> Resolved:
    counted = dict(found.events.group_by("event").len().iter_rows())
    return Resolved(
        run=run,
        records=found.records.height,
        added=changes.added,
        changed=changes.changed,
        removed=changes.removed,
        compared=found.compared,
        persons=found.assignments["person_key"].n_unique(),
        in_review=found.review.height,
        events={name: counted.get(name, 0) for name in ("merged", "split", "moved")},
    )


def _analyze(warehouse: Warehouse) -> None:
    with warehouse.connect(autocommit=True) as connection:
        for table in ("record", "assignment", "pair"):
            connection.execute(f"analyze identity.{table}".encode())
