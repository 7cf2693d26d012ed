"""What eFICHE's resources hold, and the columns it lands in.

Only what a tombstone keeps is required. Codes may be added to any list within version 1, so that none is closed here.
"""

from __future__ import annotations

from hic_assets.extract.rest.moments import TimeForm
from hic_assets.extract.rest.paging import PageNumbers
from hic_assets.extract.rest.resource import ChangeFilter, Happened, Member, Resource
from hic_assets.extract.rest.windows import Window
from hic_assets.systems.mapping import FREE_TEXT, HEALTH, PERSON, PLACE, always, code_list, codes, flag, listed, marked

_FACILITY = (
    always("facility_code", "fosa", "FOSA code without leading zeros; may be one that the registry has not."),
    always("facility_name", "facility_name", "Name of the facility."),
)
_TIMES = (
    always("created_at", "created_at", "When it was typed in, dd/MM/yyyy HH:mm:ss in Kigali."),
    always("updated_at", "updated_at", "When the server last changed it.", instant=TimeForm.SLASHED_TIME),
    flag("deleted", "deleted", "'true' for a tombstone: only key, facility, day and times are left.", required=True),
)


def _resource(name: str, happened: str, description: str, *members: Member) -> Resource:
    return Resource(
        name=name,
        path=f"api/v1/{name.replace('_', '-')}",
        rows="data",
        paging=PageNumbers(page_size=200, total="meta.total", pages="meta.total_pages", number="meta.page"),
        window=Window("date_from", "date_to", TimeForm.SLASHED_DAY, last_included=True),
        happened=Happened(happened, TimeForm.SLASHED_DAY),
        changes=ChangeFilter("updated_since", "updated_at", TimeForm.SLASHED_TIME),
        deleted="deleted",
        tombstones_end=True,  # after 400 days at the earliest
        description=description,
        members=members,
    )


_VISITS = _resource(
    "visits",
    "visit_date",
    "Outpatient visits with diagnoses and insurance: one row a visit, by its day.",
    Member("visit_id", "id", "Identifier of the visit.", key=True),
    *_FACILITY,
    always("visit_date", "visit_date", "Day of the visit, dd/MM/yyyy."),
    Member("visit_type", "visit_type", "NC new case, AC old case."),
    *marked(
        PERSON,
        Member("file_number", "patient.file_number", "Number of the patient's file and year; of one facility."),
        Member("upi", "patient.upi", "Unique patient identifier, yyMMdd-FOSA-number."),
        Member("temporary_id", "patient.temp_id", "Identifier until there is a UPI."),
        Member("national_id", "patient.nid", "National ID as typed; of children often a parent's."),
        Member("family_name", "patient.surname", "Surname."),
        Member("given_name", "patient.other_names", "Other names."),
        Member("date_of_birth", "patient.date_of_birth", "dd/MM/yyyy; 1 January and 01/01/1900 stand for unknown."),
        Member("phone", "patient.phone", "Telephone as typed."),
        Member("insurance_number", "insurance.member_number", "Number of the insured."),
    ),
    Member("sex", "patient.sex", "1 male, 2 female."),
    Member("age_years", "patient.age_years", "Completed years as told at the visit."),
    Member("district", "patient.district", "District of residence in words."),
    Member("sector", "patient.sector", "Sector of residence."),
    *marked(PLACE, Member("village", "patient.village", "Village of residence.")),
    Member("insurance_scheme", "insurance.scheme", "CBHI, RAMA, MMI, PRIVATE or NONE."),
    Member("insurance_category", "insurance.category", "Of CBHI: UBUDEHE_1 to 4 until 30/06/2026, L1 to L5 after."),
    *marked(
        HEALTH,
        Member("temperature_c", "vitals.temperature_c", "Degrees Celsius."),
        Member("weight_kg", "vitals.weight_kg", "Kilograms."),
        Member("outcome", "outcome", "HOME, REFERRED, ADMITTED or LEFT (before being treated)."),
    ),
    *marked(
        FREE_TEXT,
        listed("diagnoses", "diagnoses", "List of {code, label, certainty}, the principal first; some in words only."),
    ),
    Member("referred_to_facility_code", "referred_to_fosa", "FOSA code of where the patient was sent, without zeros."),
    Member("amount_paid_rwf", "amount_paid_rwf", "What the patient paid, in Rwandan francs."),
    *_TIMES,
)
_LAB_ORDERS = _resource(
    "lab_orders",
    "ordered_on",
    "Laboratory orders with their results: one row an order, by its day.",
    Member("lab_order_id", "id", "Identifier of the order.", key=True),
    *_FACILITY,
    always("ordered_on", "ordered_on", "Day of the order, dd/MM/yyyy."),
    Member("visit_id", "visit_id", "The visit at which it was ordered; it may have been deleted since."),
    *marked(
        PERSON,
        Member("file_number", "patient.file_number", "Number of the patient's file and year; of one facility."),
        Member("upi", "patient.upi", "Unique patient identifier, yyMMdd-FOSA-number."),
    ),
    Member("sex", "patient.sex", "1 male, 2 female."),
    Member("age_years", "patient.age_years", "Completed years."),
    Member("specimen", "specimen", "SANG, SELLES, URINE or CRACHAT."),
    Member("status", "status", "PENDING, COMPLETED or CANCELLED."),
    *marked(
        FREE_TEXT,
        listed(
            "results",
            "results",
            "List of {test_code, label, value_numeric, value_text, unit, range_low, range_high, flag}; may be empty.",
        ),
    ),
    *_TIMES,
)
_STOCK_MOVEMENTS = _resource(
    "stock_movements",
    "movement_date",
    "Movements of stock: one row a movement of one product, by its day.",
    Member("stock_movement_id", "id", "Identifier of the movement.", key=True),
    *_FACILITY,
    always("movement_date", "movement_date", "Day of the movement, dd/MM/yyyy."),
    Member("product_code", "product_code", "Code of eFICHE's list of products."),
    Member("product_label", "product_label", "Name of the product."),
    Member("movement_type", "movement_type", "RECEIPT adds, ISSUE and LOSS take, ADJUSTMENT does either by its sign."),
    Member("quantity", "quantity", "In units of the product; positive but for adjustments."),
    Member("unit", "unit", "Unit of the product."),
    Member("lot_number", "lot_number", "Lot."),
    Member("expiry_date", "expiry_date", "Last day of use, dd/MM/yyyy."),
    *_TIMES,
)
_STOCK_BALANCES = _resource(
    "stock_balances",
    "counted_on",
    "Stock cards as counted: one row a facility, product and month, by the day of the count.",
    Member("stock_balance_id", "id", "Identifier of the card.", key=True),
    *_FACILITY,
    always("counted_on", "counted_on", "Day of the count, dd/MM/yyyy."),
    Member("month", "month", "Month of the card, MM/yyyy."),
    Member("product_code", "product_code", "Code of eFICHE's list of products."),
    Member("product_label", "product_label", "Name of the product."),
    Member("unit", "unit", "Unit of the product."),
    Member("opening_quantity", "opening_quantity", "As written; may differ from the closing before."),
    Member("received_quantity", "received_quantity", "Received in the month."),
    Member("issued_quantity", "issued_quantity", "Issued in the month."),
    Member("lost_quantity", "lost_quantity", "Expired or lost in the month."),
    Member("adjusted_quantity", "adjusted_quantity", "Sum of the adjustments with their signs."),
    Member("closing_quantity", "closing_quantity", "As counted; may be negative."),
    Member("days_out_of_stock", "days_out_of_stock", "Days of the month without any."),
    *_TIMES,
)
_DIAGNOSIS_CODES = code_list(
    "diagnosis_codes",
    "api/v1/code-lists/diagnoses",
    "data",
    "eFICHE's list of diagnoses, read whole: one row a code.",
    Member("code", "code", "Code, P01.", key=True),
    always("label_fr", "label_fr", "French label."),
    always("label_en", "label_en", "English label."),
    Member("reference_system", "reference_system", "ICD-10 or ICD-11.", allowed=codes("ICD-10 ICD-11")),
    Member("reference_code", "reference_code", "Code as on the printed form; sometimes wrong."),
)
_LAB_TEST_CODES = code_list(
    "lab_test_codes",
    "api/v1/code-lists/lab-tests",
    "data",
    "eFICHE's list of laboratory tests, read whole: one row a code.",
    Member("code", "code", "Code, HB.", key=True),
    always("label_fr", "label_fr", "French label."),
    always("label_en", "label_en", "English label."),
    always("result_type", "result_type", "QUALITATIVE or NUMERIC.", allowed=codes("QUALITATIVE NUMERIC")),
    Member("unit", "unit", "The usual unit; results name their own."),
    Member("loinc_code", "loinc_code", "LOINC code, where eFICHE has one."),
)
_PRODUCT_CODES = code_list(
    "product_codes",
    "api/v1/code-lists/products",
    "data",
    "eFICHE's list of medicines and supplies, read whole: one row a code.",
    Member("code", "code", "Code, MED019.", key=True),
    always("label", "label", "Name."),
    always("unit", "unit", "What is counted."),
)
_LISTS = (_DIAGNOSIS_CODES, _LAB_TEST_CODES, _PRODUCT_CODES)
RESOURCES = (_VISITS, _LAB_ORDERS, _STOCK_MOVEMENTS, _STOCK_BALANCES, *_LISTS)
