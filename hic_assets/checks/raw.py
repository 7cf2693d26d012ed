"""Asset checks of raw tables: which questions are asked of which table, and how bad a 'no' is.

Accounting blocks what is downstream: numbers that do not add up must not reach a mart. The others warn.
"""

from collections.abc import Callable, Iterator

import dagster as dg
from psycopg.errors import UndefinedTable

from hic_assets.assets.metadata import table_value
from hic_assets.assets.raw import asset_key
from hic_assets.checks import questions
from hic_assets.checks.questions import Verdict
from hic_assets.partitions import now
from hic_assets.resources import WarehouseResource
from hic_assets.systems.declare import Cadence, Feed, System
from hic_assets.warehouse import Warehouse

Ask = Callable[[Warehouse, list[int]], Verdict]


def raw_checks(system: System) -> list[dg.AssetChecksDefinition]:
    """Every check of a system's raw tables: one op a table, each check selectable by itself."""
    return [_checks_of(system, feed) for feed in system.feeds]


def _questions(system: System, feed: Feed) -> dict[str, tuple[str, Ask]]:
    """Check name to (description, question) for one table."""
    table = feed.table
    asked: dict[str, tuple[str, Ask]] = {
        "accounting": (
            "read = landed + quarantined + duplicates, and the table and quarantine hold what the ledger says.",
            lambda w, loads: questions.accounting(w, table, loads),
        ),
        "freshness": (
            "The latest partition that is due is loaded.",
            lambda w, loads: questions.freshness(w, feed, now()),
        ),
    }
    if feed.cadence is Cadence.MONTHLY:
        asked["volume"] = (
            "A month holds between half and double the rows of the months around it.",
            lambda w, loads: questions.volume(w, table, loads),
        )
    for column in table.columns:
        if column.reference and column.reference.rule in ("unknown_facility", "unknown_data_element"):
            asked[column.reference.rule] = (
                f"Every {column.name} is in raw.{column.reference.table}.",
                _unknown(feed, column.reference.rule, column.name),
            )
    if feed.reader == "data_values" and feed.cadence is Cadence.MONTHLY:
        registrations = system.feed("complete_registrations").table
        asked["registrations_against_values"] = (
            "Reports marked complete hold values, and reports with values are marked complete.",
            lambda w, loads: questions.registrations_against_values(w, table, registrations, loads),
        )
    return asked


def _unknown(feed: Feed, rule: str, column: str) -> Ask:
    return lambda w, loads: questions.unknown(w, feed.table, loads, rule, column)


def _checks_of(system: System, feed: Feed) -> dg.AssetChecksDefinition:
    key = asset_key(system, feed)
    asked = _questions(system, feed)
    specs = [
        dg.AssetCheckSpec(
            name,
            asset=key,
            description=description,
            blocking=name == "accounting",
            additional_deps=[asset_key(system, system.feed("complete_registrations"))]
            if name == "registrations_against_values"
            else [],
        )
        for name, (description, _) in asked.items()
    ]

    @dg.multi_asset_check(specs=specs, name=f"{feed.table.relation}_checks", can_subset=True)
    def checks(context: dg.AssetCheckExecutionContext, warehouse: WarehouseResource) -> Iterator[dg.AssetCheckResult]:
        opened = warehouse.open()
        loads = questions.scope(opened, feed.table, context.run.run_id)
        for check_key in context.selected_asset_check_keys:
            verdict = _answer(asked[check_key.name][1], opened, loads)
            yield _result(check_key, verdict)

    return checks


def _answer(ask: Ask, warehouse: Warehouse, loads: list[int]) -> Verdict:
    """The answer; a table that was never made is one too."""
    try:
        return ask(warehouse, loads)
    except UndefinedTable as error:
        missing = str(error.diag.message_primary)
        return Verdict(False, f"Cannot be told: {missing}. Materialise what the check reads first.")


def _result(key: dg.AssetCheckKey, verdict: Verdict) -> dg.AssetCheckResult:
    metadata: dict[str, dg.MetadataValue] = {
        name: dg.MetadataValue.text(number) if isinstance(number, str) else dg.MetadataValue.float(float(number))
        for name, number in verdict.numbers.items()
    }
    if verdict.rows:
        columns = list(verdict.rows[0])
        metadata["first"] = table_value(columns, [{c: str(r[c]) for c in columns} for r in verdict.rows])
    return dg.AssetCheckResult(
        asset_key=key.asset_key,
        check_name=key.name,
        passed=verdict.passed,
        severity=dg.AssetCheckSeverity.ERROR if key.name == "accounting" else dg.AssetCheckSeverity.WARN,
        description=verdict.words,
        metadata=metadata,
    )
