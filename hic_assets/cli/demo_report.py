"""What ``hic demo`` says at its end: a line a system, the checks that did not pass, and three rows of a mart."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import click
from psycopg.rows import dict_row

from hic_assets.cli.output import show_table
from hic_assets.warehouse import Warehouse

LOADS = """
select l.system, 'raw.' || l.relation as "table", count(*) as partitions, sum(l.landed)::bigint as rows,
       sum(l.quarantined)::bigint as quarantined,
       extract(epoch from sum(l.finished_at - l.started_at))::double precision as seconds
from ops.load l where l.run_id = any(%s) and l.status = 'committed' group by 1, 2 order by 2
"""
MART_ROWS = """
select distinct on (indicator_code)
       indicator_code, indicator_name, org_unit_name, month, numerator, denominator, factor, annualization_factor as per_year,
       value, reporting_completeness
from reporting.rpt_indicator_monthly
where level = 'district' and value is not null and numerator > 0
order by indicator_code, month desc, org_unit_name limit 3
"""
PERSONS = """
select count(*) as records, count(distinct person_key) as persons, count(distinct system) as sources from identity.assignment
"""

COLUMNS = ("system", "tables", "partitions", "rows", "quarantined", "seconds", "checks")
NAMED = 10
"""Checks that are named; --json names all."""


@dataclass
class Checks:
    """What the checks of one table said in a run: how many passed, and the names of those that did not."""

    passed: int = 0
    warned: list[str] = field(default_factory=list)
    failed: list[str] = field(default_factory=list)

    def words(self) -> str:
        """Their numbers in words."""
        warned = f", {len(self.warned)} warned" if self.warned else ""
        return f"{self.passed} passed{warned}" + (f", {len(self.failed)} FAILED" if self.failed else "")


@dataclass
class RunOutcome:
    """One Dagster run: its checks by table, what failed, and checks that gave no answer."""

    run_id: str
    success: bool
    checks: dict[str, Checks]
    failures: list[str]
    unanswered: list[str]


def report_of(warehouse: Warehouse, outcomes: Sequence[RunOutcome], seconds: float) -> dict[str, Any]:
    """What was done: a row a raw table, one a system, one for the models, the sums, and three rows of a mart.

    Of a table whose checks several runs have asked, the last answers stand.
    """
    checks: dict[str, Checks] = {}
    for outcome in outcomes:
        checks |= outcome.checks
    ran = bool(outcomes) and all(o.success for o in outcomes)
    with warehouse.connect() as connection:
        cursor = connection.cursor(row_factory=dict_row)
        tables = cursor.execute(LOADS, ([o.run_id for o in outcomes],)).fetchall()
        mart = cursor.execute(MART_ROWS).fetchall() if ran else []
        persons = cursor.execute(PERSONS).fetchone()
    of_tables = {t["table"]: checks.get(t["table"], Checks()) for t in tables}
    of_models = [said for table, said in checks.items() if table not in of_tables]
    errors = any(said.failed for outcome in outcomes for said in outcome.checks.values())
    return {
        "success": ran and not errors,
        "seconds": round(seconds, 1),
        "runs": [o.run_id for o in outcomes],
        "failures": [words for o in outcomes for words in o.failures],
        "checks_warned": sorted({f"{table}: {name}" for table, said in checks.items() for name in said.warned}),
        "checks_failed": sorted(
            {f"{table}: {name}" for o in outcomes for table, said in o.checks.items() for name in said.failed}
        ),
        "checks_without_answer": [check for o in outcomes for check in o.unanswered],
        "systems": [_system(name, tables, of_tables) for name in dict.fromkeys(t["system"] for t in tables)],
        "tables": [{**t, "checks": of_tables[t["table"]].words()} for t in tables],
        "models": {"tested": len(of_models), "checks": _together(of_models).words()},
        "persons": persons,
        "mart": mart,
    }


def show(report: Mapping[str, Any]) -> None:
    """The report for people."""
    show_table("Loaded, a line a system (--json has every table)", COLUMNS, report["systems"])
    click.echo(f"dbt: {report['models']['tested']} models tested, {report['models']['checks']}")
    persons = report["persons"]
    if persons["records"]:
        click.echo(
            f"{persons['records']:,} records of persons in {persons['sources']} sources are {persons['persons']:,} people"
        )
    click.echo()
    if report["mart"]:
        show_table("Three rows of reporting.rpt_indicator_monthly", tuple(report["mart"][0]), report["mart"])
    for words, name in (
        ("FAILED", "checks_failed"),
        ("Warned", "checks_warned"),
        ("Not answered", "checks_without_answer"),
    ):
        for check in report[name][:NAMED]:
            click.echo(f"{words}: {check}")
        if len(report[name]) > NAMED:
            click.echo(f"  and {len(report[name]) - NAMED} more ('hic demo --json' names all)")
    words = "Done" if report["success"] else "FAILED"
    click.echo(
        f"{words} in {report['seconds']} s. Next: 'hic systems' for how fresh each system is, 'hic parity' for legacy "
        f"against unified, 'hic explain' for where a number comes from, 'hic link status' for who patients are, "
        "'make dev' for the Dagster UI, 'hic psql' for SQL (docs/queries.md)."
    )


def _system(name: str, tables: Iterable[Mapping[str, Any]], checks: Mapping[str, Checks]) -> dict[str, Any]:
    """The sums over the tables of a system."""
    own = [table for table in tables if table["system"] == name]
    sums = {
        column: sum(table[column] or 0 for table in own) for column in ("partitions", "rows", "quarantined", "seconds")
    }
    said = _together(checks[table["table"]] for table in own)
    return {"system": name, "tables": len(own), **sums, "checks": said.words()}


def _together(checks: Iterable[Checks]) -> Checks:
    whole = Checks()
    for said in checks:
        whole.passed += said.passed
        whole.warned += said.warned
        whole.failed += said.failed
    return whole
