"""How many facilities stand behind a verdict: where few have reported, a quiet week is not known to be quiet.

Frames in, frames out. Belongs here: which verdicts are doubted. Does not belong here: judging (`weekly`). A week is judged first
on the Monday after it, and reports are due by the Wednesday: with a third of the facilities silent, low counts prove nothing.
An alarm stands: more reports can only add cases. Thresholds of single cases stay as they are, since they ask for what was
reported. Earlier weeks in the baselines are taken as reported, as in the published methods, which know no completeness.
"""

from __future__ import annotations

import polars as pl

from hic_assets.alerts.judge import Unknown
from hic_assets.alerts.late import LATER
from hic_assets.alerts.rules import THRESHOLDS

LEAST_SHARE = 0.6
"""Of the facilities of a district that should report a disease, how many must have for a quiet verdict. A choice, at the share
under which the WHO's tuberculosis review calls a variable unreliable; the national target is 0.8."""

REPORTED = {**LATER, "reported_share": pl.Float64}
"""One row a disease, district and week: facilities that reported over those that should; NULL where none should."""


def doubted(found: pl.DataFrame, reported: pl.DataFrame) -> pl.DataFrame:
    """Verdicts (`weekly.VERDICTS`) with `reported_share`; of statistical rules the quiet ones with too few reports cannot say."""
    both = found.join(reported.select(list(REPORTED)), on=list(LATER), how="left", maintain_order="left")
    quiet = ~pl.col("has_fired").fill_null(True) & ~pl.col("method").is_in(THRESHOLDS)
    few = (quiet & (pl.col("reported_share") < LEAST_SHARE)).fill_null(False)
    return both.with_columns(
        has_fired=pl.when(~few).then("has_fired"),
        why_unknown=pl.when(few).then(pl.lit(Unknown.FEW_REPORTS.value)).otherwise("why_unknown"),
    )
