"""The alerts' place in the warehouse: what is read, and `dwh.fct_idsr_alert`, whose weeks are replaced.

Belongs here: all SQL of alerts that is not dbt's. Does not belong here: what fires (`weekly`), when it is run (`assets`).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date, timedelta
from typing import Any, LiteralString

import polars as pl
from psycopg import Connection, sql

from hic_assets.alerts.completeness import REPORTED, doubted
from hic_assets.alerts.late import COUNTED, LATER, SERIES, changed, felt
from hic_assets.alerts.rules import HISTORY_WEEKS, SCHEMA, Rule, rules_of
from hic_assets.alerts.weekly import COUNTS, VERDICTS, verdicts
from hic_assets.landing.copy import copy_into
from hic_assets.landing.ddl import create_once, exists
from hic_assets.warehouse import Warehouse

DDL = """
create table if not exists dwh.fct_idsr_alert (
    disease_code text not null,
    district_code text not null,
    week_start date not null check (extract(isodow from week_start) = 1),
    rule_code text not null,
    method text not null,
    measure text not null,
    cases bigint,
    deaths bigint,
    observed double precision,
    expected double precision,
    upper double precision,
    score double precision,
    has_fired boolean,
    why_unknown text,
    evaluated_at timestamptz not null default now(),
    primary key (week_start, disease_code, district_code, rule_code),
    check ((has_fired is null) = (why_unknown is not null))
);
comment on table dwh.fct_idsr_alert is
    'Alert rules of disease surveillance: one row a disease, district, week and rule that was asked.';
comment on column dwh.fct_idsr_alert.week_start is 'Monday of the ISO week.';
comment on column dwh.fct_idsr_alert.observed is
    'What is held against upper: cases or deaths of the week; of a fixed rule, of all its weeks together.';
comment on column dwh.fct_idsr_alert.expected is 'What is usual in such a week; NULL where the rule has no such thing.';
comment on column dwh.fct_idsr_alert.upper is 'The highest number that is no alarm.';
comment on column dwh.fct_idsr_alert.score is 'How far the week is on the way to an alarm; 1 is the bound.';
comment on column dwh.fct_idsr_alert.has_fired is 'Whether the rule fired; NULL where it could not say.';
-- What the table has gained since the first warehouses were made.
alter table dwh.fct_idsr_alert add column if not exists reported_share double precision;
comment on column dwh.fct_idsr_alert.why_unknown is
    'Why it could not: not_reported, history_too_short, history_incomplete, no_fit, too_few_reports or no_population.';
comment on column dwh.fct_idsr_alert.evaluated_at is 'When the week was evaluated, from the counts of that moment.';
comment on column dwh.fct_idsr_alert.reported_share is
    'Facilities that had reported over those that should, 0 to 1; NULL where none should.';

create table if not exists ops.idsr_alert_fired (
    disease_code text not null,
    district_code text not null,
    week_start date not null,
    rule_code text not null,
    first_fired_at timestamptz not null default now(),
    observed double precision,
    upper double precision,
    primary key (week_start, disease_code, district_code, rule_code)
);
comment on table ops.idsr_alert_fired is
    'Alerts as they fired first, one row a disease, district, week and rule: kept when a later evaluation takes an alert back.';
"""
# Facilities that the registry does not know are a district of their own: a single case there must not be lost.
READ_COUNTS: LiteralString = """
select disease_code, coalesce(district_code, 'unmapped'), week_start, sum(cases)::bigint, sum(deaths)::bigint
from reporting.rpt_idsr_weekly
where week_start between %s and %s
group by 1, 2, 3
"""
READ_RULES: LiteralString = """
select disease_code, rule_code, method, measure, threshold::double precision, weeks::bigint, note
from staging.idsr_alert_rule order by disease_code, rule_code
"""
READ_POPULATION: LiteralString = "select district_code::text, population_2022::double precision from staging.district"
# Somebody may have gone to look because of it: that an alert once fired is not forgotten when later reports take it back.
KEEP_FIRED: LiteralString = """
insert into ops.idsr_alert_fired (disease_code, district_code, week_start, rule_code, observed, upper)
select disease_code, district_code, week_start, rule_code, observed, upper
from dwh.fct_idsr_alert where has_fired and week_start = any(%s)
on conflict do nothing
"""
READ_REPORTED: LiteralString = """
select disease_code, coalesce(district_code, 'unmapped'), week_start,
       sum(facilities_reported)::float8 / nullif(sum(facilities_expected), 0)::float8
from reporting.rpt_idsr_weekly where week_start = any(%s) group by 1, 2, 3
"""
_COLUMNS = (*VERDICTS, "reported_share")
_SCHEMA = {**VERDICTS, "reported_share": pl.Float64}


def create_alerts(connection: Connection[Any]) -> None:
    """Create the tables where they are missing: the view that reads them need not wait for the first week."""
    if not exists(connection, "ops", "idsr_alert_fired"):
        create_once(connection, DDL)


def evaluate_weeks(warehouse: Warehouse, weeks: Sequence[date]) -> pl.DataFrame:
    """Evaluate these weeks (Mondays) from what is known now, and replace them in `dwh.fct_idsr_alert`.

    Later weeks that look back at one of which other numbers are known than before are evaluated again too, for the
    diseases and districts that it is so for (`late` says which, and how far); no other row is touched.
    One transaction: readers see the old rows of all these weeks, or the new ones. Two at once wait for each other.
    Gives the rows written (`weekly.VERDICTS`, and `reported_share`). Errors: ValueError as `rules_of` and `verdicts`.
    """
    with warehouse.connect() as connection:
        create_alerts(connection)
        connection.execute("select pg_advisory_xact_lock(hashtext('hic idsr alerts'))")
        rules, population = read_rules(connection), read_population(connection)
        found = verdicts(read_counts(connection, min(weeks), max(weeks)), rules, weeks, population)
        late = changed(_counted_before(connection, weeks), _counted(found))
        later = felt(late, rules, set(_judged_after(connection, min(weeks))) - set(weeks))
        again = _judge_again(connection, later, rules, population)
        connection.execute("delete from dwh.fct_idsr_alert where week_start = any(%s)", (list(weeks),))
        _forget(connection, later)
        written = doubted(pl.concat([found, again]), _reported(connection, [*weeks, *later["week_start"].unique()]))
        with copy_into(connection, sql.Identifier("dwh", "fct_idsr_alert"), _COLUMNS) as copy:
            copy.write(written)
        connection.execute(KEEP_FIRED, (written["week_start"].unique().to_list(),))
    with warehouse.connect(autocommit=True) as connection:
        connection.execute("analyze dwh.fct_idsr_alert")
    return written


def _counted(found: pl.DataFrame) -> pl.DataFrame:
    """What verdicts were made from (`late.COUNTED`): every rule of a series says the same of a week."""
    return found.select(list(COUNTED)).unique(list(LATER))


def _counted_before(connection: Connection[Any], weeks: Sequence[date]) -> pl.DataFrame:
    """What was counted when these weeks were judged the last time (`late.COUNTED`)."""
    names = sql.SQL(", ").join(map(sql.Identifier, COUNTED))
    statement = sql.SQL("select distinct {} from dwh.fct_idsr_alert where week_start = any(%s)").format(names)
    return pl.DataFrame(connection.execute(statement, (list(weeks),)).fetchall(), schema=COUNTED, orient="row")


def _judged_after(connection: Connection[Any], first: date) -> list[date]:
    found = connection.execute("select distinct week_start from dwh.fct_idsr_alert where week_start > %s", (first,))
    return [week for (week,) in found]


def _judge_again(
    connection: Connection[Any], later: pl.DataFrame, rules: Sequence[Rule], population: Mapping[str, float]
) -> pl.DataFrame:
    """The verdicts on these weeks of these series (`late.LATER`), from what is known now: a disease at a time."""
    frames = [pl.DataFrame(schema=VERDICTS)]
    for (_disease,), of_disease in later.group_by(["disease_code"], maintain_order=True):
        weeks = of_disease["week_start"].unique().sort().to_list()
        counts = read_counts(connection, weeks[0], weeks[-1]).join(of_disease, on=list(SERIES), how="semi")
        said = verdicts(counts, rules, weeks, population)
        frames.append(said.join(of_disease, on=list(LATER), how="semi"))
    return pl.concat(frames)


def _forget(connection: Connection[Any], later: pl.DataFrame) -> None:
    """Take the rows of these weeks of these series away: what was said before, or what nobody has reported after all."""
    with connection.cursor() as cursor:
        cursor.executemany(
            "delete from dwh.fct_idsr_alert where disease_code = %s and district_code = %s and week_start = %s",
            list(later.iter_rows()),
        )


def read_counts(connection: Connection[Any], first: date, last: date) -> pl.DataFrame:
    """Weekly counts (`weekly.COUNTS`) that the weeks from first to last (Mondays) are judged by: some five years more."""
    begin = first - timedelta(weeks=HISTORY_WEEKS)
    rows = connection.execute(READ_COUNTS, (begin, last)).fetchall()
    return pl.DataFrame(rows, schema=COUNTS, orient="row")


def _reported(connection: Connection[Any], weeks: Sequence[date]) -> pl.DataFrame:
    """How complete the reports of these weeks are (`completeness.REPORTED`)."""
    rows = connection.execute(READ_REPORTED, (list(set(weeks)),)).fetchall()
    return pl.DataFrame(rows, schema=REPORTED, orient="row")


def read_rules(connection: Connection[Any]) -> tuple[Rule, ...]:
    """The rules as the seed declares them."""
    return rules_of(pl.DataFrame(connection.execute(READ_RULES).fetchall(), schema=SCHEMA, orient="row"))


def read_population(connection: Connection[Any]) -> Mapping[str, float]:
    """Inhabitants by district code."""
    return dict(connection.execute(READ_POPULATION).fetchall())


def newest_week(warehouse: Warehouse) -> pl.DataFrame:
    """The verdicts (as `evaluate_weeks` gives them) of the newest week that was evaluated; no row where there is none."""
    with warehouse.connect() as connection:
        create_alerts(connection)
        names = sql.SQL(", ").join(map(sql.Identifier, _COLUMNS))
        statement = sql.SQL(
            "select {} from dwh.fct_idsr_alert where week_start = (select max(week_start) from dwh.fct_idsr_alert)"
        )
        rows = connection.execute(statement.format(names)).fetchall()
    return pl.DataFrame(rows, schema=_SCHEMA, orient="row")
