"""The notifiable diseases of the country: what is reported at once, what by week, how often and of whom.

Belongs here: the list and its rates. Does not belong here: the cases of a week (``idsr_counts``). Source: domain facts
2.4 (24 diseases, immediate and weekly; the official list is not public, so this one is a working list).
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache

BANDS = (("0_4", "0-4 years"), ("GE5", "5+ years"))
"""Age bands of the weekly form: code and name."""
UNDER_FIVE, FIVE_AND_OVER = 0, 1
# who of a disease's cases is seen where, by group of forms
SEEN = {
    "general": {"hospital": 0.06, "centre": 0.86, "private": 0.08},
    "severe": {"hospital": 0.55, "centre": 0.4, "private": 0.05},
    "hospital": {"hospital": 0.97, "private": 0.03},
}
REPORTING_FORMS = ("hospital", "centre", "private")
"""Groups of forms whose facilities report; health posts report through their health centre."""


@dataclass(frozen=True)
class Disease:
    """A notifiable disease or event.

    ``annual``: cases a year in the whole country in mid-2024, ``growth`` times as many each year later; ``under_five``:
    their share; ``fatality``: deaths a case under five, and of five and over; ``season``: a name in ``sheets.SEASONS``;
    ``seen``: a name in ``SEEN``; ``of_life``: its cases are events of ``Life`` from the day the trackers went live.
    ``icd10``: the code of the case definition.
    """

    code: str
    name_en: str
    name_fr: str
    immediate: bool
    annual: float
    under_five: float
    fatality: tuple[float, float]
    season: str
    seen: str
    icd10: str
    growth: float = 1.0
    malaria: bool = False
    of_life: bool = False

    @property
    def name(self) -> str:
        """Bilingual, as printed on the form."""
        return f"{self.name_en} / {self.name_fr}"


DISEASES: tuple[Disease, ...] = (
    Disease("AFP", "Acute flaccid paralysis", "Paralysie flasque aiguë", True, 110, 0.72, (0.01, 0.01), "none", "severe", "A80"),
    Disease("ANTHRAX", "Anthrax", "Charbon", True, 45, 0.05, (0.02, 0.02), "diarrhoea", "general", "A22", 1.05),
    Disease("BLOODY_DIARRHOEA", "Bloody diarrhoea", "Diarrhée sanglante", True, 5_800, 0.3, (0.003, 0.002), "diarrhoea", "general", "A09", 0.96),
    Disease("BRUCELLOSIS", "Brucellosis", "Brucellose", True, 80, 0.04, (0.0, 0.0), "none", "severe", "A23"),
    Disease("CHOLERA", "Cholera, suspected", "Choléra suspect", True, 18, 0.22, (0.03, 0.02), "malaria", "severe", "A00"),
    Disease("FOODBORNE", "Foodborne illness cluster", "Toxi-infection alimentaire collective", True, 60, 0.14, (0.01, 0.005), "none", "general", "A05"),
    Disease("MATERNAL_DEATH", "Maternal death", "Décès maternel", True, 700, 0.0, (0.0, 1.0), "births", "severe", "O95", of_life=True),
    Disease("MEASLES", "Measles or rubella, suspected", "Rougeole ou rubéole suspecte", True, 760, 0.6, (0.006, 0.001), "cold", "general", "B05", 0.98),
    Disease("MENINGITIS", "Meningococcal meningitis", "Méningite à méningocoque", True, 150, 0.4, (0.11, 0.09), "none", "severe", "A39"),
    Disease("MPOX", "Mpox", "Variole simienne", True, 90, 0.1, (0.01, 0.004), "none", "severe", "B04", 0.9),
    Disease("NEONATAL_TETANUS", "Neonatal tetanus", "Tétanos néonatal", True, 6, 1.0, (0.5, 0.0), "none", "severe", "A33", 0.9),
    Disease("PERINATAL_DEATH", "Perinatal or neonatal death", "Décès périnatal ou néonatal", True, 13_000, 1.0, (1.0, 0.0), "births", "severe", "P95", of_life=True),
    Disease("RABIES", "Animal bite, rabies exposure", "Morsure animale, exposition à la rage", True, 3_200, 0.16, (0.001, 0.002), "school", "general", "Z20.3", 1.04),
    Disease("RVF", "Rift Valley fever", "Fièvre de la vallée du Rift", True, 40, 0.05, (0.02, 0.02), "malaria", "severe", "A92.4"),
    Disease("SARI", "Severe acute respiratory infection, COVID-19", "Infection respiratoire aiguë sévère, COVID-19", True, 2_600, 0.38, (0.02, 0.03), "cold", "hospital", "J22", 0.95),
    Disease("TYPHOID", "Typhoid fever", "Fièvre typhoïde", True, 1_600, 0.08, (0.004, 0.004), "diarrhoea", "severe", "A01.0"),
    Disease("UNUSUAL_EVENT", "Unusual event or unknown disease", "Événement inhabituel ou maladie inconnue", True, 10, 0.2, (0.05, 0.05), "none", "general", "R69"),
    Disease("VHF", "Viral haemorrhagic fever, suspected", "Fièvre hémorragique virale suspecte", True, 4, 0.05, (0.2, 0.2), "none", "severe", "A99"),
    Disease("YELLOW_FEVER", "Yellow fever, suspected", "Fièvre jaune suspecte", True, 14, 0.12, (0.02, 0.02), "none", "severe", "A95"),
    Disease("DIARRHOEA", "Non-bloody diarrhoea", "Diarrhée non sanglante", False, 270_000, 0.46, (0.0002, 0.0001), "diarrhoea", "general", "A09", 0.98),
    Disease("ILI", "Influenza-like illness", "Syndrome grippal", False, 900_000, 0.3, (0.0, 0.0), "cold", "general", "J11", 1.02),
    Disease("MALARIA_SEVERE", "Malaria, severe", "Paludisme grave", False, 2_600, 0.36, (0.02, 0.015), "malaria", "severe", "B50.8", 0.95, True),
    Disease("MALARIA_SIMPLE", "Malaria, confirmed, simple", "Paludisme simple confirmé", False, 640_000, 0.12, (0.0, 0.0), "malaria", "general", "B54", 1.03, True),
    Disease("PNEUMONIA_SEVERE", "Severe pneumonia", "Pneumonie sévère", False, 34_000, 0.6, (0.008, 0.012), "cold", "severe", "J18.9", 0.97),
)  # fmt: skip


@cache
def by_code() -> dict[str, Disease]:
    """Diseases by code."""
    return {d.code: d for d in DISEASES}


def position(code: str) -> int:
    """Where a disease stands in ``DISEASES``; ValueError when there is no such disease."""
    return [d.code for d in DISEASES].index(code)


def element_code(disease: int, what: str) -> str:
    """Code of the DHIS2 data element of a disease (by position) and ``cases`` or ``deaths``: ``IDSR-001`` and on."""
    return f"IDSR-{2 * disease + (1 if what == 'cases' else 2):03}"
