"""A warehouse whose facts are a few rows made by hand, for tests of the programme marts: two dbt calls for all of them.

Belongs here: building it. Does not belong here: the rows (``marts_doses`` and others), or what the marts make of them (the tests say that).
"""

from __future__ import annotations

import small_country
from dbt_runner import Dbt
from marts_births import CIVIL, SUMMER
from marts_doses import RECONCILED, VACCINATED
from marts_hiv import HIV, PROGRAMME_MONTHS, TB
from marts_others import CANCER, DIAGNOSES, STOCK
from marts_rows import loaded, mondays, put
from marts_visits import LABORATORY, MONTHS_LOADED, VISITS

from hic_assets.warehouse import Warehouse

MARTS = (
    "fct_event_count",
    "rpt_reconciliation",
    "int_hiv_month",
    "int_hiv_cohort",
    "fct_hiv_cascade",
    "fct_hiv_cohort",
    "rpt_hiv_cascade",
    "rpt_hiv_cohort",
    "fct_tb_cohort",
    "rpt_tb_cohort",
    "rpt_immunization",
    "rpt_immunization_dropout",
    "rpt_zero_dose",
    "int_death_audit_quarter",
    "rpt_maternal_perinatal",
    "rpt_civil_registration",
    "rpt_stock_out",
    "int_cancer_primary",
    "rpt_cancer_incidence",
    "fct_outpatient_burden",
    "rpt_outpatient_burden",
    "fct_visit_month",
    "fct_lab_month",
    "rpt_visits",
    "rpt_insurance",
    "rpt_lab_positivity",
    "int_programme_disclosure",
    "rpt_programme_monthly",
)
FACTS = (
    RECONCILED,
    VACCINATED,
    HIV,
    TB,
    CIVIL,
    STOCK,
    DIAGNOSES,
    VISITS,
    LABORATORY,
    CANCER,
    PROGRAMME_MONTHS,
)
WITHOUT_TESTS = ("--exclude-resource-type", "unit_test", "--exclude-resource-type", "test")
# A month and weeks of which nothing is landed, for relations to be made in.
NOTHING = ("--event-time-start", "2021-01-04", "--event-time-end", "2021-02-01")
YEAR = ("--event-time-start", "2024-01-01", "--event-time-end", "2025-01-01")
# All weeks that touch April, of which the last touches May too; a third quarter; and a month of one.
LOADED = (
    ("immunization_tracker", "immunization_tracker", mondays("2024-04-01", "2024-04-29")),
    ("hmis_tracker", "hmis_tracker_crvs", mondays("2024-07-01", "2024-09-30")),
    ("hmis_tracker", "hmis_tracker_perinatal_death_audit", SUMMER),
    ("hmis_tracker", "hmis_tracker_maternal_death_audit", SUMMER[:1]),
)


def build(warehouse: Warehouse, dbt: Dbt) -> None:
    """Land the places, make everything the marts stand on, put the rows into the facts, and build the marts with their tests."""
    with warehouse.connect() as connection:
        small_country.land(connection)
    above = [f"+{name}" for name in (*MARTS, "fct_measure_month")]
    dbt.run("build", "--select", *above, *WITHOUT_TESTS, *NOTHING)
    with warehouse.connect() as connection:
        for rows in FACTS:
            for table, its in rows.items():
                put(connection, table, its)
        for system, tables, partitions in LOADED:
            for kind in ("enrollments", "events"):
                loaded(connection, system, f"{tables}_{kind}".removeprefix(f"{system}_"), partitions)
        for system, table, months in MONTHS_LOADED:
            loaded(connection, system, table, months)
    results = dbt.run("build", "--select", *MARTS, "--exclude-resource-type", "unit_test", *YEAR)
    assert set(results.values()) <= {"success", "pass"}, results
