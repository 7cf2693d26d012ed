"""What follows from a weighed pair: the same person, not, or somebody should look.

Belongs here: thresholds, the guard of shared identifiers, families and twins. Does not belong here: pairs of pairs
(``clustering``), what people decided (there too).
"""

from __future__ import annotations

from dataclasses import dataclass

import polars as pl

from hic_assets.linkage.comparisons import number

LINK, REVIEW, APART = "link", "review", "apart"


@dataclass(frozen=True)
class Thresholds:
    """Weights (log2 of the odds) from which a pair is linked, and from which it is reviewed; below it is forgotten.

    Not fitted to any truth. At 7 one link in 130 would be wrong if every link were as weak as the weakest: the few that are
    leave the whole well below one in a thousand. At -3 eight pairs in nine are two persons: beyond, a reviewer's day
    finds next to nothing. ``own`` is what must come from the person alone (names, birth, sex, numbers): a family shares
    phone, place and mother, and however much that weighs, siblings are two.
    """

    link: float = 7.0
    review: float = -3.0
    own: float = 5.0


THRESHOLDS = Thresholds()
OWN = ("names", "birth", "sex", "nid", "upi", "number")


def judge(pairs: pl.DataFrame, frame: pl.DataFrame, thresholds: Thresholds = THRESHOLDS) -> pl.DataFrame:
    """Scored pairs with ``verdict`` and ``reason``. ``frame`` is ``NORMALISED`` with ``id``."""
    facts = frame.select("id", "multiple_birth", "birth_order")
    both = pairs.join(facts.rename(lambda c: f"{c}_l"), on="id_l", how="left", maintain_order="left")
    both = both.join(facts.rename(lambda c: f"{c}_r"), on="id_r", how="left", maintain_order="left")
    verdict = pl.lit(APART)
    reason = pl.lit("too little in common")
    # The last that holds is written outermost, so the list is read from the bottom: what stands lower comes first.
    for holds, said, why in reversed(_rules(thresholds)):
        verdict = pl.when(holds).then(pl.lit(said)).otherwise(verdict)
        reason = pl.when(holds).then(pl.lit(why)).otherwise(reason)
    return both.select(*pairs.columns, verdict=verdict, reason=reason)


def _level(comparison: str, words: str) -> pl.Expr:
    return pl.col(f"level_{comparison}") == number(comparison, words)


def _rules(t: Thresholds) -> list[tuple[pl.Expr, str, str]]:
    """Condition, verdict, reason; the first that holds counts."""
    other_names, other_sex = _level("names", "different"), _level("sex", "different")
    other_birth, unnamed = _level("birth", "different"), pl.col("level_names") < 0
    same_nid, same_upi = _level("nid", "same national ID"), _level("upi", "same UPI")
    same_number = _level("number", "same programme number")
    identifier = same_nid | same_upi | same_number
    agrees = ~other_names & ~other_birth & ~(other_sex & (pl.col("weight_names") <= 0))
    orders = pl.col("birth_order_l") != pl.col("birth_order_r")
    multiple = (pl.col("multiple_birth_l") | pl.col("multiple_birth_r")).fill_null(False)
    enough = pl.col("weight") >= t.link
    own = pl.sum_horizontal(f"weight_{c}" for c in OWN)
    return [
        (other_names & identifier & ~other_birth, REVIEW, "a shared identifier, other names"),
        (other_names, APART, "other names"),
        (orders.fill_null(False), APART, "other child of a multiple birth"),
        (multiple & unnamed & other_sex, APART, "other child of a multiple birth"),
        (same_nid & agrees, LINK, "national ID"),
        (same_upi & agrees, LINK, "UPI"),
        (same_number & agrees, LINK, "programme number"),
        (identifier, REVIEW, "a shared identifier, another birth or sex"),
        (multiple & unnamed & (pl.col("weight") >= t.review), REVIEW, "perhaps a twin"),
        (enough & _level("nid", "different"), REVIEW, "other national ID"),
        (enough & (own < t.own), REVIEW, "perhaps of one family"),
        (enough, LINK, "weight"),
        (pl.col("weight") >= t.review, REVIEW, "grey zone"),
    ]
