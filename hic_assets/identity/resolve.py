"""One run of identity resolution on the warehouse: what changed in the sources is compared with all, and put in place.

Belongs here: who waits for whom, the order of the steps, when a run is refused. Does not: how records are compared
(``linkage``), SQL (``store``).

A run reads in one transaction, links without any, and writes in one: no view of the sources is held meanwhile. What runs must
not do at once is kept by a lock of the session, so a run that is killed leaves nothing and holds nobody up.
"""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

import polars as pl

from hic_assets.identity import store
from hic_assets.identity.tables import create_identity_tables
from hic_assets.linkage import Linked, Model, link, load
from hic_assets.linkage.schema import IDENTITY
from hic_assets.linkage.verdict import THRESHOLDS
from hic_assets.warehouse import Warehouse

ONE_TO_ONE: frozenset[str] = frozenset()
"""Sources that guarantee one record a person. None of the country's does: each has registered somebody twice."""

LARGEST_LOSS, COUNTED_FROM = 0.2, 100
"""The share of known records that may be gone from the sources in one run, where so many were known."""


class RecordsGoneError(RuntimeError):
    """More records vanished at once than people do: a source was not loaded, or a view is wrong. Nothing was changed."""


@dataclass(frozen=True)
class Resolved:
    """What a run did: records that were new, other or no more, pairs weighed, and what there is now.

    ``left_out`` are keys that too many records share (rule, blocks, records). ``weighed_all``: every pair was weighed
    anew, since the model or the population is another one than in the run before, or since it was asked for.
    """

    run: int
    records: int
    added: int
    changed: int
    removed: int
    compared: int
    persons: int
    in_review: int
    merged: int
    split: int
    moved: int
    weighed_all: bool
    left_out: Sequence[Mapping[str, Any]]


def person_secret(key: bytes) -> bytes:
    """The secret of person keys, made of the key of pseudonyms: a person's key is the pseudonym of none of their records."""
    return hmac.new(key, b"hic: secret of person keys", hashlib.sha256).digest()


def resolve(
    warehouse: Warehouse,
    key: bytes,
    *,
    population: int | None = None,
    weigh_all: bool = False,
    accept_shrink: bool = False,
) -> Resolved:
    """Link what changed: readers see who was whom before, or after. Two runs at once wait for each other.

    ``population``: persons whom the sources' records may be about; the country's when None.

    Raises:
        RecordsGoneError: too many records vanished, and ``accept_shrink`` does not say that this is right.
        store.NotBuiltError: dbt has not built ``identity.person_record`` yet.
    """
    model = load() if population is None else load().of_population(population)
    started = datetime.now(UTC)
    with warehouse.connect(autocommit=True, application_name="hic-identity") as connection:
        create_identity_tables(connection)
        with store.alone(connection):
            told = store.fingerprint(model, THRESHOLDS)
            with connection.transaction():
                run, before = store.last_run(connection)
                weigh_all = weigh_all or before not in (None, told)
                changes = store.find_changes(connection, everything=weigh_all)
                known = store.read_known(connection)
                decisions = store.read_decisions(connection)
            if not accept_shrink:
                _refuse_loss(changes, known)
            found = _link(changes, known, weigh_all, person_secret(key), run + 1, decisions, model)
            noted = store.Noted(run + 1, started, told, model.population)
            with connection.transaction():
                store.write(connection, noted, changes, known, found)
    _analyze(warehouse)
    return _told(run + 1, weigh_all, changes, found)


def _link(
    changes: store.Changes,
    known: Linked,
    weigh_all: bool,
    secret: bytes,
    run: int,
    decisions: pl.DataFrame,
    model: Model,
) -> Linked:
    """Of known records those that are still there; their persons also of those that are not, for the keys to stay."""
    still = Linked(assignments=known.assignments)
    if not weigh_all:
        records = known.records.join(changes.removed, on=IDENTITY, how="anti")
        still = Linked(records, known.assignments, known.pairs)
    new = changes.records.drop("content")
    return link(new, still, secret=secret, run=run, decisions=decisions, model=model, one_to_one=ONE_TO_ONE)


def _refuse_loss(changes: store.Changes, known: Linked) -> None:
    there, gone = known.records.height, changes.removed.height
    if there >= COUNTED_FROM and gone > LARGEST_LOSS * there:
        systems = changes.removed.group_by("system").len().sort("len", descending=True).head(3)
        names = ", ".join(f"{system} ({many:,})" for system, many in systems.iter_rows())
        raise RecordsGoneError(
            f"{gone:,} of {there:,} known records of persons are gone from the sources, most of {names}. Persons are unchanged. "
            "If the sources are right, run identity/assignment again with accept_shrink."
        )


def _told(run: int, weighed_all: bool, changes: store.Changes, found: Linked) -> Resolved:
    counted = found.event_counts()
    return Resolved(
        run=run,
        records=found.records.height,
        added=changes.added,
        changed=changes.changed,
        removed=changes.removed.height,
        compared=found.compared,
        persons=found.assignments["person_key"].n_unique(),
        in_review=found.review.height,
        merged=counted["merged"],
        split=counted["split"],
        moved=counted["moved"],
        weighed_all=weighed_all,
        left_out=found.left_out.to_dicts(),
    )


def _analyze(warehouse: Warehouse) -> None:
    with warehouse.connect(autocommit=True) as connection:
        for table in ("record", "assignment", "pair"):
            connection.execute(f"analyze identity.{table}".encode())
