"""Stock cards, diagnoses and tumours for their marts.

Belongs here: the rows. Does not belong here: what the marts make of them (the tests say that).
"""

from __future__ import annotations

from typing import Any

from marts_rows import Row, key
from small_country import KIBAGABAGA, NYAMATA, REMERA


def card(unit: str, month: str, closing: int | None, issued: int | None, days_out: int | None, **more: Any) -> Row:
    """A stock card of the pack of 24 tablets."""
    return {
        "stock_card_key": key(unit, month, more),
        "system": "efiche",
        "facility_uid": unit,
        "source_facility_code": unit,
        "period_start": month,
        "counted_month": month,
        "counted_on": f"{month[:8]}28",
        "source_code": "MED019",
        "product_code": "AL-20-120-TAB",
        "mapping_status": "exact",
        "closing_quantity": closing,
        "issued_quantity": issued,
        "days_out_of_stock": days_out,
        "is_duplicate": False,
        "load_id": 1,
        **more,
    }


STOCK: dict[str, list[Row]] = {
    "dwh.fct_stock_balance": [
        card(KIBAGABAGA, "2024-01-01", 50, 30, 0),
        card(KIBAGABAGA, "2024-02-01", 20, 60, 9),
        # 40 days of a month of 31; and an earlier count of the same month.
        card(KIBAGABAGA, "2024-03-01", 80, 0, 40),
        card(KIBAGABAGA, "2024-03-01", 999, 999, 1, counted_on="2024-03-02", is_duplicate=True),
        card(REMERA, "2024-03-01", 10, 10, 0),
        card(NYAMATA, "2024-03-01", -5, 10, None),
        card(NYAMATA, "2024-02-01", 0, 0, 29, source_code="MED001", product_code="AMX-125-SYR"),
    ]
}


def diagnosed(visit: str, code: str | None, unit: str = KIBAGABAGA, **more: Any) -> Row:
    """A diagnosis of a new case of March: by default of a girl under five."""
    return {
        "visit_key": key("visit", visit),
        "position": 1,
        "system": "efiche",
        "facility_uid": unit,
        "source_facility_code": "0022",
        "period_start": "2024-03-01",
        "visit_type": "outpatient",
        "icd10_code": code,
        "mapping_status": "exact" if code else "unmapped",
        "is_new_case": True,
        "sex": "F",
        "age_band_key": "opd_under_5",
        "load_id": 1,
        **more,
    }


DIAGNOSES: dict[str, list[Row]] = {
    "dwh.fct_diagnosis": [
        *(diagnosed(f"m{n}", "B54") for n in range(3)),
        # Twice one category at one visit.
        diagnosed("m0", "B54.0", position=2),
        diagnosed("p1", "J18.9"),
        diagnosed("p2", "J18.9", sex="M"),
        *(diagnosed(f"a{n}", "J18.9", age_band_key="opd_20_plus", sex="M") for n in range(3)),
        diagnosed("old", "B54", is_new_case=False),
        diagnosed("chw", "B54", visit_type="community", is_new_case=None),
        diagnosed("words", None),
        diagnosed("sensitive", "B20.9"),
        diagnosed("elsewhere", "B54", NYAMATA),
    ]
}


def tumour(who: str, site: str, day: str, age: int | None, **more: Any) -> Row:
    """A malignant tumour of a woman of Gasabo, seen under the microscope."""
    return {
        "tumour_key": key(who, site, day),
        "patient_source_key": key("cancer", who),
        "topography_group": site,
        "incidence_date": day,
        "sex": "F",
        "age_years": age,
        "residence_district_code": "102",
        "is_malignant": True,
        "is_confirmed": True,
        "is_morphologically_verified": True,
        "is_dco": False,
        "period_start": f"{day[:7]}-01",
        **more,
    }


CANCER: dict[str, list[Row]] = {
    "dwh.fct_tumour": [
        tumour("w1", "C50", "2023-02-01", 52),
        # Recorded again a year later, and a second primary of another site.
        tumour("w1", "C50", "2024-02-01", 53),
        tumour("w1", "C53", "2023-06-01", 52, is_morphologically_verified=False),
        tumour("w2", "C50", "2023-03-01", 91),
        tumour("w3", "C50", "2023-03-01", None, is_morphologically_verified=False, is_dco=True),
        tumour("w4", "C50", "2023-03-01", 50, is_malignant=False),
        tumour("w5", "C50", "2023-03-01", 50, is_confirmed=False),
        tumour("m1", "C61", "2023-03-01", 70, sex="M", residence_district_code=None),
    ],
    # 1,000 women of each age in Gasabo, and 2,000 of 50 to 54.
    "staging.population_age_sex": [
        {"year": 2023, "district_code": "102", "sex": "F", "age_from": age, "population": 2000 if age == 50 else 1000}
        for age in range(0, 90, 5)
    ],
}
