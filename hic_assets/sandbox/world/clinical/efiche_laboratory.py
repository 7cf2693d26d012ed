"""Laboratory orders of eFICHE and their results: local codes, quantities in more than one unit, answers in words.

Belongs here: what is tested for which condition, and what comes out. Source: domain facts 2.3 (section XXIII).
"""

from __future__ import annotations

from functools import cache

import numpy as np
import polars as pl

from hic_assets.sandbox.world.clinical import conditions
from hic_assets.sandbox.world.clinical.attendance import Visits
from hic_assets.sandbox.world.clinical.base import Times, corrected, lived
from hic_assets.sandbox.world.clinical.nesting import nested, picked
from hic_assets.sandbox.world.clinical.story import Story
from hic_assets.sandbox.world.geography import read_csv
from hic_assets.sandbox.world.hashing import F64, U64, mix, normal, salted, uniform
from hic_assets.sandbox.world.roster import NEVER
from hic_assets.sandbox.world.trackers import moments
from hic_assets.sandbox.world.trackers.packing import I64, Bools, uids

TESTED = 0.85
"""Of those whose condition asks for tests; who does not need any is tested for malaria all the same at FEVERISH."""
FEVERISH = 0.12
LATE = 0.3
"""Orders entered without results, which follow hours or days later."""
CANCELLED = 0.012
OTHER_UNITS = 0.25
"""Of the facilities, those whose analyser prints other units."""
COMMA = 0.03
"""Of the quantities, those typed as text with a decimal comma."""
WORMS = ("ascariasis", "trichuriasis", "hookworm", "amoebiasis", "giardiasis", "schistosomiasis")
# panel -> (conditions that make it positive, share positive of these, share of others)
POSITIVE: dict[str, tuple[tuple[str, ...], float, float]] = {
    "malaria": (("malaria_simple", "malaria_digestive", "malaria_severe"), 0.98, 0.04),
    "stool": (WORMS, 0.9, 0.12),
    "widal": (("typhoid",), 0.7, 0.1),
    "urine": (("uti",), 0.85, 0.2),
    "pregnancy": (("pregnancy_check",), 0.6, 0.1),
    "tuberculosis": (("tuberculosis",), 0.75, 0.0),
    "syphilis": (("sti_syphilis",), 0.6, 0.01),
    "hepatitis": (("hepatitis_b",), 0.8, 0.02),
    "hiv": (("hiv_disease",), 1.0, 0.0),
}
# test -> conditions that change its mean, and to what
ABNORMAL: dict[str, tuple[tuple[str, ...], float]] = {
    "HB": (("anaemia", "malaria_severe"), 8.9),
    "GB": (("pneumonia", "pneumonia_severe"), 13.2),
    "CREA": (("heart_failure",), 1.5),
}
VARIANT_WORDS = {"POSITIF": "POS", "REACTIF": "Positif", "NEGATIF": "NEG", "MTB DETECTED": "MTB détecté"}


@cache
def tests() -> pl.DataFrame:
    """The system's list of tests: code, label_fr, label_en, kind, unit, published_loinc; for the sandbox alone loinc
    (the right one), panel, and how results are drawn.
    """
    numbers = ("factor", "low", "high", "mean", "spread")
    return read_csv("clinical/efiche_tests.csv").with_columns(
        pl.col(numbers).cast(pl.Float64), pl.col("decimals").cast(pl.Int64)
    )


def orders(story: Story, came: Visits, patient: dict[str, pl.Series]) -> pl.DataFrame:
    """The orders made at these visits; ``patient`` are the identity columns of the visits."""
    panels, at = _asked(came)
    rows = np.unique(at)
    orders_of = np.searchsorted(rows, at)
    h = salted(came.hashes[rows], "laboratory")
    many = len(rows)
    cancelled = uniform(salted(h, "cancelled")) < CANCELLED
    kept = ~cancelled[orders_of]
    results = _results(story, came, at[kept], orders_of[kept], panels[kept], many)
    times = _times(came.day[rows], h, story, came, rows)
    frame = pl.DataFrame(
        {
            "id": "L" + uids(salted(h, "order")),
            "visit_id": "V" + uids(salted(came.hashes[rows], "efiche", "visit")),
            "place": pl.Series(came.place[rows], dtype=pl.Int64),
            "day": pl.Series(came.day[rows].astype(np.int32)).cast(pl.Date),
            **{name: patient[name].gather(pl.Series(rows)) for name in ("file_number", "upi", "sex", "age_years")},
            "specimen": _specimen(panels, orders_of, many),
            "status": pl.Series(np.where(cancelled, "CANCELLED", "COMPLETED").astype(object), dtype=pl.String),
            "results": results,
            **times.columns(),
        }
    )
    frame = corrected(frame, "status", pl.Series(["PENDING"] * many, dtype=pl.String))
    return corrected(frame, "results", results.list.head(0))


def _times(day: I64, h: U64, story: Story, came: Visits, rows: I64) -> Times:
    """Entered at once or with the paper; for LATE of them the results follow."""
    person = came.known(story).persons.key[rows]
    made = lived(moments.midnight(day), h, person, edited_share=0.0)
    follows = moments.later(made.entered, h, "result", LATE, 1.1)
    gone = np.where(made.removed == NEVER, NEVER, np.maximum(made.removed, np.where(follows == NEVER, 0, follows) + 1))
    return Times(made.happened, made.entered, follows, gone, person)


@cache
def _panels() -> tuple[list[str], I64, I64]:
    """The panels; and by condition up to two of them (-1 where none)."""
    names = sorted({p for p in tests()["panel"] if "_" not in p})
    wanted = [(t or "").split("|") for t in conditions.table()["tests"].to_list()]
    first = [names.index(w[0]) if w[0] else -1 for w in wanted]
    second = [names.index(w[1]) if len(w) > 1 else -1 for w in wanted]
    return names, np.array(first), np.array(second)


def _asked(came: Visits) -> tuple[I64, I64]:
    """The panels that are ordered and the visit of each."""
    names, first, second = _panels()
    u = uniform(salted(came.hashes, "tested"))
    one, two = first[came.condition], second[came.condition]
    some = np.where((one < 0) & (u < FEVERISH), names.index("malaria"), np.where(u < TESTED, one, -1))
    more = np.where(u < TESTED, two, -1)
    at = np.concatenate([np.nonzero(some >= 0)[0], np.nonzero(more >= 0)[0]])
    return np.concatenate([some[some >= 0], more[more >= 0]]), at


def _specimen(panels: I64, owner: I64, many: int) -> pl.Series:
    names = _panels()[0]
    by_panel = {"stool": "SELLES", "urine": "URINE", "pregnancy": "URINE", "tuberculosis": "CRACHAT"}
    words = pl.Series([by_panel.get(n, "SANG") for n in names], dtype=pl.String)
    first = np.zeros(many, dtype=np.int64)
    first[owner[::-1]] = panels[::-1]
    return picked(words, first)


def _chosen_tests(panels: I64, h: U64, positive: Bools) -> tuple[I64, I64]:
    """Which tests answer a panel: rows of ``tests`` and of the panels asked."""
    names, t = _panels()[0], tests()
    code = {c: i for i, c in enumerate(t["code"].to_list())}
    u = uniform(salted(h, "which test"))
    instead = {"malaria": ("TDR", "GE", 0.3), "tuberculosis": ("GX", "BK", 0.3)}
    rows, owner = [], []
    for number, name in enumerate(names):
        at = np.nonzero(panels == number)[0]
        if name in instead:
            usual, other, share = instead[name]
            rows.append(np.where(u[at] < share, code[other], code[usual]))
            owner.append(at)
            continue
        for row in np.nonzero((t["panel"] == name).to_numpy())[0]:
            rows.append(np.full(len(at), row))
            owner.append(at)
    counted = np.nonzero((panels == names.index("hiv")) & positive & (u < 0.5))[0]
    return np.concatenate([*rows, np.full(len(counted), code["CD4"])]), np.concatenate([*owner, counted])


def _positive(panels: I64, condition: I64, hiv: Bools, h: U64) -> Bools:
    names, u = _panels()[0], uniform(salted(h, "positive"))
    found = np.zeros(len(panels), dtype=bool)
    for name, (makes, share, other) in POSITIVE.items():
        has = np.isin(condition, [conditions.position(c) for c in makes])
        here = panels == names.index(name)
        found |= here & (u < np.where(has, share, other))
    return np.where(panels == names.index("hiv"), hiv, found)


def _results(story: Story, came: Visits, at: I64, owner: I64, panels: I64, many: int) -> pl.Series:
    """The results of each order: ``at`` the visit, ``owner`` the order, ``panels`` the panel of each row."""
    ph = mix(salted(came.hashes[at], "panel") ^ panels.astype(np.uint64))
    positive = _positive(panels, came.condition[at], came.known(story).hiv[at], ph)
    row, asked = _chosen_tests(panels, ph, positive)
    h = mix(ph[asked] ^ salted(row.astype(np.uint64), "test"))
    t, place = tests(), came.place[at][asked]
    foreign = uniform(salted(place.astype(np.uint64), story.seed, "units")) < OTHER_UNITS
    drawn = _quantities(row, came.condition[at][asked], h)
    factor = np.where(foreign, t["factor"].to_numpy()[row], 1.0)
    frame = pl.DataFrame(
        {
            "test_code": picked(t["code"], row),
            "label": picked(t["label_fr"], row) + " / " + picked(t["label_en"], row),
            "numeric": pl.Series((t["kind"] == "NUMERIC").to_numpy()[row]),
            "quantity": pl.Series(drawn * factor).round(2),
            "word": _words(row, positive[asked], h),
            "unit": picked(t["unit"], row),
            "other_unit": picked(t["other_unit"], row),
            "foreign": pl.Series(foreign),
            "comma": pl.Series(uniform(salted(h, "comma")) < COMMA),
            "low": pl.Series(t["low"].to_numpy()[row] * factor).round(2),
            "high": pl.Series(t["high"].to_numpy()[row] * factor).round(2),
        }
    )
    return nested(owner[asked], many, _as_printed(frame))


def _quantities(row: I64, condition: I64, h: U64) -> F64:
    t = tests()
    mean = t["mean"].fill_null(0).to_numpy()[row].copy()
    for code, (has, changed) in ABNORMAL.items():
        ill = np.isin(condition, [conditions.position(c) for c in has])
        mean[ill & (row == t["code"].to_list().index(code))] = changed
    spread = t["spread"].fill_null(0).to_numpy()[row]
    value = np.maximum(mean + spread * normal(salted(h, "quantity")), mean * 0.15)
    scale = 10.0 ** t["decimals"].fill_null(0).to_numpy()[row]
    rounded: F64 = np.round(value * scale) / scale
    return rounded


def _words(row: I64, positive: Bools, h: U64) -> pl.Series:
    """A positive or negative in the words of the test, a tenth of them in other words."""
    yes = picked(tests()["positive"].fill_null("POSITIF"), row)
    word = pl.select(pl.when(pl.Series(positive)).then(yes).otherwise(pl.lit("NEGATIF"))).to_series()
    other = word.replace(VARIANT_WORDS)
    return pl.select(pl.when(pl.Series(uniform(salted(h, "words")) < 0.1)).then(other).otherwise(word)).to_series()


def _as_printed(frame: pl.DataFrame) -> pl.DataFrame:
    """The members of a result: a number with its unit and range, or words."""
    number, typed = pl.col("numeric") & ~pl.col("comma"), pl.col("numeric") & pl.col("comma")
    text = pl.col("quantity").cast(pl.String).str.replace(".", ",", literal=True)
    outside = (
        pl.when(pl.col("quantity") < pl.col("low")).then(pl.lit("L"))
        .when(pl.col("quantity") > pl.col("high")).then(pl.lit("H"))
        .otherwise(pl.lit("N"))
    )  # fmt: skip
    return frame.select(
        "test_code",
        "label",
        value_numeric=pl.when(number).then("quantity"),
        value_text=pl.when(typed).then(text).when(~pl.col("numeric")).then("word"),
        unit=pl.when("numeric").then(pl.when("foreign").then("other_unit").otherwise("unit")),
        range_low=pl.when("numeric").then("low"),
        range_high=pl.when("numeric").then("high"),
        flag=pl.when("numeric").then(outside),
    )
