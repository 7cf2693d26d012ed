"""Identifiers and codes made comparable, and whether a national ID can be the person's own.

Belongs here: NID, UPI, phone, sex. Does not belong here: what a shared identifier proves (``verdict``).
Source: domain facts 2.7: 1 status, 4 birth year, 1 sex (8 male, 7 female), 7 serial, 1 issue, 2 check digits. A new card
changes the last three, so the first thirteen are the person's.
"""

from __future__ import annotations

import polars as pl

MALE = ("M", "MALE", "MAN", "1", "8", "GABO", "MASCULIN", "HOMME", "H")
FEMALE = ("F", "FEMALE", "WOMAN", "2", "7", "GORE", "FEMININ", "FEMME")
NID = r"^[123](?:19|20)\d{2}[78]\d{10}$"
UPI = r"^\d{6}-\d{4}-\d{4}$"
GENERATION = 12
"""Years that a mother is older than her child, at least."""
CARD_AGE = 16


def sex(text: pl.Expr) -> pl.Expr:
    """M or F from any of the codings in use; null for what is neither."""
    said = text.str.strip_chars().str.to_uppercase()
    return pl.when(said.is_in(MALE)).then(pl.lit("M")).when(said.is_in(FEMALE)).then(pl.lit("F"))


def nid(text: pl.Expr) -> pl.Expr:
    """Sixteen digits without blanks; null when they are not built as a NID is (a spreadsheet's 1.19E+15 too)."""
    digits = text.str.replace_all(r"[\s\-]", "")
    return pl.when(digits.str.contains(NID)).then(digits)


def upi(text: pl.Expr) -> pl.Expr:
    """``YYMMDD-FOSA-NNNN``; null for anything else, temporary identifiers among it."""
    said = text.str.replace_all(r"\s", "")
    return pl.when(said.str.contains(UPI)).then(said)


def phone(text: pl.Expr) -> pl.Expr:
    """The nine digits of a Rwandan mobile number; null for others, and for 700 000 000 and its like."""
    digits = text.str.replace_all(r"\D", "").str.replace(r"^(?:00)?250", "").str.replace(r"^0", "")
    fake = digits.str.contains(r"^7\d?(?:0{7,8}|1{7,8}|2{7,8}|3{7,8}|8{7,8}|9{7,8})$|^7(?:12345678|23456789)$")
    return pl.when(digits.str.contains(r"^7[2389]\d{7}$") & ~fake).then(digits)


def identifier_columns(frame: pl.DataFrame) -> pl.DataFrame:
    """With ``sex``, ``upi``, ``phone`` clean, and ``nid13``, ``mother_nid13``: the thirteen digits that stay.

    Needs ``birth_year`` and ``recorded_on``. A number that says another year is not the person's own: where it is a woman's
    old enough, it is the mother's; else it is left out.
    """
    whole = frame.with_columns(
        sex=sex(pl.col("sex")), upi=upi(pl.col("upi")), phone=phone(pl.col("phone")),
        _nid=nid(pl.col("nid")), _mother=nid(pl.col("mother_nid")).str.slice(0, 13),
    )  # fmt: skip
    year = pl.col("_nid").str.slice(1, 4).cast(pl.Int32)
    older = pl.col("birth_year") - year
    young = (pl.col("recorded_on").dt.year() - pl.col("birth_year") < CARD_AGE).fill_null(False)
    others = (older.abs() > 1).fill_null(False)
    mothers = others & young & (older >= GENERATION) & (pl.col("_nid").str.slice(5, 1) == "7")
    stable = pl.col("_nid").str.slice(0, 13)
    return whole.with_columns(
        nid13=pl.when(~others).then(stable),
        mother_nid13=pl.coalesce("_mother", pl.when(mothers).then(stable)),
        birth_year=pl.coalesce("birth_year", year),
    ).drop("_nid", "_mother", "nid", "mother_nid")
