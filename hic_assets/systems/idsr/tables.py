"""What IDSR's resources hold, and the columns it lands in.

Only what a tombstone keeps is required. Its lists of codes are closed, but for that of diseases.
"""

from __future__ import annotations

from hic_assets.extract.rest.moments import TimeForm
from hic_assets.extract.rest.paging import Offset
from hic_assets.extract.rest.resource import ChangeFilter, Happened, Member, Resource
from hic_assets.extract.rest.windows import EpiWeeks
from hic_assets.systems.mapping import HEALTH, PERSON, PLACE, always, code_list, codes, flag, listed, marked

_EPI_WEEK = always("epi_week", "epiWeek", "ISO week, 2026W07.")
_WHERE_AND_WHAT = (
    always("facility_code", "facility.code", "F, then the FOSA code with its zeros."),
    always("facility_name", "facility.name", "Name of the facility; never a key."),
    always("facility_district", "facility.district", "District of the facility."),
    always("disease_code", "disease.code", "Code of IDSR's list of diseases; more may be added."),
    always("disease_name", "disease.name", "English name."),
    always("disease_reporting", "disease.reporting", "Case by case too, or weekly.", allowed=codes("IMMEDIATE WEEKLY")),
)
_STATE = (
    always("record_state", "status", "ACTIVE or DELETED.", allowed=codes("ACTIVE DELETED")),
    always("updated_at", "updatedAt", "When the server last changed it.", instant=TimeForm.ISO_TIME),
    Member("deleted", "status", "'true' for a tombstone: only key, place, week, disease and times are left.",
           true_when=codes("DELETED")),
)  # fmt: skip


def _resource(name: str, happened: str, description: str, *members: Member) -> Resource:
    return Resource(
        name=name,
        path=f"api/v1/{name}",
        paging=Offset(page_size=1_000, total_header="X-Total-Count"),
        window=EpiWeeks("epiWeek"),
        happened=Happened(happened, TimeForm.ISO_DAY),
        changes=ChangeFilter("updatedSince", "updated_at"),
        deleted="deleted",
        description=description,
        members=members,
    )


_NOTIFICATIONS = _resource(
    "notifications",
    "week_start",
    "Weekly notifications, zero reports included: one row a facility, disease and ISO week.",
    Member("notification_id", "id", "Identifier of the notification.", key=True),
    _EPI_WEEK,
    always("week_start", "weekStart", "The Monday of the week, ISO day."),
    *_WHERE_AND_WHAT,
    flag("zero_report", "zeroReport", "Whether all counts are 0."),
    listed("age_groups", "ageGroups", "List of {ageGroup, cases, deaths}: 0-4 and 5+, always both."),
    always("reported_at", "reportedAt", "When the report came in first, ISO with the offset of Kigali."),
    *_STATE,
)
_CASES = _resource(
    "cases",
    "consultation_date",
    "Cases of immediate diseases: one row a case and facility that notified it, by the day it was seen.",
    Member("case_id", "id", "Identifier of the record.", key=True),
    _EPI_WEEK,
    always("consultation_date", "consultationDate", "Day the case was seen; of a death, the day of death. ISO day."),
    *_WHERE_AND_WHAT,
    *marked(
        PERSON,
        Member("epid_number", "epidNumber", "District, year and number of the case; not unique."),
        Member("upi", "patient.upi", "Unique patient identifier, where it was asked for."),
        Member("national_id", "patient.nid", "National ID as typed."),
        Member("family_name", "patient.familyName", "Surname, usually."),
        Member("given_name", "patient.givenName", "Other names, usually."),
        Member("mother_name", "patient.motherName", "Of children under five."),
        Member("date_of_birth", "patient.birthDate", "ISO day."),
        Member("phone", "patient.phone", "Telephone as typed."),
    ),
    Member("sex", "patient.sex", "M or F.", allowed=codes("M F")),
    Member("age_years", "patient.ageYears", "Completed years."),
    Member("age_months", "patient.ageMonths", "Completed months beyond the years."),
    Member("district", "patient.district", "District of residence."),
    Member("sector", "patient.sector", "Sector of residence."),
    *marked(PLACE, Member("village", "patient.village", "Village of residence.")),
    *marked(
        HEALTH,
        Member("onset_date", "onsetDate", "First symptoms, ISO day."),
        Member("vaccine_doses", "vaccineDoses", "Doses against this disease; NULL where there is none, or unknown."),
        flag("hospitalised", "hospitalised", "Whether the patient was admitted."),
        Member("outcome", "outcome", "ALIVE or DEAD.", allowed=codes("ALIVE DEAD")),
        Member("specimen_collected_on", "specimenCollectedOn", "ISO day."),
        Member("classification", "classification", "SUSPECTED until the laboratory answers.",
               allowed=codes("SUSPECTED CONFIRMED DISCARDED")),
    ),
    always("notified_at", "notifiedAt", "When it was notified, ISO with the offset of Kigali."),
    *_STATE,
)  # fmt: skip
_DISEASES = code_list(
    "diseases",
    "api/v1/diseases",
    "data",
    "The notifiable diseases, read whole: one row a disease.",
    Member("disease_code", "code", "Code of IDSR's list of diseases; more may be added.", key=True),
    always("name_en", "nameEn", "English name."),
    always("name_fr", "nameFr", "French name."),
    always("disease_reporting", "reporting", "Case by case too, or weekly.", allowed=codes("IMMEDIATE WEEKLY")),
    always("icd10_code", "icd10", "ICD-10 code of the case definition."),
)
RESOURCES = (_NOTIFICATIONS, _CASES, _DISEASES)
