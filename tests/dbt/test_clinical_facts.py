"""Visits, diagnoses, laboratory results and stock: every source row once, with what the crosswalks know of it."""

from __future__ import annotations

import re
from collections.abc import Iterator
from uuid import UUID

import clinical_facts_rows
import pytest
from dbt_runner import BOTH, BUILT, PSEUDONYM_KEY, Dbt
from pg_servers import copied_database
from small_country import FEB, JAN, KIBAGABAGA, REMERA

from hic_assets.identity.pseudonym import pseudonym
from hic_assets.warehouse import Warehouse

EVERY_ROW = {
    "fct_visit": "every_visit_is_in_fct_visit",
    "fct_diagnosis": "every_diagnosis_is_in_fct_diagnosis",
    "fct_lab_result": "every_result_is_in_fct_lab_result",
    "fct_stock_balance": "every_card_is_in_fct_stock_balance",
}
FACTS = tuple(EVERY_ROW)
MODELS = ("int_code_use", "int_facility_crosswalk", *FACTS)
WINDOW = ("--event-time-start", BOTH[0], "--event-time-end", BOTH[1])
FEBRUARY = ("--event-time-start", FEB, "--event-time-end", BOTH[1])
MARIE = "100035135539555"


@pytest.fixture(scope="module")
def clinic(country: Dbt, postgres_server: Warehouse, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Dbt]:
    """A copy of the country with more records, built. For reading only, but for what a test puts back."""
    with copied_database(postgres_server, BUILT) as warehouse:
        with warehouse.connect() as connection:
            clinical_facts_rows.land(connection)
        dbt = Dbt(warehouse, tmp_path_factory.mktemp("dbt_clinic"))
        dbt.run("build", "--select", *MODELS, "rpt_stock_balance", "--exclude-resource-type", "unit_test", *WINDOW)
        yield dbt


def key(source: str, record: str) -> UUID:
    return pseudonym(PSEUDONYM_KEY, source, record)


def test_every_row_of_a_source_is_a_row_of_its_fact(country: Dbt) -> None:
    """Also those of a health post that nobody knows, of a code that is not mapped, and of words."""
    found = {
        fact: country.query(f"select system, count(*) from dwh.{fact} group by system order by 1") for fact in FACTS
    }
    assert found == {
        "fct_visit": [("cemr", 1), ("efiche", 2), ("hpemr", 1)],
        "fct_diagnosis": [("cemr", 2), ("efiche", 5), ("hpemr", 1)],
        "fct_lab_result": [("efiche", 2)],
        "fct_stock_balance": [("efiche", 1)],
    }
    assert country.query(
        "select system, facility_uid, source_facility_code, source_code, icd10_code, icd11_code, mapping_status"
        " from dwh.fct_diagnosis order by system, period_start, position"
    ) == [
        ("cemr", REMERA, "|Lemela HC|Akarere ka Gasabo", "MALARIA", "B50.9", "1F40", "exact"),
        ("cemr", REMERA, "|Lemela HC|Akarere ka Gasabo", "BROKEN_LEG", None, None, "unmapped"),
        ("efiche", KIBAGABAGA, "22", "P01", "B50.9", "1F40", "exact"),
        ("efiche", KIBAGABAGA, "22", None, None, None, "words only"),
        ("efiche", KIBAGABAGA, "22", None, None, None, "words only"),
        ("efiche", KIBAGABAGA, "22", "Z99", None, None, "unmapped"),
        ("efiche", KIBAGABAGA, "22", "Z99", None, None, "unmapped"),
        ("hpemr", None, "HP-00106", "HPD-017", None, None, "unmapped"),
    ]


@pytest.mark.parametrize("facts", [("fct_visit",), FACTS[1:]], ids=["visits", "what is of visits"])
def test_a_row_that_is_lost_is_told(clinic: Dbt, facts: tuple[str, ...]) -> None:
    """In the months of the run. Of visits by themselves: dbt skips the tests of what is made of them."""
    selected = ("build", "--select", *(EVERY_ROW[fact] for fact in facts), "--exclude-resource-type", "unit_test")
    assert set(clinic.run(*selected, *WINDOW).values()) == {"pass"}
    for fact in facts:
        clinic.query(f"create table public.{fact} as select * from dwh.{fact} where period_start = '{JAN}'")
        clinic.query(
            f"delete from dwh.{fact} where ctid in (select min(ctid) from dwh.{fact} where period_start = '{JAN}')"
        )
    try:
        with pytest.raises(AssertionError) as failed:
            clinic.run(*selected, *WINDOW)
        assert set(clinic.run(*selected, *FEBRUARY).values()) == {"pass"}
    finally:
        for fact in facts:
            clinic.query(f"delete from dwh.{fact} where period_start = '{JAN}'")
            clinic.query(f"insert into dwh.{fact} select * from public.{fact}")
    assert set(re.findall(r"FAIL 1 (every_\w+)", str(failed.value))) == {EVERY_ROW[fact] for fact in facts}


def test_a_visit_says_who_came_where_and_who_pays(clinic: Dbt) -> None:
    assert clinic.query(
        "select visit_date::text, period_start::text, visit_type, facility_uid, is_new_case, sex, age_years, age_band_key,"
        " insurance_key, insurance_mapping, outcome, was_referred, referred_to_facility_uid, amount_paid_rwf"
        f" from dwh.fct_visit where visit_key = '{key('efiche_visit', 'x1')}'"
    ) == [
        ("2024-01-10", JAN, "outpatient", REMERA, True, "F", 3, "opd_under_5", "cbhi_ubudehe_3", "exact", "referred",
         True, KIBAGABAGA, 200)
    ]  # fmt: skip
    assert clinic.query(
        "select visit_type, facility_uid, age_years, age_months, age_band_key, insurance_key, was_referred"
        f" from dwh.fct_visit where visit_key = '{key('cemr_encounter', '78')}'"
    ) == [("community_child_illness", REMERA, 4, 59, "opd_under_5", None, False)]


def test_a_person_is_a_file_of_a_facility_a_registration_or_a_visit_alone(clinic: Dbt) -> None:
    assert clinic.query(
        "select v.system, v.visit_date::text, v.patient_source_key from dwh.fct_visit v order by 1, 2"
    ) == [
        ("cemr", "2024-01-30", key("cemr", MARIE)),
        ("cemr", "2024-01-31", key("cemr", MARIE)),
        ("efiche", "2024-01-10", key("efiche", f"440/{clinical_facts_rows.FILE}")),
        ("efiche", "2024-01-20", key("efiche", "22/00007/24")),
        ("efiche", "2024-01-31", key("efiche", "record/v1")),
        ("efiche", "2024-02-01", key("efiche", "record/v3")),
        ("efiche", "2024-02-11", key("efiche", f"440/{clinical_facts_rows.FILE}")),
        ("hpemr", "2024-01-31", key("hpemr", "record/e1")),
    ]
    # Results and diagnoses lead to the visit and the person.
    assert clinic.query(
        "select r.source_code, v.facility_uid, d.source_code, d.is_primary, d.is_confirmed, d.age_band_key"
        " from dwh.fct_lab_result r join dwh.fct_visit v using (visit_key, patient_source_key)"
        " join dwh.fct_diagnosis d using (visit_key, patient_source_key) where r.system = 'efiche' order by r.position, d.position limit 2"
    ) == [
        ("TDR", REMERA, "P01", True, True, "opd_under_5"),
        ("TDR", REMERA, "H01", False, False, "opd_under_5"),
    ]


def test_a_result_is_a_number_in_one_unit_or_an_answer(clinic: Dbt) -> None:
    found = clinic.query(
        "select system, facility_uid, source_code, loinc_code, value_number, unit, round(value_standard::numeric, 2)::float,"
        " standard_unit, value_text, is_positive, is_abnormal, age_band_key from dwh.fct_lab_result"
        " order by system, ordered_on, position"
    )
    assert found == [
        ("cemr", REMERA, "RDT", "70569-9", None, None, None, None, "negative", False, None, "opd_under_5"),
        ("efiche", REMERA, "TDR", "70569-9", None, None, None, None, "positive", True, None, "opd_under_5"),
        # 5.5 x 18.0156 = 99.0858
        ("efiche", REMERA, "GLY", "2339-0", 5.5, "mmol/L", 99.09, "mg/dL", None, None, False, "opd_under_5"),
        ("efiche", REMERA, "HB", "718-7", 8.9, "g/dl", 8.9, "g/dL", None, None, True, "opd_under_5"),
        ("efiche", KIBAGABAGA, "HB", "718-7", 9.8, "g/dL", 9.8, "g/dL", None, None, True, None),
        ("efiche", KIBAGABAGA, "WIDAL", None, None, None, None, None, "TO 1/160", None, None, None),
    ]


def test_a_stock_card_says_what_is_wrong_with_it(clinic: Dbt) -> None:
    """A local product is a pack: 30 blisters of 24 tablets left in January; not what February begins with."""
    assert clinic.query(
        "select source_code, product_code, closing_quantity * quantity_factor, moved_issued_quantity, is_negative_closing,"
        " is_stockout_too_long, is_unbalanced, differs_from_movements, is_duplicate from dwh.fct_stock_balance"
        " order by period_start, source_code"
    ) == [
        ("MED019", "AL-20-120-TAB", 720, 20, False, False, False, False, False),
        # As landed with the country: no product of the list, and nothing but a closing.
        ("MED999", None, None, 0, True, None, None, None, False),
        ("MED019", "AL-20-120-TAB", -120, 40, True, True, False, True, False),
    ]
    assert clinic.query(
        "select month::text, fosa_code, facility_name, product_name, opening_quantity, previous_closing_quantity, is_opening_other"
        " from reporting.rpt_stock_balance where source_code = 'MED019' order by 1"
    ) == [
        (JAN, "0022", "Kibagabaga", "Artemether-lumefantrine 20/120 mg, tablet", 50, None, None),
        (FEB, "0022", "Kibagabaga", "Artemether-lumefantrine 20/120 mg, tablet", 40, 30, True),
    ]


def test_everyone_of_an_age_is_in_one_band_of_a_set(country: Dbt) -> None:
    """A person a day, to 100 years. Sets that leave out ages, and what a form of mothers begins with."""
    found = country.query(
        "with days as (select b.band_set, d::date as day, count(*) as bands from generate_series(date '1920-01-01',"
        " date '2019-12-31', interval '1 day') d join dwh.dim_age_band b on date '2020-01-01' >= d::date"
        " + make_interval(months => b.from_months, days => b.from_days) and date '2020-01-01' < coalesce(d::date"
        " + make_interval(months => b.below_months, days => b.below_days), 'infinity') group by 1, 2)"
        " select band_set, max(bands), count(*) = 36525 from days group by 1 order by 1"
    )
    assert {name for name, most, _ in found if most > 1} == set()
    assert {name for name, _, whole in found if not whole} == {"delivery", "family_planning", "neonatal"}
    assert len(found) == 16


def test_every_code_of_the_crosswalk_has_a_chapter_and_a_block(country: Dbt) -> None:
    assert country.query(
        "select icd10_code, icd10_chapter, icd10_block, icd11_code, icd11_chapter, is_sensitive from dwh.dim_diagnosis"
        " where diagnosis_key in ('efiche:P01', 'hpemr:HPD-034', 'hpemr:HPD-012') order by diagnosis_key"
    ) == [
        ("B50.9", "I", "B50-B64", "1F40", "01", False),
        ("B82.9", "I", "B65-B83", None, None, False),
        ("B24", "I", "B20-B24", "1C62.Z", "01", True),
    ]
    (counts,) = country.query(
        "select count(*), count(icd10_chapter_title), count(icd10_block_title), (select count(distinct (system, source_code))"
        " from staging.xwalk_diagnosis) from dwh.dim_diagnosis"
    )
    assert len(set(counts)) == 1 and counts[0] > 90
