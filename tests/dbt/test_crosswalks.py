"""Local codes and what they mean: in use, mapped, and the work list of those that are not. Rules: the unit tests of dbt."""

from __future__ import annotations

from dbt_runner import Dbt
from small_country import KIBAGABAGA, REMERA

OTHER_WORDS = "(other words)"


def test_facilities_of_every_system_lead_to_the_registry(country: Dbt) -> None:
    found = country.query(
        "select system, source_key, facility_uid, matched_by, confidence from intermediate.int_facility_crosswalk"
        " order by 1, 2"
    )
    assert found == [
        ("cemr", "440|Remera|GASABO", REMERA, "fosa", 1),
        ("cemr", "|Lemela HC|Akarere ka Gasabo", REMERA, "spelling and district", 0.9),
        ("ebuzima", "0022", KIBAGABAGA, "fosa", 1),
        ("efiche", "22", KIBAGABAGA, "fosa", 1),
        ("efiche", "440", REMERA, "fosa", 1),
        ("efiche", "7657", None, "nothing", None),
        ("hpemr", "HP-00106", None, "nothing", None),
        ("hpemr", "|Remera HC|", REMERA, "name alone", 0.8),
        ("idsr", "F0022", KIBAGABAGA, "fosa", 1),
        ("idsr", "F0440", REMERA, "fosa", 1),
        ("idsr", "F9999", None, "nothing", None),
    ]


def test_everything_seen_and_not_mapped_is_in_the_work_list(country: Dbt) -> None:
    found = country.query(
        "select system, kind, source_code, source_label, records, facilities, first_seen::text, last_seen::text, suggestion"
        " from reporting.rpt_unmapped_codes order by 1, 2, 3, 4"
    )
    add, words = "add the code to the crosswalk", "words in place of a code: look at the system"
    label = "the label of D11: write the code in the system"
    assert found == [
        ("cemr", "diagnosis", "BROKEN_LEG", None, 1, 1, "2024-01-31", "2024-01-31", add),
        ("efiche", "diagnosis", "Z99", "New on the form", 2, 1, "2024-01-31", "2024-02-01", add),
        ("efiche", "diagnosis", None, OTHER_WORDS, 1, 1, "2024-01-31", "2024-01-31", words),
        ("efiche", "diagnosis", None, "gastrite", 1, 1, "2024-01-31", "2024-01-31", label),
        ("efiche", "facility", "7657", "Not in the registry", 1, 1, "2024-01-03", "2024-01-03", "none is like it"),
        ("efiche", "lab_test", "WIDAL", "Widal", 1, 1, "2024-01-31", "2024-01-31", add),
        ("efiche", "product", "MED999", "NOUVEAU PRODUIT", 1, 1, "2024-01-31", "2024-01-31", add),
        ("hpemr", "diagnosis", "HPD-017", "Eye problem", 1, 1, "2024-01-31", "2024-01-31", add),
        ("hpemr", "facility", "HP-00106", "Gakira HP", 2, 1, "2024-01-31", "2024-01-31", "none is like it"),
        ("idsr", "disease", "DISEASE_X", "New disease", 1, 1, "2024-01-30", "2024-01-30", add),
        ("idsr", "facility", "F9999", "Some HC", 1, 1, "2024-01-29", "2024-01-29", "none is like it"),
    ]


def test_words_about_a_person_go_no_further_than_staging(country: Dbt) -> None:
    """What is written in place of a code may say anything."""
    relations = country.query(
        "select table_schema, table_name from information_schema.tables"
        " where table_schema in ('intermediate', 'dwh', 'reporting')"
    )
    assert len(relations) > 40
    looked = [
        f"select '{name}' from {schema}.{name} as r where r::text like '%Mukamana%'" for schema, name in relations
    ]
    assert country.query(" union all ".join(looked)) == []
    assert country.query("select 1 from staging.stg_efiche__visit_diagnoses as r where r::text like '%Mukamana%'") == [
        (1,)
    ]


def test_no_column_that_identifies_somebody_goes_further_than_staging(country: Dbt) -> None:
    names = ("upi", "national_id", "family_name", "given_name", "full_name", "mother_name", "phone", "date_of_birth",
             "temporary_id", "file_number", "insurance_number", "household_id", "chw_id", "village", "epid_number")  # fmt: skip
    assert (
        country.query(
            "select table_name, column_name from information_schema.columns"
            f" where table_schema in ('intermediate', 'dwh', 'reporting') and column_name in {names}"
        )
        == []
    )


def test_printed_codes_that_are_wrong_are_corrected_and_kept(country: Dbt) -> None:
    found = country.query(
        "select source_code, printed_code, target_code from staging.xwalk_diagnosis"
        " where system = 'efiche' and target_system = 'ICD-10' and source_code in ('D03', 'O02', 'F01', 'N04', 'S05', 'P02')"
        " and note <> '' order by 1"
    )
    assert found == [
        ("D03", "A09.3", "A03.9"),
        ("F01", "W46", "R50.9"),
        ("N04", "F80-F89", "F10.9"),
        ("O02", "H29.9", "H26.9"),
        ("P02", "B53.8.0", "B50.9"),
        ("S05", "L??", "L98.9"),
    ]


def test_one_product_is_counted_in_one_unit(country: Dbt) -> None:
    found = country.query(
        "select system, source_code, quantity_factor from staging.xwalk_product where target_code = 'AL-20-120-TAB'"
        " and system in ('efiche', 'hpemr') order by 1, 2"
    )
    assert found == [
        ("efiche", "MED016", 6), ("efiche", "MED017", 12), ("efiche", "MED018", 18), ("efiche", "MED019", 24),
        ("hpemr", "AL", 1),
    ]  # fmt: skip


def test_a_month_landed_again_replaces_its_share_of_the_list(own_country: Dbt) -> None:
    with own_country.warehouse.connect() as connection:
        connection.execute(b"delete from raw.efiche_visits where _partition = '2024-01-01'")
        connection.execute(b"delete from raw.efiche_stock_movements")
    own_country.run(
        "build", "--select", "int_code_use+", "--exclude-resource-type", "unit_test", "--event-time-start", "2024-01-01",
        "--event-time-end", "2024-02-01",
    )  # fmt: skip
    found = own_country.query(
        "select source_code, records, first_seen::text from reporting.rpt_unmapped_codes"
        " where system = 'efiche' and kind in ('diagnosis', 'facility')"
    )
    assert found == [("Z99", 1, "2024-02-01")]
