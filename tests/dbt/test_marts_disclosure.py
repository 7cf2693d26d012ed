"""No small count can be recovered from the programme marts: random tables through the compiled SQL, and an attack on what is told.

Every number of a report is an equation. What is attacked is every column, shown or hidden, and what columns leave of each other.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from typing import Any

import pytest
import tb_attack as tb
from attack import REPORTING, TREE, Classes, Persons, Said, line
from dbt_runner import Dbt
from hypothesis import given
from hypothesis import strategies as st
from marts_attack import Attacked, Columns, Connection, Periods, added_up, every, naive, said, total, tried
from marts_births import audit_event, audited
from marts_hiv import hiv
from marts_rows import Row, loaded, put
from pg_servers import copied_database

from hic_assets.warehouse import Warehouse

MARTS_BUILT = "hic_test_marts_built"
LEVELS = {"country": 1, "province": 2, "district": 3, "facility": 6}
EMPTIED = (
    "intermediate.int_org_unit_closure, intermediate.int_tb_event, intermediate.int_hiv_event, intermediate.int_hiv_month,"
    " intermediate.int_hiv_cohort, intermediate.int_death_audit_event, intermediate.int_death_audit_quarter,"
    " intermediate.int_programme_disclosure,"
    " dwh.fct_event_count, dwh.fct_measure_month, dwh.fct_tb_cohort, dwh.fct_hiv_cascade, dwh.fct_hiv_cohort, dwh.fct_programme_month"
)
Build = Callable[[str], None]

often = st.sampled_from([20, 40, 9, 6, 5, 0])
seldom = st.sampled_from([0, 9, 5, 0, 20, 3, 0, 6, 7, 1, 0, 4])


@pytest.fixture(scope="module")
def connection(marts: Dbt, postgres_server: Warehouse) -> Iterator[Connection]:
    """The built marts without their rows, the tree of places replaced by the one of the attack."""
    with copied_database(postgres_server, MARTS_BUILT) as copy, copy.connect() as connection:
        connection.execute(f"truncate {EMPTIED}".encode())
        connection.cursor().executemany(
            "insert into intermediate.int_org_unit_closure"
            " (descendant_uid, ancestor_uid, ancestor_level, ancestor_role, is_reporting_level) values (%s, %s, %s, %s, true)",
            [(p, a, LEVELS[TREE[a][1]], TREE[a][1]) for p in TREE for a in line(p)],
        )
        for audit in ("maternal_death_audit", "perinatal_death_audit"):
            for kind in ("enrollments", "events"):
                loaded(connection, "hmis_tracker", f"{audit}_{kind}", ["2024-04-01"])
        connection.execute("create temporary sequence attack_row")
        connection.commit()
        yield connection


@pytest.fixture(scope="module")
def build(marts: Dbt, connection: Connection) -> Build:
    """Fill a table by its model's SQL, as dbt compiled it; of a model of months, for all months."""

    def run(model: str) -> None:
        schema, name = model.split(".")
        compiled = next((marts.target / "compiled").rglob(f"{name}*.sql"))
        sql = re.sub(r'"hic_test_\w+"\.', "", compiled.read_text())
        sql = re.sub(r"where period_start >= (?:date )?'2[^']+' and period_start < (?:date )?'2[^']+'", "", sql)
        connection.execute(f"insert into {schema}.{name} {sql}".encode())

    return run


def ask(connection: Connection, report: str, period: str, columns: Columns, periods: Periods) -> Said:
    """What a report tells of the periods."""
    query = f"select org_unit_uid, {period}, {', '.join(columns)} from {report} where {period} = any(%s)"
    return said(connection.execute(query.encode(), [list(periods)]).fetchall(), columns, periods)


def by_month(connection: Connection, build: Build, programme: str, persons: Persons, classes: Classes) -> Said:
    """What rpt_programme_monthly says of the same persons, by month."""
    counted = dict.fromkeys(("records", "took_place", "people", "completed"), classes)
    none = dict.fromkeys(("active", "visited", "scheduled", "overdue", "skipped", "cancelled"), 0)
    of = {"programme": programme, "stage_key": programme, "is_complete": True}
    put(connection, "dwh.fct_programme_month", [row | none | of for row in added_up(persons, counted)])
    build("intermediate.int_programme_disclosure")
    months = {atom: (atom,) for _, atom in persons}
    told = ask(connection, "reporting.rpt_programme_monthly", "month::text", {"took_place": classes}, months)
    connection.execute("truncate dwh.fct_programme_month, intermediate.int_programme_disclosure")
    return told


def nearly(classes: Classes, first: str, other: str, atoms: tuple[str, ...]) -> Any:
    """Random tables in which nearly all are of one class, so that those of another tell of it."""
    some = {first: st.sampled_from([20, 40, 3]), other: st.sampled_from([0, 0, 8])}
    its = st.fixed_dictionaries({name: some.get(name, st.just(0)) for name in classes})
    return st.fixed_dictionaries({(unit, atom): its for unit in REPORTING for atom in atoms})


def persons_of(classes: Classes, atoms: tuple[str, ...]) -> Any:
    """Random tables: of each place and atom, many of the first class and now and then some of the others."""
    its = st.fixed_dictionaries({name: seldom if n else often for n, name in enumerate(classes)})
    return st.fixed_dictionaries({(unit, atom): its for unit in REPORTING for atom in atoms})


# --- TB: notifications and outcomes by quarter, and notifications by month ---------------------------------------------

TB_MONTHS: Periods = {day: (day,) for day in tb.DAYS}


def publish_tb(connection: Connection, build: Build, table: dict[tuple[str, str], tb.Cases]) -> Said:
    """What rpt_tb_cohort says, and rpt_programme_monthly of the same cases."""
    tb.land(connection, table)
    build("dwh.fct_tb_cohort")
    persons = {key: tb.by_class(its) for key, its in table.items()}
    months = by_month(connection, build, "tb", persons, tb.TYPES)
    quarters = ask(connection, "reporting.rpt_tb_cohort", "period_notified", tb.COLUMNS, tb.PERIODS)
    connection.rollback()
    return {**quarters, **months}


def test_no_small_count_of_tb_can_be_recovered(connection: Connection, build: Build) -> None:
    attacked = Attacked(tb.ALIKE, every(tb.TARGETS, tb.PERIODS) + every([tb.TYPES], TB_MONTHS))

    @tried(60)
    @given(tb.tables)
    def attack(table: dict[tuple[str, str], tb.Cases]) -> None:
        persons = {key: tb.by_class(its) for key, its in table.items()}
        assert attacked.exposed(persons, publish_tb(connection, build, table)) == []

    attack()
    attacked.had_much_to_show_and_to_hide()


def test_hiding_small_counts_alone_would_not_do() -> None:
    """The attack works: the district less its other facility tells of three cases."""
    persons = {("Facility005", tb.MAY): tb.by_class({tb.MANY: 3}), ("Facility006", tb.MAY): tb.by_class({tb.MANY: 20})}
    found = Attacked(tb.ALIKE, every(tb.TARGETS, tb.PERIODS)).exposed(persons, naive(persons, tb.COLUMNS, tb.PERIODS))
    assert any(one.endswith("which is 3, is within 3 and 3") for one in found), found


# --- HIV: the cascade at the end of a month, and retention after 6 and 12 months ------------------------------------------

STEPS = ("enrolled only", "60 only", "30 only", "measured only", "suppressed")
CASCADE: Columns = {
    name: STEPS[n:] for n, name in enumerate(("enrolled", "on_art_60", "on_art_30", "viral_load_done", "suppressed"))
}
MONTHS = ("2024-05-01", "2024-06-01")
CASCADE_PERIODS: Periods = {"2024-05": MONTHS[:1], **dict.fromkeys(("2024-06", "2024Q2", "2024"), MONTHS[1:])}


def test_no_small_count_of_the_hiv_cascade_can_be_recovered(connection: Connection, build: Build) -> None:
    attacked = Attacked([], every([*CASCADE.values(), *((name,) for name in STEPS)], CASCADE_PERIODS))

    @tried(60)
    @given(persons_of(STEPS, MONTHS))
    def attack(persons: Persons) -> None:
        rows = [row | {"week_start": "2024-07-01"} for row in added_up(persons, CASCADE)]
        put(connection, "intermediate.int_hiv_month", rows)
        build("dwh.fct_hiv_cascade")
        told = ask(connection, "reporting.rpt_hiv_cascade", "period", CASCADE, CASCADE_PERIODS)
        connection.rollback()
        assert attacked.exposed(persons, told) == []

    attack()
    attacked.had_much_to_show_and_to_hide()


ENDS = ("retained_30", "transferred_out", "died", "60 only", "lost")
# months on -> the month that people of one quarter are looked at
LOOKED_AT = {6: "2024-02-01", 12: "2024-08-01"}
BOTH_ENDS = tuple(f"{end} {mark}" for mark in LOOKED_AT for end in ENDS)
STARTED_IN = ("2023-08-01",)
STARTED: Periods = {"2023Q3": STARTED_IN}


def cohort(mark: int) -> Columns:
    """The columns of the report by what became of people after so many months."""
    names = {end: f"{end} {mark}" for end in ENDS}
    return {
        "started": tuple(names.values()),
        "transferred_out": (names["transferred_out"],),
        "died": (names["died"],),
        "retained_60": (names["retained_30"], names["60 only"]),
        "retained_30": (names["retained_30"],),
        "denominator": tuple(name for end, name in names.items() if end != "transferred_out"),
    }


def both_marks(its: dict[str, int]) -> dict[str, int]:
    """As many started who are looked at after 6 months as after 12: those that lack are retained."""
    sums = [sum(number for name, number in its.items() if name.endswith(f" {mark}")) for mark in LOOKED_AT]
    lacking = {f"retained_30 {mark}": max(sums) - number for mark, number in zip(LOOKED_AT, sums, strict=True)}
    return {name: number + lacking.get(name, 0) for name, number in its.items()}


def test_no_small_count_of_the_hiv_cohort_can_be_recovered(connection: Connection, build: Build) -> None:
    alike = [(cohort(6)["started"], cohort(12)["started"])]
    columns = [its for mark in LOOKED_AT for its in (*cohort(mark).values(), (f"lost {mark}",))]
    attacked = Attacked(alike, every(columns, STARTED))

    @tried(150)
    @given(persons_of(BOTH_ENDS, STARTED_IN) | nearly(BOTH_ENDS, "retained_30 12", "lost 12", STARTED_IN))
    def attack(drawn: dict[Any, dict[str, int]]) -> None:
        persons = {key: both_marks(its) for key, its in drawn.items()}
        told: dict[Any, float] = {}
        put(
            connection, "intermediate.int_hiv_event", [hiv("some", "exit", day) for day in ("2024-01-01", "2024-12-02")]
        )
        for mark, month in LOOKED_AT.items():
            counted = {name: its for name, its in cohort(mark).items() if name != "denominator"}
            more = {"months_on": mark, "week_start": "2024-01-01", "period_start": month}
            put(connection, "intermediate.int_hiv_cohort", [row | more for row in added_up(persons, counted)])
        build("dwh.fct_hiv_cohort")
        for mark in LOOKED_AT:
            report = f"(select * from reporting.rpt_hiv_cohort where months_on = {mark}) as of_mark"
            told |= ask(connection, report, "quarter_started", cohort(mark), STARTED)
        connection.rollback()
        assert attacked.exposed(persons, told) == []

    attack()
    attacked.had_much_to_show_and_to_hide()


# --- Mothers and newborns: of the audits who was audited, and when --------------------------------------------------------------

AUDITS = ("none", "in time", "late", "unknown")
OF_AUDITS = tuple(f"{its} {audit}" for its in ("maternal", "perinatal") for audit in AUDITS)


def audits(programme: str) -> Columns:
    """The columns of the report by what became of the cases of a programme."""
    none, in_time, late, unknown = (f"{programme} {audit}" for audit in AUDITS)
    return {
        f"{programme}_notified": (none, in_time, late, unknown),
        f"{programme}_audited": (in_time, late, unknown),
        f"{programme}_audited_in_time": (in_time,),
        f"{programme}_lateness_unknown": (unknown,),
    }


OUTCOMES: Columns = audits("maternal") | audits("perinatal")
DIED = ("2024-04-01", "2024-05-01", "2024-08-01")
OUTCOME_PERIODS: Periods = {"2024Q2": DIED[:2], "2024Q3": DIED[2:], "2024": DIED, "fy_2023_24": DIED[:2]}


def audit_rows(persons: Persons) -> Iterator[Row]:
    """Cases of deaths and their audits; where the lateness is not known the case is not loaded."""
    for (unit, day), its in persons.items():
        for programme in ("maternal", "perinatal"):
            for audit in AUDITS:
                for n in range(its[f"{programme} {audit}"]):
                    case = f"{programme} {audit} {unit} {day} {n}"
                    if audit == "unknown":
                        yield audit_event(case, day, True, programme, unit)
                    else:
                        on = {"in time": f"{day[:8]}05", "late": f"{day[:8]}25"}.get(audit)
                        yield from audited(case, day, on, programme, unit)


def test_no_small_count_of_mothers_and_newborns_can_be_recovered(connection: Connection, build: Build) -> None:
    cases: list[Classes] = [tuple(f"{its} {a}" for a in AUDITS[:3]) for its in ("maternal", "perinatal")]
    left = [(f"{its} {audit}",) for its in ("maternal", "perinatal") for audit in ("none", "late")]
    columns = every([*OUTCOMES.values(), *left], OUTCOME_PERIODS)
    attacked = Attacked([], columns + every(cases, {day: (day,) for day in DIED}))

    @tried(40)
    @given(
        persons_of(OF_AUDITS, DIED)
        | nearly(OF_AUDITS, "maternal in time", "maternal none", DIED)
        | nearly(OF_AUDITS, "perinatal none", "perinatal late", DIED)
    )
    def attack(persons: Persons) -> None:
        put(connection, "intermediate.int_death_audit_event", audit_rows(persons))
        build("intermediate.int_death_audit_quarter")
        told = dict(ask(connection, "reporting.rpt_maternal_perinatal", "period", OUTCOMES, OUTCOME_PERIODS))
        for programme, its in zip(("maternal_death_audit", "perinatal_death_audit"), cases, strict=True):
            told |= by_month(connection, build, programme, persons, its)
        connection.rollback()
        assert attacked.exposed(persons, told) == []

    attack()
    attacked.had_much_to_show_and_to_hide()


# --- Deaths in civil registration: in time or not, with a cause or not ----------------------------------------------------------

REGISTERED = ("on time with cause", "on time without", "late with cause", "late without")
REGISTRY: Columns = {
    "registered_deaths": REGISTERED,
    "deaths_registered_on_time": REGISTERED[:2],
    "deaths_with_cause": REGISTERED[::2],
}
COUNTED = dict(zip(("DEATHS", "DEATHS_REGISTERED_ON_TIME", "DEATHS_WITH_CAUSE"), REGISTRY.values(), strict=True))


def test_no_small_count_of_registered_deaths_can_be_recovered(connection: Connection) -> None:
    left: list[Classes] = [REGISTERED[2:], REGISTERED[1::2]]
    attacked = Attacked([], every([*REGISTRY.values(), *left], OUTCOME_PERIODS))

    @tried(100)
    @given(persons_of(REGISTERED, DIED) | nearly(REGISTERED, REGISTERED[0], REGISTERED[3], DIED))
    def attack(persons: Persons) -> None:
        for row in added_up(persons, COUNTED):
            of = {name: row[name] for name in ("org_unit_uid", "level", "period_start")}
            of |= {"week_start": row["period_start"], "item": "crvs"}
            put(
                connection, "dwh.fct_event_count", [of | {"measure_code": name, "value": row[name]} for name in COUNTED]
            )
        told = ask(connection, "reporting.rpt_civil_registration", "period", REGISTRY, OUTCOME_PERIODS)
        connection.rollback()
        assert attacked.exposed(persons, told) == []

    attack()
    attacked.had_much_to_show_and_to_hide()


def test_a_unit_that_the_registry_does_not_know_is_never_shown_and_hides_nobody_else(connection: Connection) -> None:
    persons = {(unit, DIED[0]): dict.fromkeys(REGISTERED, 10) for unit in REPORTING}
    of = {"week_start": DIED[0], "item": "crvs", "period_start": DIED[0]}
    for row in added_up(persons, COUNTED):
        place = {name: row[name] for name in ("org_unit_uid", "level")}
        put(connection, "dwh.fct_event_count", [of | place | {"measure_code": m, "value": row[m]} for m in COUNTED])
    lost = of | {"org_unit_uid": "Nowhere0001", "level": "unmapped"}
    put(connection, "dwh.fct_event_count", [lost | {"measure_code": m, "value": 3} for m in COUNTED])
    told = dict(
        connection.execute(
            "select org_unit_uid, registered_deaths from reporting.rpt_civil_registration where period = '2024Q2'"
        ).fetchall()
    )
    connection.rollback()
    assert told.pop("Nowhere0001") is None
    assert told == {place: total(persons, place, DIED[:1], REGISTERED) for place in TREE}
