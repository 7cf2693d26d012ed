"""What is reported: categories, data elements, data sets, and which kind of facility fills which of them.

Belongs here: the forms. Does not belong here: how many (``values``) or when (``reporting``).
Source: domain facts 2.3, traps 8 (own default category option combo) and 9 (age bands differ by section).
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache

from hic_assets.sandbox.world.clinical.idsr_diseases import BANDS, DISEASES, REPORTING_FORMS, element_code
from hic_assets.sandbox.world.geography import read_csv
from hic_assets.sandbox.world.hashing import U64, keys, uid

DEFAULT_COMBO = "BNTdWBe0N1F"

# category -> options (code, name, share of the whole)
CATEGORIES: dict[str, list[tuple[str, str, float]]] = {
    "SEX": [("M", "Male", 0.46), ("F", "Female", 0.54)],
    "AGE_OPD": [("LT5", "<5 years", 0.2), ("5_19", "5-19 years", 0.32), ("GE20", ">=20 years", 0.48)],
    "AGE_NCD": [("0_19", "0-19 years", 0.12), ("20_39", "20-39 years", 0.31), ("GE40", "40+ years", 0.57)],
    "AGE_HIV": [
        ("0_4", "0-4 years", 0.04),
        ("5_9", "5-9 years", 0.04),
        ("10_14", "10-14 years", 0.06),
        ("15_19", "15-19 years", 0.14),
        ("GE20", "20+ years", 0.72),
    ],
    "AGE_ART": [
        ("LT1", "<1 year", 0.01),
        ("1_4", "1-4 years", 0.02),
        ("5_9", "5-9 years", 0.03),
        ("10_14", "10-14 years", 0.04),
        ("15_19", "15-19 years", 0.06),
        ("20_24", "20-24 years", 0.1),
        ("25_49", "25-49 years", 0.54),
        ("GE50", "50+ years", 0.2),
    ],
    "AGE_FP": [
        ("15_19", "15-19 years", 0.08),
        ("20_24", "20-24 years", 0.27),
        ("25_34", "25-34 years", 0.42),
        ("GE35", "35+ years", 0.23),
    ],
    "AGE_NEO": [("D0_7", "0-7 days", 0.74), ("D8_28", "8-28 days", 0.26)],
    "AGE_NUT": [
        ("D0_6", "0-6 days", 0.04),
        ("W1_8", "7 days-8 weeks", 0.09),
        ("M2_59", "2-59 months", 0.72),
        ("Y5_14", "5-14 years", 0.1),
        ("GE15", "15+ years", 0.05),
    ],
    "AGE_MAT": [("LT20", "<20 years", 0.09), ("GE20", ">=20 years", 0.91)],
    "AGE_EPI": [("M0_11", "0-11 months", 0.95), ("M12_23", "12-23 months", 0.05)],
    "PLACE": [("IN", "In catchment area", 0.9), ("OUT", "Outside catchment area", 0.1)],
    "CASE": [("NEW", "New case", 0.22), ("OLD", "Old case", 0.78)],
    "RESULT": [("POS", "Positive", 0.12), ("NEG", "Negative", 0.88)],
    "FP_USE": [("NEW", "New acceptor", 0.3), ("PPFP", "Postpartum uptake", 0.12), ("CONT", "Continuing", 0.58)],
    "MOVEMENT": [
        ("OPENING", "Opening stock", 1.0),
        ("RECEIVED", "Received", 1.0),
        ("DISPENSED", "Dispensed", 1.0),
        ("LOST", "Expired or lost", 1.0),
        ("CLOSING", "Closing stock", 1.0),
    ],
    # the counts of a week say themselves how they divide
    "AGE_IDSR": [(code, name, 0.5) for code, name in BANDS],
}
COMBOS: dict[str, tuple[str, list[str]]] = {
    "DEFAULT": ("default", []),
    "OPD": ("Age <5, 5-19, 20+ and sex", ["AGE_OPD", "SEX"]),
    "CASE_NCD": ("Case, age 0-19, 20-39, 40+ and sex", ["CASE", "AGE_NCD", "SEX"]),
    "HIV_AGE_SEX": ("HIV age and sex", ["AGE_HIV", "SEX"]),
    "ART_AGE_SEX": ("ART age and sex", ["AGE_ART", "SEX"]),
    "FP": ("FP use and age", ["FP_USE", "AGE_FP"]),
    "NEO": ("Newborn age and sex", ["AGE_NEO", "SEX"]),
    "NUT": ("Nutrition age and sex", ["AGE_NUT", "SEX"]),
    "MAT": ("Maternal age", ["AGE_MAT"]),
    "EPI": ("Vaccination age and place", ["AGE_EPI", "PLACE"]),
    "RESULT": ("Result", ["RESULT"]),
    "SEX": ("Sex", ["SEX"]),
    "STOCK": ("Stock movement", ["MOVEMENT"]),
    "IDSR": ("IDSR age 0-4, 5+", ["AGE_IDSR"]),
}
WEEKLY_COMBO = "IDSR"
# profile -> share of the national total by group of forms; the rest of the shares is nobody
PROFILES: dict[str, dict[str, float]] = {
    "opd": {"hospital": 0.06, "centre": 0.6, "post": 0.26, "private": 0.08},
    "spec": {"hospital": 0.42, "centre": 0.53, "private": 0.05},
    "malaria": {"hospital": 0.04, "centre": 0.64, "post": 0.26, "private": 0.06},
    "malaria_sev": {"hospital": 0.7, "centre": 0.3},
    "mch": {"hospital": 0.02, "centre": 0.96, "private": 0.02},
    "delivery": {"hospital": 0.34, "centre": 0.65, "private": 0.01},
    "hospital": {"hospital": 1.0},
    "ipd": {"hospital": 0.66, "centre": 0.32, "private": 0.02},
    "epi": {"centre": 1.0},
    "epi_birth": {"hospital": 0.3, "centre": 0.7},
    "hiv": {"hospital": 0.2, "centre": 0.8},
    "tb": {"hospital": 0.35, "centre": 0.65},
    "nutrition": {"hospital": 0.02, "centre": 0.92, "post": 0.06},
    "fp": {"hospital": 0.06, "centre": 0.84, "post": 0.1},
    "lab": {"hospital": 0.26, "centre": 0.58, "post": 0.04, "private": 0.12},
    "stock": {"hospital": 1.0, "centre": 1.0, "post": 1.0},
    "staff": {"hospital": 0.42, "centre": 0.45, "post": 0.06, "private": 0.07},
    "all": {"hospital": 1.0, "centre": 1.0, "post": 1.0, "private": 1.0},
    "population": {},
}
# code -> (English, French, period type, groups of forms it is assigned to, timelyDays)
DATA_SETS: dict[str, tuple[str, str, str, tuple[str, ...], int]] = {
    "HC_MONTHLY": ("Health centre monthly report", "Rapport mensuel du centre de santé", "Monthly", ("centre",), 5),
    "DH_MONTHLY": ("District hospital monthly report", "Rapport mensuel de l'hôpital", "Monthly", ("hospital",), 5),
    "HP_MONTHLY": ("Health post monthly report", "Rapport mensuel du poste de santé", "Monthly", ("post",), 5),
    "PRIV_MONTHLY": ("Private facility monthly report", "Rapport mensuel privé", "Monthly", ("private",), 10),
    "EPI_MONTHLY": ("EPI monthly report", "Rapport mensuel PEV", "Monthly", ("centre", "hospital"), 5),
    "HIV_MONTHLY": ("HIV monthly report", "Rapport mensuel VIH", "Monthly", ("centre", "hospital"), 10),
    "POP_YEARLY": ("Population estimates", "Estimations de population", "Yearly", ("centre",), 60),
    "IDSR_WEEKLY": ("IDSR weekly report", "Rapport hebdomadaire SIMR", "Weekly", REPORTING_FORMS, 3),
}
MONTHLY = [code for code, spec in DATA_SETS.items() if spec[2] == "Monthly"]
WEEKLY = [code for code, spec in DATA_SETS.items() if spec[2] == "Weekly"]
_OWN_DATA_SET = {"EPI": "EPI_MONTHLY", "HIV": "HIV_MONTHLY", "POPULATION": "POP_YEARLY"}
_FORM_DATA_SET = {"centre": "HC_MONTHLY", "hospital": "DH_MONTHLY", "post": "HP_MONTHLY", "private": "PRIV_MONTHLY"}
# printed on a second form too: the same value is seen through both data sets
ALSO_IN = {"EPI_BCG": "DH_MONTHLY", "EPI_OPV0": "DH_MONTHLY", "HIV_PMTCT_TESTED": "HC_MONTHLY"}


@dataclass(frozen=True)
class OptionCombo:
    """A category option combo: its uid, code ("LT5_M"), name, options and share of the data element's total."""

    uid: str
    code: str
    name: str
    options: tuple[tuple[str, str], ...]
    share: float


@dataclass(frozen=True)
class DataElement:
    """A data element as the forms define it. ``annual`` is the national yearly total at scale 1."""

    uid: str
    code: str
    name_en: str
    name_fr: str
    section: str
    combo: str
    profile: str
    season: str
    annual: float
    chain: str
    kind: str
    value_type: str
    aggregation: str
    zero_is_significant: bool = False

    @property
    def name(self) -> str:
        """Bilingual, as printed on the form."""
        return f"{self.name_en} / {self.name_fr}"

    def owner(self, form: str) -> str | None:
        """The data set through which a facility of this group enters it, or None if it does not."""
        if form not in PROFILES[self.profile]:
            return None
        return _OWN_DATA_SET.get(self.section, _FORM_DATA_SET[form])


@cache
def option_combos(combo: str) -> tuple[OptionCombo, ...]:
    """The option combos of a category combo, in order."""
    made = [OptionCombo(DEFAULT_COMBO, "default", "default", (), 1.0)]
    for category in COMBOS[combo][1]:
        options = CATEGORIES[category]
        made = [
            OptionCombo(
                "",
                option[0] if old.code == "default" else f"{old.code}_{option[0]}",
                option[1] if old.name == "default" else f"{old.name}, {option[1]}",
                (*old.options, (category, option[0])),
                old.share * option[2],
            )
            for old in made
            for option in options
        ]
    return tuple(
        c if c.uid else OptionCombo(uid("coc", combo, c.code), c.code, c.name, c.options, c.share) for c in made
    )


@cache
def data_elements() -> tuple[DataElement, ...]:
    """Every data element of the monthly and yearly forms, in their order."""
    return tuple(
        DataElement(
            uid=uid("dataElement", row["code"]),
            annual=float(row.pop("annual")),
            chain=row.pop("chain") or row["code"],
            **row,
        )
        for row in read_csv("data_elements.csv").fill_null("").to_dicts()
    )


@cache
def weekly_elements() -> tuple[DataElement, ...]:
    """Those of the weekly form: cases and deaths of every notifiable disease, in the order of ``DISEASES``."""
    return tuple(
        DataElement(
            uid=uid("dataElement", element_code(at, what)),
            code=element_code(at, what),
            name_en=f"{disease.name_en}, {what}",
            name_fr=f"{disease.name_fr}, {'cas' if what == 'cases' else 'décès'}",
            section="IDSR",
            combo=WEEKLY_COMBO,
            profile="idsr",
            season=disease.season,
            annual=disease.annual,
            chain=disease.code,
            kind="weekly",
            value_type="INTEGER_ZERO_OR_POSITIVE",
            aggregation="SUM",
            zero_is_significant=True,
        )
        for at, disease in enumerate(DISEASES)
        for what in ("cases", "deaths")
    )


@cache
def weekly_keys() -> U64:
    """A key a cell of the weekly form: by data element, then age band."""
    return keys("weekly cell", [f"{e.code} {band}" for e in weekly_elements() for band, _ in BANDS])


@cache
def by_code() -> dict[str, DataElement]:
    """Data elements by code."""
    return {e.code: e for e in (*data_elements(), *weekly_elements())}


@cache
def by_uid() -> dict[str, DataElement]:
    """Data elements by uid."""
    return {e.uid: e for e in (*data_elements(), *weekly_elements())}


def data_set_uid(code: str) -> str:
    """The uid of a data set."""
    return uid("dataSet", code)


@cache
def data_set_elements(code: str) -> tuple[DataElement, ...]:
    """The data elements of a data set."""
    if DATA_SETS[code][2] == "Weekly":
        return weekly_elements()
    forms = DATA_SETS[code][3]
    return tuple(
        e
        for e in data_elements()
        if any(e.owner(form) == code for form in forms)
        or ALSO_IN.get(e.code) == code
        or (code == "POP_YEARLY" and e.section == "POPULATION")
    )
