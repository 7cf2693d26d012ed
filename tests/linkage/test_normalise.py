"""Clean columns: names, births, identifiers, codes."""

from __future__ import annotations

from datetime import date

import polars as pl
import pytest

from hic_assets.linkage.identifiers import nid, phone, sex, upi
from hic_assets.linkage.names import place, plain, sounds
from hic_assets.linkage.normalise import NORMALISED, normalise
from hic_assets.sandbox.world.trackers import names
from linkage.made import records


def _all(kind: object, values: list[str | None]) -> list[str | None]:
    return pl.DataFrame({"x": values}, schema={"x": pl.String}).select(y=kind(pl.col("x")))["y"].to_list()  # type: ignore[operator]


def test_every_spelling_of_the_sandbox_sounds_like_the_name() -> None:
    for given in (False, True):
        spelt = names.spellings(given)
        sounded = pl.DataFrame({"x": spelt}).select(y=sounds(plain(pl.col("x"))))["y"].to_list()
        width = len(names.SPELLINGS)
        lost = [spelt[i] for i in range(len(sounded)) if sounded[i] != sounded[i - i % width]]
        assert len(lost) <= 0.01 * len(sounded), lost


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("Habyarimana", "HABIALIMANA "),
        ("Chantal", "Khantal"),
        ("Clémentine", "CLEMENTINE"),
        ("Niyonkuru", "Nniyonkulu"),
        ("N'Goma", "NGOMA"),
    ],
)
def test_spellings_of_one_name(one: str, other: str) -> None:
    a, b = _all(lambda c: sounds(plain(c)), [one, other])
    assert a == b is not None


def test_names_in_any_order_and_field_have_one_key() -> None:
    made = normalise(
        records(
            {"record_id": "a", "surname": "Mugabo", "given_name": "Jean Paul"},
            {"record_id": "b", "surname": "jean paul", "given_name": "MUGABO"},
            {"record_id": "c", "surname": "Paul Mugabo, Jean", "given_name": None},
        )
    )
    assert made["name_key"].n_unique() == 1


def test_a_child_without_a_name_has_none_and_its_mothers_is_kept() -> None:
    made = normalise(
        records(
            {"record_id": "a", "surname": "Baby of", "given_name": None},
            {"record_id": "b", "surname": "Baby of MUKAMANA", "given_name": None},
            {"record_id": "c", "surname": "Umwana wa Uwera", "given_name": None, "mother_name": "Uwase Alice"},
        )
    )
    assert made["name_key"].to_list() == [None, None, None]
    assert made["mother_key"].to_list() == [None, "MUKAMANA", "ARICE UWASE".replace("C", "K")]


def test_sexes_of_all_systems() -> None:
    codes = ["1", "M", "male", "Gabo", "8", "2", "F", "Female", "Gore", "7", "x", None]
    assert _all(sex, codes) == ["M"] * 5 + ["F"] * 5 + [None, None]


def test_national_ids() -> None:
    said = ["1 1985 8 0012345 0 67", "1198580012345067", "1.19858E+15", "119858001234506", "4198580012345067", None]
    assert _all(nid, said) == ["1198580012345067", "1198580012345067", None, None, None, None]


def test_upis_and_temporary_numbers() -> None:
    assert _all(upi, ["230606-0022-4112", " 230606-0022-4112 ", "TMP-0123456789", ""]) == ["230606-0022-4112"] * 2 + [
        None,
        None,
    ]


def test_phones() -> None:
    said = ["0788 123 456", "+250788123456", "00250788123456", "0780000000", "0712345678", "12", None]
    assert _all(phone, said) == ["788123456"] * 3 + [None] * 4


def test_places_lose_their_level_and_codes_their_zeros() -> None:
    assert _all(place, ["Remera Sector", "REMERA", "0101", "101"]) == ["REMERA", "REMERA", "101", "101"]


def test_placeholders_and_years() -> None:
    made = normalise(
        records(
            {"record_id": "a", "birth_date": date(1900, 1, 1)},
            {"record_id": "b", "birth_date": date(2026, 3, 1)},
            {"record_id": "c", "birth_date": date(1980, 1, 1)},
            {"record_id": "d", "birth_date": date(2026, 1, 1)},
            {"record_id": "e", "birth_date": date(1980, 5, 9), "birth_precision": "year"},
            {"record_id": "f", "birth_date": date(1980, 5, 9)},
        )
    )
    assert made["birth_year"].to_list() == [None, None, 1980, 2026, 1980, 1980]
    assert made["birth_day"].to_list() == [None, None, None, date(2026, 1, 1), None, date(1980, 5, 9)]
    assert made["birth_swap"].to_list() == [None, None, None, date(2026, 1, 1), None, date(1980, 9, 5)]


def test_a_childs_record_with_the_mothers_national_id() -> None:
    mothers = "1199070012345012"
    made = normalise(
        records(
            {"record_id": "a", "birth_date": date(2024, 2, 2), "nid": mothers},
            {"record_id": "b", "birth_date": date(1990, 2, 2), "sex": "F", "nid": mothers},
            {"record_id": "c", "birth_date": date(1986, 2, 2), "nid": mothers},
            {"record_id": "d", "birth_date": None, "nid": mothers},
        )
    )
    assert made["nid13"].to_list() == [None, mothers[:13], None, mothers[:13]]
    assert made["mother_nid13"].to_list() == [mothers[:13], None, None, None]
    assert made["birth_year"].to_list() == [2024, 1990, 1986, 1990]


def test_the_shape() -> None:
    made = normalise(records({"record_id": "b"}, {"record_id": "a"}))
    assert dict(made.schema) == NORMALISED
    assert made["record_id"].to_list() == ["a", "b"]
    with pytest.raises(ValueError, match="twice"):
        normalise(records({"record_id": "a"}, {"record_id": "a"}))
    with pytest.raises(ValueError, match="no such columns: face"):
        normalise(pl.DataFrame({"system": ["a"], "record_id": ["a"], "face": ["b"]}))
