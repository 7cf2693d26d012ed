"""What is compared between two records, and the levels of agreement, as Splink has them.

Belongs here: the declaration. Does not belong here: what agreement is worth, which is learned (``training``) and kept in
``model.json``. Levels are tried from the top; Splink counts them from the highest number down to 0, -1 being unknown.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

SHARED_BY_CHANCE = {"phone": 1e-5, "mother_nid": 1e-6, "nid": 1e-7, "nid_typo": 1e-6, "upi": 1e-7, "number": 1e-7}
"""How often two different persons agree, set and not learned: too rare for a sample of pairs. A phone is a family's."""


@dataclass(frozen=True)
class Level:
    """One level: an SQL condition on columns ``x_l`` and ``x_r``, and the words for a reader.

    ``frequency`` is the column by whose frequency agreement is weighed; ``chance`` fixes u, ``share`` m.
    """

    words: str
    condition: str
    frequency: str | None = None
    chance: float | None = None
    share: float | None = None
    unknown: bool = False

    def settings(self) -> dict[str, Any]:
        """As Splink's settings have it."""
        made: dict[str, Any] = {"sql_condition": self.condition, "label_for_charts": self.words}
        if self.unknown:
            made["is_null_level"] = True
        if self.frequency:
            made |= {"tf_adjustment_column": self.frequency, "disable_tf_exact_match_detection": True}
        if self.chance is not None:
            made |= {"u_probability": self.chance, "fix_u_probability": True}
        if self.share is not None:
            made |= {"m_probability": self.share, "fix_m_probability": True}
        return made


def either_null(*columns: str) -> str:
    """One of the sides has none of these columns."""
    sides = (" and ".join(f"{c}_{side} is null" for c in columns) for side in "lr")
    return " or ".join(f"({side})" for side in sides)


def both(column: str) -> str:
    """Both sides have the column."""
    return f"({column}_l is not null and {column}_r is not null)"


def same(column: str) -> str:
    """Both sides have it, and the same."""
    return f"{column}_l = {column}_r"


def _else(chance: float | None = None) -> Level:
    return Level("different", "ELSE", chance=chance)


def _names(tokens: str, key: str) -> list[Level]:
    """Sets of words: the order of names, and which field they are in, say nothing."""
    return [
        Level("same names", same(key), frequency=key),
        Level(
            "the names of one are among the other's",
            f"list_has_all({tokens}_l, {tokens}_r) or list_has_all({tokens}_r, {tokens}_l)",
        ),
        Level("names two letters apart", f"damerau_levenshtein({key}_l, {key}_r) <= 2"),
        Level("one name in common", f"list_has_any({tokens}_l, {tokens}_r)"),
    ]


_DAYS = "abs(date_diff('day', birth_day_l, birth_day_r))"
_BIRTH = [
    Level("birth not known", either_null("birth_year"), unknown=True),
    Level("same day", same("birth_day"), frequency="birth_day"),
    Level("day and month exchanged", "birth_day_l = birth_swap_r or birth_swap_l = birth_day_r"),
    Level("a day or a year off", f"{_DAYS} = 1 or {_DAYS} between 364 and 367"),
    Level("same year, one day not known", f"{same('birth_year')} and not {both('birth_day')}"),
    Level("a year off, from an age", "(birth_about_l or birth_about_r) and abs(birth_year_l - birth_year_r) = 1"),
    Level("same year, other day", same("birth_year")),
    Level("two years apart at most", "abs(birth_year_l - birth_year_r) <= 2"),
    _else(),
]
_NO_SECTOR = "(sector_l is null or sector_r is null)"
_PLACE = [
    Level(
        "residence not known",
        f"{_NO_SECTOR} and (district_l is null or district_r is null) and (facility_l = facility_r) is not true",
        unknown=True,
    ),
    Level("same sector and village", f"{same('sector')} and {same('village')}"),
    Level("same district and village", f"{_NO_SECTOR} and {same('district')} and {same('village')}"),
    Level("same facility and village", f"{_NO_SECTOR} and {same('facility')} and {same('village')}"),
    Level("same sector", f"{same('sector')} and not {both('village')}"),
    Level("same facility", f"{_NO_SECTOR} and {same('facility')} and not {both('village')}"),
    Level("same sector, other village", same("sector")),
    Level("same district", f"{same('district')}"),
    _else(),
]
_MOTHER = [
    Level("mother not known", either_null("mother_key", "mother_nid13"), unknown=True),
    Level("same mother's national ID", same("mother_nid13"), chance=SHARED_BY_CHANCE["mother_nid"]),
    *_names("mother_tokens", "mother_key"),
    _else(),
]
_NID = [
    Level("national ID not known", either_null("nid13"), unknown=True),
    Level("same national ID", same("nid13"), chance=SHARED_BY_CHANCE["nid"]),
    Level(
        "national ID one slip apart", "damerau_levenshtein(nid13_l, nid13_r) <= 1", chance=SHARED_BY_CHANCE["nid_typo"]
    ),
    _else(1 - SHARED_BY_CHANCE["nid"] - SHARED_BY_CHANCE["nid_typo"]),
]

# Programmes number a person anew, so other numbers say nothing: as likely of one person as of two.
_NUMBER = [
    Level("programme number not known", either_null("programme_numbers"), unknown=True),
    Level(
        "same programme number",
        "list_has_any(programme_numbers_l, programme_numbers_r)",
        chance=SHARED_BY_CHANCE["number"],
        share=0.5,
    ),
    Level("other programme numbers", "ELSE", chance=0.5, share=0.5),
]


def _equal(column: str, words: str, chance: float | None = None) -> list[Level]:
    return [
        Level(f"{words} not known", either_null(column), unknown=True),
        Level(f"same {words}", same(column), chance=chance),
        _else(None if chance is None else 1 - chance),
    ]


PERSONS: dict[str, list[Level]] = {
    "names": [
        Level("names not known", either_null("name_key"), unknown=True),
        *_names("name_tokens", "name_key"),
        _else(),
    ],
    "birth": _BIRTH,
    "sex": _equal("sex", "sex"),
    "place": _PLACE,
    "phone": _equal("phone", "phone", SHARED_BY_CHANCE["phone"]),
    "mother": _MOTHER,
    "nid": _NID,
    "upi": _equal("upi", "UPI", SHARED_BY_CHANCE["upi"]),
    "number": _NUMBER,
}
"""The comparisons of person records, in the order of ``schema.COMPARISONS``."""


def settings(comparisons: dict[str, list[Level]]) -> dict[str, Any]:
    """Splink's settings of an untrained model with these comparisons; records have an integer ``id``."""
    return {
        "link_type": "dedupe_only",
        "unique_id_column_name": "id",
        "comparisons": [
            {"output_column_name": name, "comparison_levels": [level.settings() for level in levels]}
            for name, levels in comparisons.items()
        ],
        "blocking_rules_to_generate_predictions": [],
        # Else Splink does not say which level a pair reached.
        "retain_matching_columns": True,
        "retain_intermediate_calculation_columns": True,
        "sql_dialect": "duckdb",
    }


def number(comparison: str, words: str) -> int:
    """The number that Splink gives a level of ``PERSONS``."""
    known = [level for level in PERSONS[comparison] if not level.unknown]
    return len(known) - 1 - next(i for i, level in enumerate(known) if level.words == words)


def words(comparison: str, level: int) -> str:
    """What a level of ``PERSONS`` says."""
    if level < 0:
        return next(each.words for each in PERSONS[comparison] if each.unknown)
    known = [each for each in PERSONS[comparison] if not each.unknown]
    return known[len(known) - 1 - level].words
