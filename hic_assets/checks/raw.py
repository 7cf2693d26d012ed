"""Asset checks of raw tables: which questions are asked of which table, and how bad a 'no' is.

Accounting blocks what is downstream: numbers that do not add up must not reach a mart. Parity beyond a programme's
tolerance is an error too, but stops nothing: both tables are whole, and people read the one they trust. Others warn.
"""

from collections.abc import Callable, Iterator, Mapping

import dagster as dg
from psycopg.errors import UndefinedTable

from hic_assets.assets.metadata import table_value
from hic_assets.assets.raw import asset_key
from hic_assets.checks import questions
from hic_assets.checks.fields import unknown_fields_verdict
from hic_assets.checks.questions import Verdict
from hic_assets.extract.dhis2.tracker.fields import Kind
from hic_assets.parity.verdict import parity_verdict
from hic_assets.partitions import now
from hic_assets.resources import WarehouseResource
from hic_assets.systems.declare import Cadence, Feed, Pipeline, Programme, System
from hic_assets.warehouse import Warehouse

Ask = Callable[[Warehouse, list[int]], Verdict]
PARITY = "parity"


def raw_checks(system: System) -> list[dg.AssetChecksDefinition]:
    """Every check of a system's raw tables: one op a table, each check selectable by itself.

    Parity is an op of its own: where the legacy table cannot be read, the other checks are answered all the same.
    """
    made = []
    for feed in system.feeds:
        asked = _questions(system, feed)
        parity = {name: asked.pop(name) for name in [PARITY] if name in asked}
        made.append(_checks_of(system, feed, f"{feed.table.relation}_checks", asked))
        made += [_checks_of(system, feed, f"{feed.table.relation}_parity", parity)] if parity else []
    return made


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
    if feed.cadence is not Cadence.SNAPSHOT:
        asked["volume"] = (
            "A partition holds between half and double the rows of those around it.",
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
    if feed.programme and feed.kind and feed.pipeline is Pipeline.UNIFIED:
        asked |= _of_unified(feed, feed.programme, feed.kind)
    return asked


def _of_unified(feed: Feed, programme: Programme, kind: Kind) -> dict[str, tuple[str, Ask]]:
    """What is asked of a unified table only: its legacy twin, and the models that stage it."""
    asked: dict[str, tuple[str, Ask]] = {}
    if programme.legacy:
        asked[PARITY] = (
            "The legacy pipeline's table says the same, row by row and field by field (tolerance declared).",
            lambda w, loads: parity_verdict(w, programme, kind, questions.partitions_of(w, loads)),
        )
    if kind is not Kind.ENROLLMENTS:
        asked["unknown_fields"] = (
            "Every field that records hold has a column in the staging model; 'hic staging' makes one for a new field.",
            lambda w, loads: unknown_fields_verdict(w, programme, kind, loads),
        )
    return asked


def _unknown(feed: Feed, rule: str, column: str) -> Ask:
    return lambda w, loads: questions.unknown(w, feed.table, loads, rule, column)


def _also_reads(system: System, feed: Feed, check: str) -> list[dg.AssetKey]:
    """Other tables of the same run that a check compares with, which must have landed first."""
    if check == "registrations_against_values":
        return [asset_key(system, system.feed("complete_registrations"))]
    if check == PARITY and feed.programme and feed.kind:
        return [asset_key(system, system.programme_feed(feed.programme, feed.kind, Pipeline.LEGACY))]
    return []


def _checks_of(system: System, feed: Feed, name: str, asked: Mapping[str, tuple[str, Ask]]) -> dg.AssetChecksDefinition:
    key = asset_key(system, feed)
    specs = [
        dg.AssetCheckSpec(
            check,
            asset=key,
            description=description,
            blocking=check == "accounting",
            additional_deps=_also_reads(system, feed, check),
        )
        for check, (description, _) in asked.items()
    ]

    @dg.multi_asset_check(specs=specs, name=name, can_subset=True)
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
        severity=dg.AssetCheckSeverity.ERROR
        if verdict.grave or key.name == "accounting"
        else dg.AssetCheckSeverity.WARN,
        description=verdict.words,
        metadata=metadata,
    )
