"""Identity resolution as an asset: dbt's records of persons in, whom each is about out.

Belongs here: how a run is shown, and whether what it left can be trusted. Does not: how records are compared (``linkage``), one run (``identity``).
"""

from collections.abc import Mapping
from dataclasses import asdict
from typing import Any

import dagster as dg

from hic_assets.assets.dbt import IDENTITY
from hic_assets.assets.metadata import table_value
from hic_assets.identity.books import Books, read_books
from hic_assets.identity.resolve import Resolved, resolve
from hic_assets.resources import WarehouseResource
from hic_assets.settings import Settings

KEY = dg.AssetKey(["identity", "assignment"])
RECORDS = dg.AssetKey(["identity", "person_record"])
# A second run waits in Dagster's queue, not on the first one's lock.
POOL = "identity"


class ResolveConfig(dg.Config):  # type: ignore[misc]
    """What a run may be told: ``weigh_all`` compares every record again, ``accept_shrink`` takes records that vanished for gone."""

    weigh_all: bool = False
    accept_shrink: bool = False


def identity_asset() -> dg.AssetsDefinition:
    """The asset ``identity/assignment``."""

    @dg.asset(
        key=KEY,
        group_name=IDENTITY,
        owners=["team:data-engineering"],
        kinds={"python", "postgres"},
        tags={"hic/cadence": IDENTITY, "layer": "identity"},
        metadata={"dagster/table_name": "identity.assignment"},
        deps=[RECORDS],
        pool=POOL,
        description=(
            "Whom each record of a person is about, over all systems with patients. Records that are new or other than they were "
            "are compared with all; a person's key stays when records join, and merges and splits are noted in identity.person_event. "
            "What reviewers decided ('hic link') is respected."
        ),
    )
    def assignment(config: ResolveConfig, warehouse: WarehouseResource) -> dg.MaterializeResult[None]:
        """Compares what changed in the sources, and puts the outcome in place."""
        done = resolve(
            warehouse.open(),
            warehouse.pseudonym_key(),
            population=Settings().population,
            weigh_all=config.weigh_all,
            accept_shrink=config.accept_shrink,
        )
        return dg.MaterializeResult(metadata=run_metadata(done))

    return assignment


def run_metadata(done: Resolved) -> dict[str, Any]:
    """What is shown of a run: its numbers, and the keys that too many records share."""
    shown = {name: value for name, value in asdict(done).items() if name != "left_out"}
    return {
        **shown,
        "dagster/row_count": done.records,
        "left_out": table_value(("rule", "blocks", "records"), [_worded(row) for row in done.left_out]),
    }


def _worded(row: Mapping[str, Any]) -> dict[str, str]:
    return {name: str(value) for name, value in row.items()}


@dg.asset_check(
    asset=KEY,
    name="nobody_is_lost",
    description=(
        "Every record that the last run read is about one person, and nothing else is. Warns when sources have records that no run has "
        "seen, when the review queue grew, and when keys were left out that too many records share."
    ),
)
def nobody_is_lost(warehouse: WarehouseResource) -> dg.AssetCheckResult:
    """Errors where a record has no person, warns of what somebody should look at."""
    with warehouse.open().connect() as connection:
        books = read_books(connection)
    if books is None:
        return dg.AssetCheckResult(
            passed=False, severity=dg.AssetCheckSeverity.WARN, description="There was no run yet."
        )
    wrong, notes = wrongs(books), warnings(books)
    severity = dg.AssetCheckSeverity.ERROR if wrong else dg.AssetCheckSeverity.WARN
    words = " ".join([*wrong, *notes]) or f"{books.assigned:,} records are about {books.persons:,} persons."
    return dg.AssetCheckResult(
        passed=not wrong and not notes, severity=severity, description=words, metadata=asdict(books)
    )


def wrongs(books: Books) -> list[str]:
    """What may never be."""
    said = []
    if books.unassigned:
        said.append(f"{books.unassigned:,} records are about nobody.")
    if books.assigned_to_nothing:
        said.append(f"{books.assigned_to_nothing:,} persons' records are none that was linked.")
    return said


def warnings(books: Books) -> list[str]:
    """What somebody should look at."""
    said = []
    if books.unseen:
        said.append(f"{books.unseen:,} records of the sources were not there at the last run.")
    if books.in_review > books.in_review_before:
        said.append(
            f"{books.in_review:,} pairs wait for review ('hic link review'), {books.in_review_before:,} before."
        )
    if books.left_out:
        said.append(f"{books.left_out:,} records share a key with too many others and were not compared by it.")
    return said
