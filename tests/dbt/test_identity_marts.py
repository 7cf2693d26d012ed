"""Persons from raw tables to dimensions: what dbt tells of them, identity resolution through Dagster, and the marts after it."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date
from typing import Any

import dagster as dg
import pytest
from clinical_rows import visit
from dbt_runner import PSEUDONYM_KEY, Dbt
from raw_tables import insert
from small_country import JAN, KIBAGABAGA
from tracker_rows import UNIFIED, put

from hic_assets.cli import manifest
from hic_assets.extract.dhis2.tracker.fields import Kind
from hic_assets.identity.pseudonym import pseudonym
from hic_assets.resources import WarehouseResource
from hic_assets.systems import PROGRAMMES
from hic_assets.warehouse import Warehouse
from hic_assets.warehouse.url import parse_url

TB = next(programme for programme in PROGRAMMES if programme.name == "tb")
ATTRIBUTES = {
    "Nq2trCgPrMG": "1198580012345067", "jODWpD7IpTr": "Mugabozzq", "Dbsjjj6FuVL": "Jeanzzq", "UB6mKTFw4Ro": "MALE",
    "CZ54GKQ14hh": "1985-03-17", "qn2WbtxhCCi": "0788zzq", "xogir34Fv55": "Umudugudu zzq",
}  # fmt: skip
PERSON = {"family_name": "MUGABOZZQ", "given_name": "Jeanzzq", "sex": "M"}
SECRETS = ("zzq", "1198580012345067")


class ByUrl(WarehouseResource):
    url: str

    def open(self) -> Warehouse:
        return Warehouse(parse_url(self.url))


def land(warehouse: Warehouse) -> None:
    """One man in the TB programme and in a file of Kibagabaga that has three visits; a visit without a file; a woman of EBUZIMA."""
    woman = {"family_name": "Uwasezzq", "given_name": "Alice", "date_of_birth": "1997-08-22", "date_of_birth_estimated": "false",
             "facility_code": "0022", "deleted": "false", "national_id": None}  # fmt: skip
    with warehouse.connect() as connection:
        who = {"tracked_entity": "tezzqzzqzzq", "org_unit": KIBAGABAGA, "created_at": "2024-01-10T01:30:00"}
        put(connection, TB, Kind.TRACKED_ENTITIES, [{**who, "attributes": ATTRIBUTES}], pipeline=UNIFIED, partition=JAN)
        connection.execute("insert into ops.cutover (programme, by_whom, action) values ('tb', 'a test', 'unified')")
        in_file = {"file_number": "zzq-7", **PERSON}
        visits = [
            visit("p1", "02/01/2024", **in_file, national_id="1 1985 8 0012345 0 67", date_of_birth="17/03/1985"),
            visit("p2", "03/01/2024", **in_file, date_of_birth="01/01/1900", age_years="39"),
            visit("p3", "04/01/2024", **in_file, phone="0788zzq"),
            visit("p4", "04/01/2024", family_name="Bizimanazzq", given_name="Eric", sex="M", age_years="50"),
        ]
        insert(connection, "efiche_visits", visits, month=JAN)
        told = {**woman, "patient_id": "e-zzq"}
        insert(
            connection,
            "ebuzima_pregnancies",
            [{**told, "pregnancy_id": "gz1", "registered_at": "2024-01-03T23:30:00Z"}],
            month=JAN,
        )
        insert(
            connection,
            "ebuzima_deliveries",
            [{**told, "delivery_id": "dz1", "delivered_at": "2024-01-20T10:00:00+02:00"}],
            month=JAN,
        )


@pytest.fixture
def people(own_country: Dbt) -> Iterator[Dbt]:
    land(own_country.warehouse)
    yield own_country


def test_what_a_source_tells_of_a_person_is_one_row(people: Dbt) -> None:
    told = people.query(
        """select system, record_id, nid, phone, birth_date, birth_precision, facility, recorded_on from identity.person_record
           where surname ilike '%zzq%' order by system, record_id"""
    )
    assert told == [
        # Registered at half past one in the morning of the 4th in Kigali; the newest day speaks.
        ("ebuzima", "e-zzq", None, None, date(1997, 8, 22), "day", KIBAGABAGA, date(2024, 1, 20)),
        # The number of the first visit, the phone of the last; no placeholder; a day before an age.
        ("efiche", "22/zzq-7", "1 1985 8 0012345 0 67", "0788zzq", date(1985, 3, 17), "day", KIBAGABAGA, date(2024, 1, 4)),
        ("efiche", "record/p4", None, None, date(1974, 7, 1), "age", KIBAGABAGA, date(2024, 1, 4)),
        ("tb", "tezzqzzqzzq", "1198580012345067", "0788zzq", date(1985, 3, 17), "day", KIBAGABAGA, date(2024, 1, 10)),
    ]  # fmt: skip


def run_job(people: Dbt, monkeypatch: pytest.MonkeyPatch, home: Any, **config: Any) -> dg.ExecuteInProcessResult:
    monkeypatch.setenv("HIC_HOME", str(home))
    monkeypatch.setenv("HIC_PSEUDONYM_KEY", PSEUDONYM_KEY.decode())
    manifest.ensure()
    from hic_assets.definitions import build_defs

    defs = build_defs({"warehouse": ByUrl(url=people.warehouse.url)})
    quiet = {"loggers": {"console": {"config": {"log_level": "CRITICAL"}}}}
    ops = {"ops": {"identity__assignment": {"config": config}}} if config else {}
    return defs.resolve_job_def("identity").execute_in_process(run_config={**quiet, **ops}, raise_on_error=False)


def test_the_job_finds_persons_and_builds_their_dimensions(
    people: Dbt, monkeypatch: pytest.MonkeyPatch, tmp_path: Any
) -> None:
    before = dict(people.query("select record_id, person_key from identity.assignment"))
    done = run_job(people, monkeypatch, tmp_path)
    assert done.success, [e.message for e in done.all_events if e.is_failure]
    shown = done.asset_materializations_for_node("identity__assignment")[0].metadata
    assert (shown["added"].value, shown["removed"].value, shown["run"].value) == (4, 0, 2)
    assert {"records", "changed", "compared", "persons", "in_review", "merged", "split", "moved", "left_out"} <= set(
        shown
    )
    checks = {check.check_name: check for check in done.get_asset_check_evaluations()}
    assert checks["nobody_is_lost"].passed, checks["nobody_is_lost"].description
    assert all(check.passed for check in checks.values()), [c for c, one in checks.items() if not one.passed]
    assert before.items() <= dict(people.query("select record_id, person_key from identity.assignment")).items()

    key = str(pseudonym(PSEUDONYM_KEY, "efiche", "22/zzq-7"))
    (patient,) = people.query(
        f"""select p.sex, p.birth_date, p.is_birth_day_known, p.sources, p.records, p.vital_status, p.patient_key
            from dwh.dim_patient_source s join dwh.dim_patient p using (patient_key)
            where s.patient_source_key = '{key}'"""
    )
    assert patient[:6] == ("male", date(1985, 3, 17), True, ["efiche", "tb"], 2, "not known to have died")
    assert str(patient[6]) not in {
        str(pseudonym(PSEUDONYM_KEY, s, r)) for s, r in (("efiche", "22/zzq-7"), ("tb", "tezzqzzqzzq"))
    }
    no_identifier_in_the_marts(people)


def no_identifier_in_the_marts(people: Dbt) -> None:
    """Whoever may read all looks for the marks, case by case, in every relation of the marts."""
    relations = people.query(
        "select table_schema, table_name from information_schema.tables where table_schema in ('dwh', 'reporting')"
    )
    assert ("dwh", "dim_patient") in relations
    for schema, name in relations:
        for secret in SECRETS:
            found = people.query(f"select count(*) from {schema}.{name} as r where r::text ilike '%{secret}%'")
            assert found == [(0,)], (schema, name, secret)


def test_every_person_in_a_fact_is_in_the_crosswalk(people: Dbt) -> None:
    people.weekly("2024-01-01", "2024-01-08")
    people.monthly("2024-01-01", "2024-02-01", tests=True)
    people.identity()
    for fact, source in (("fct_visit", "system"), ("fct_pregnancy", "'ebuzima'"), ("fct_delivery", "'ebuzima'")):
        lost = people.query(
            f"""select {source}, count(*) from dwh.{fact} left join dwh.dim_patient_source using (patient_source_key)
                where patient_source_key is not null and patient_key is null group by 1"""
        )
        assert lost == [], fact
        assert people.query(f"select count(*) > 0 from dwh.{fact} where patient_source_key is not null") == [(True,)], (
            fact
        )


def test_the_check_says_what_should_be_looked_at(people: Dbt) -> None:
    from hic_assets.assets.identity import nobody_is_lost

    def asked() -> Any:
        return nobody_is_lost(ByUrl(url=people.warehouse.url))

    assert (asked().passed, asked().severity) == (False, dg.AssetCheckSeverity.WARN)
    assert "4 records of the sources were not there at the last run" in asked().description
    people.identity()
    assert asked().passed, asked().description
    people.query(
        'update identity.run set left_out = \'[{"rule": "UPI", "blocks": 1, "records": 500}]\', in_review = in_review + 3 where run = 2'
    )
    assert "500 records share a key" in asked().description and "wait for review" in asked().description
    assert asked().severity is dg.AssetCheckSeverity.WARN
    people.query("delete from identity.assignment where record_id = '22/zzq-7'")
    assert asked().severity is dg.AssetCheckSeverity.ERROR
    assert "1 records are about nobody" in asked().description
