"""What CEMR's exports hold, and the columns it lands in.

Only what a tombstone keeps is required. Its lists of codes are closed, but for those that say that codes may be added.
"""

from __future__ import annotations

from hic_assets.extract.rest.moments import TimeForm
from hic_assets.extract.rest.paging import Export
from hic_assets.extract.rest.resource import ChangeFilter, Happened, Member, Resource
from hic_assets.extract.rest.windows import Window
from hic_assets.systems.mapping import HEALTH, PERSON, PLACE, WORKER, always, codes, flag, listed, marked

_WHO = marked(WORKER, Member("chw_id", "chw_id", "Number of the community health worker."))
_FACILITY = (
    always("facility_name", "health_centre", "Name of the health centre as the worker's telephone has it."),
    Member("facility_district", "district", "District of the health centre as the telephone has it."),
)
_SEX = Member("sex", "sex", "M or F.", allowed=codes("M F"))
_TIMES = (
    always("created_at", "created_at", "When it reached the server, ISO in UTC."),
    always("updated_at", "updated_at", "When the server last changed it.", instant=TimeForm.ISO_TIME),
    flag("deleted", "deleted", "'true' for a tombstone: only key, place, day and times are left.", required=True),
)


def _resource(name: str, happened: str, description: str, *members: Member) -> Resource:
    return Resource(
        name=name,
        path=f"api/export/{name.replace('_', '-')}.ndjson",
        paging=Export(),
        window=Window("from", "to", TimeForm.ISO_DAY),
        happened=Happened(happened, TimeForm.ISO_DAY),
        changes=ChangeFilter("updated_since", "updated_at"),
        deleted="deleted",
        description=description,
        members=members,
    )


_PATIENTS = _resource(
    "patients",
    "registered_on",
    "People registered at home: one row a registration, by its day.",
    Member("patient_id", "patient_id", "Number of the registration; who moved has another.", key=True),
    *marked(
        PERSON,
        Member("family_name", "family_name", "Surname, usually."),
        Member("given_name", "first_name", "Other names, usually."),
        Member("date_of_birth", "date_of_birth", "ISO day."),
        Member("mother_name", "mother_name", "Both names of a child's mother."),
        Member("national_id", "national_id", "National ID as typed; rarely asked."),
        Member("phone", "phone", "Telephone as typed; of a child the mother's."),
    ),
    flag("date_of_birth_estimated", "date_of_birth_estimated", "Only the year is known."),
    _SEX,
    *marked(
        PLACE,
        Member("village", "village", "Village of residence."),
        Member("household_id", "household_id", "Number of the household; of children that of the mother."),
    ),
    *_WHO,
    *_FACILITY,
    Member("facility_code", "facility_code", "FOSA code where the worker knew it, often without its zeros."),
    always("registered_on", "registered_on", "Day of the registration, ISO."),
    *_TIMES,
)
_COMMUNITY_ENCOUNTERS = _resource(
    "community_encounters",
    "encounter_date",
    "Encounters of community health workers: one row an encounter, by its day.",
    Member("encounter_id", "encounter_id", "Number of the encounter.", key=True),
    Member("patient_id", "patient_id", "The patient's registration; of newborn visits the child's."),
    always("encounter_date", "encounter_date", "Day of the encounter, ISO."),
    Member("encounter_type", "encounter_type", "Child under five, fever of others, pregnancy or newborn.",
           allowed=codes("child_illness malaria pregnancy newborn")),
    *_WHO,
    *_FACILITY,
    Member("age_months", "age_months", "Completed months."),
    _SEX,
    Member("visit_number", "visit_number", "1 to 3, of visits to pregnant women and newborns."),
    *marked(
        HEALTH,
        listed("symptoms", "symptoms", "List of FEVER, COUGH, DIARRHOEA; more may be added."),
        listed("danger_signs", "danger_signs", "List of codes; more may be added."),
        Member("temperature_c", "temperature_c", "Degrees Celsius."),
        Member("respiratory_rate", "respiratory_rate", "Breaths a minute of a child who coughs."),
        Member("muac_mm", "muac_mm", "Mid-upper-arm circumference, millimetres."),
        Member("malaria_test", "rdt_result", "Rapid test; NULL where there was no fever.",
               allowed=codes("POSITIVE NEGATIVE INVALID NOT_DONE")),
        listed("diagnoses", "diagnoses", "List of codes (MALARIA, PNEUMONIA ...); more may be added."),
        listed("treatments", "treatments", "List of {product, quantity}."),
        Member("gestation_weeks", "gestation_weeks", "Completed weeks of a pregnancy."),
        Member("age_days", "age_days", "Of a newborn."),
        flag("breastfed", "breastfed", "Whether a newborn is."),
        Member("referral_reason", "referral.reason", "Why the patient was sent to the health centre; NULL where not.",
               allowed=codes("DANGER_SIGN SEVERE_MALNUTRITION NO_MEDICINE ANTENATAL_CARE")),
        flag("referral_completed", "referral.completed", "Whether the patient arrived; NULL until the worker hears."),
    ),
    listed("stock_outs", "stock_outs", "What the worker was without: list of codes."),
    *_TIMES,
)  # fmt: skip
RESOURCES = (_PATIENTS, _COMMUNITY_ENCOUNTERS)
