"""Disruptions in the warehouse: what is read, and `dwh.fct_quality_disruption`, which is replaced as a whole.

Belongs here: all SQL of disruptions that is not dbt's. Does not belong here: what is disrupted (`panels`), when (`assets`).
"""

from __future__ import annotations

from typing import Any, LiteralString

import polars as pl
from psycopg import Connection, sql

from hic_assets.disruption.panels import COUNTS, DISRUPTIONS, disruptions
from hic_assets.landing.copy import copy_into
from hic_assets.landing.ddl import create_once, exists
from hic_assets.warehouse import Warehouse

DDL = """
create table if not exists dwh.fct_quality_disruption (
    org_unit_uid text not null,
    level text not null check (level in ('country', 'province', 'district')),
    indicator_id text not null,
    period_start date not null check (extract(day from period_start) = 1),
    actual double precision,
    reported double precision,
    usual double precision,
    control double precision,
    expected double precision,
    expected_published double precision,
    effect double precision,
    p_value double precision check (p_value between 0 and 1),
    is_sharp boolean,
    is_sustained boolean,
    is_dip boolean,
    is_rise boolean,
    is_missing boolean,
    is_tagged boolean,
    is_disrupted boolean,
    is_tagged_published boolean,
    why_unknown text check (why_unknown in ('too_few_months', 'not_separable')),
    primary key (org_unit_uid, indicator_id, period_start),
    check ((is_tagged is null) = (why_unknown is not null and why_unknown = 'too_few_months'))
);
comment on table dwh.fct_quality_disruption is
    'FASTR module 3: use of services against what was expected; one row a place, indicator and month.';
"""
# Of facilities, the places they are in by the hierarchy of today; what is in no country is in no sum.
READ: LiteralString = """
with places as (
    select descendant_uid,
           max(ancestor_uid) filter (where ancestor_role = 'country') as country_uid,
           max(ancestor_uid) filter (where ancestor_role = 'province') as province_uid,
           max(ancestor_uid) filter (where ancestor_role = 'district') as district_uid
    from intermediate.int_org_unit_closure
    where is_reporting_level
    group by descendant_uid
)
select country_uid, province_uid, district_uid, indicator_id, period_start, sum(value_both), sum(value_none)
from dwh.fct_quality_adjusted
join places on descendant_uid = org_unit_uid
where country_uid is not null
group by 1, 2, 3, 4, 5
"""


def create_disruptions(connection: Connection[Any]) -> None:
    """Create the table where it is missing: the view that reads it need not wait for the first month."""
    if not exists(connection, "dwh", "fct_quality_disruption"):
        create_once(connection, DDL)


def read_counts(connection: Connection[Any]) -> pl.DataFrame:
    """The adjusted counts of districts (`panels.COUNTS`), of all months."""
    return pl.DataFrame(connection.execute(READ).fetchall(), schema=COUNTS, orient="row")


def judge_all(warehouse: Warehouse) -> pl.DataFrame:
    """Judge every series from the counts of now, and replace the table; gives the rows written (`panels.DISRUPTIONS`).

    All of them, since a new month changes the trend and season of every month before. One transaction: readers see the old
    rows or the new ones, and are not made to wait. Two at once wait for each other.
    """
    with warehouse.connect() as connection:
        create_disruptions(connection)
        connection.execute("select pg_advisory_xact_lock(hashtext('hic quality disruptions'))")
        found = disruptions(read_counts(connection))
        connection.execute("delete from dwh.fct_quality_disruption")
        with copy_into(connection, sql.Identifier("dwh", "fct_quality_disruption"), tuple(DISRUPTIONS)) as copy:
            copy.write(found.select(list(DISRUPTIONS)))
    with warehouse.connect(autocommit=True) as connection:
        connection.execute("vacuum analyze dwh.fct_quality_disruption")
    return found
