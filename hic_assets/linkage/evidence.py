"""Why a pair weighs what it weighs: the waterfall that a reviewer sees.

Belongs here: the parts of a weight in words, with the values compared, whole and masked. Does not belong here: who may see which.
"""

from __future__ import annotations

import polars as pl

from hic_assets.linkage.comparisons import PERSONS, words
from hic_assets.linkage.model import Model
from hic_assets.linkage.schema import COMPARISONS, IDENTITY, RECORDS, conform

SHOWN = {
    "names": ("surname", "given_name"),
    "birth": ("birth_date", "birth_precision"),
    "sex": ("sex",),
    "place": ("district", "sector", "village", "facility"),
    "phone": ("phone",),
    "mother": ("mother_name", "mother_nid"),
    "nid": ("nid",),
    "upi": ("upi",),
    "number": ("programme_numbers",),
}
"""The columns of ``RECORDS`` behind each comparison."""
PAIR = ("system_l", "record_id_l", "system_r", "record_id_r")
MASK = "•"


def waterfall(pairs: pl.DataFrame, records: pl.DataFrame, model: Model) -> pl.DataFrame:
    """One row a pair and step, in the order of the pairs: the prior first, then every comparison.

    Columns: ``PAIR``, step, comparison ("prior" for the first), words, weight, total (up to this step), value_l, value_r, masked_l,
    masked_r. Values are as the source has them, masked ones let a reviewer see agreement and not who it is: of a word the
    first letter, of a number or a date the last two digits stay.
    """
    numbered = pairs.with_row_index("pair")
    steps = [numbered.select("pair", *PAIR, step=pl.lit(0), comparison=pl.lit("prior"), words=pl.lit("two records at random"),
                             weight=pl.lit(model.prior))]  # fmt: skip
    for step, name in enumerate(COMPARISONS, 1):
        known = range(-1, len([level for level in PERSONS[name] if not level.unknown]))
        said = {level: words(name, level) for level in known}
        level = pl.col(f"level_{name}").replace_strict(said, return_dtype=pl.String)
        steps.append(
            numbered.select(
                "pair", *PAIR, step=pl.lit(step), comparison=pl.lit(name), words=level, weight=f"weight_{name}"
            )
        )
    whole = pl.concat(steps)
    shown = _shown(conform(records, RECORDS))
    for side in "lr":
        renamed = shown.rename({"system": f"system_{side}", "record_id": f"record_id_{side}", "value": f"value_{side}"})
        keys = [f"system_{side}", f"record_id_{side}", "comparison"]
        whole = whole.join(renamed, on=keys, how="left", maintain_order="left")
    ordered = whole.sort("pair", "step").with_columns(total=pl.col("weight").cum_sum().over("pair"))
    masks = [masked(pl.col(f"value_{side}")).alias(f"masked_{side}") for side in "lr"]
    return ordered.select(*PAIR, "step", "comparison", "words", "weight", "total", "value_l", "value_r", *masks)


def _shown(records: pl.DataFrame) -> pl.DataFrame:
    """One row a record and comparison: the values in one text, null where there are none."""
    parts = []
    records = records.with_columns(pl.col("programme_numbers").list.join(", "))
    for name, columns in SHOWN.items():
        text = pl.concat_str([pl.col(c).cast(pl.String) for c in columns], separator=", ", ignore_nulls=True)
        none = pl.all_horizontal(pl.col(c).is_null() for c in columns)
        parts.append(records.select(*IDENTITY, comparison=pl.lit(name), value=pl.when(~none).then(text)))
    return pl.concat(parts)


def masked(text: pl.Expr) -> pl.Expr:
    """Letters after the first of a word, and digits but the last two of a number, covered."""
    letters = text.str.replace_all(r"(\p{L})[\p{L}\p{M}'’\-]+", "${1}" + MASK)  # noqa: RUF001
    return letters.str.replace_all(r"\d[\d\-\s/]*(\d\d)\b", MASK + "${1}")
