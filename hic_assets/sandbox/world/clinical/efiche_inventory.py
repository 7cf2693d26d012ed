"""The inventory of eFICHE: movements of a month and the stock card that should sum them up.

Belongs here: quantities by facility, product and month. Source: domain facts 2.3 (section XXVI), trap 17: an opening
that is not the closing before, a negative closing, more days of stock-out than the month has.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from functools import cache

import numpy as np
import polars as pl

from hic_assets.sandbox.world.clinical.base import NOBODY, corrected, lived
from hic_assets.sandbox.world.clinical.nesting import picked
from hic_assets.sandbox.world.clinical.story import Story, month_days
from hic_assets.sandbox.world.geography import read_csv
from hic_assets.sandbox.world.hashing import F64, U64, cross, keys, mix, salted, uniform
from hic_assets.sandbox.world.roster import add_months
from hic_assets.sandbox.world.trackers import moments
from hic_assets.sandbox.world.trackers.packing import I64, uids

ISSUES = 3
"""Times a month that a product leaves the store for the dispensary."""
KINDS = pl.Series(["RECEIPT", "ISSUE", "LOSS", "ADJUSTMENT"], dtype=pl.String)
RECEIPT, ISSUE, LOSS, ADJUSTMENT = range(4)
WRONG_OPENING, NEGATIVE, TOO_LONG, ADJUSTED = 0.02, 0.004, 0.04, 0.015


@cache
def products() -> pl.DataFrame:
    """The system's list of products: code, label, unit; for the sandbox alone use (a month) and atc."""
    return read_csv("clinical/efiche_products.csv").with_columns(pl.col("use").cast(pl.Int64))


@dataclass(frozen=True)
class Cells:
    """One entry a facility and product: what happened to the stock in a month, in units of the product."""

    place: I64
    product: I64
    hashes: U64
    opening: F64
    received: F64
    issued: F64
    lost: F64
    adjusted: F64
    closing: F64


def _stock(story: Story, place: I64, month: date, need: F64) -> F64:
    """Stock at the end of a month, from the month alone; one in sixteen is empty."""
    u = uniform(_hashes(story, place, ("closing", month)))
    return np.where(u < 0.06, 0.0, np.floor(need * (0.1 + 2.2 * u)))


def _hashes(story: Story, place: I64, salt: object) -> U64:
    """By facility (row) and product (column)."""
    units = keys((story.seed, "efiche stock", salt), [story.facilities[i].uid for i in place])
    return cross(units, keys("product", products()["code"].to_list()))


def cells(story: Story, place: I64, month: date) -> Cells:
    """The truth of a month at the facilities that are open in it."""
    first, end = month_days(month)
    place = place[story.open_on(place, np.full(len(place), first)) & story.open_on(place, np.full(len(place), end - 1))]
    use = products()["use"].to_numpy()
    size = np.array([story.facilities[i].weight for i in place])
    need = 1 + use[None, :] * np.clip(size, 0.4, 3.0)[:, None]
    h = _hashes(story, place, month)
    opening, closing = _stock(story, place, add_months(month, -1), need), _stock(story, place, month, need)
    issued = np.floor(need * (0.7 + 0.6 * uniform(salted(h, "issued"))))
    lost = np.floor(need * 0.05 * uniform(salted(h, "lost"))) * (uniform(salted(h, "some lost")) < 0.15)
    adjusted = np.where(uniform(salted(h, "adjusted")) < ADJUSTED, np.floor(need * 0.1) + 1, 0.0)
    adjusted *= np.where(uniform(salted(h, "sign")) < 0.5, 1, -1)
    received = np.maximum(0, closing + issued + lost - opening - adjusted)
    issued = np.maximum(0, opening + received + adjusted - lost - closing)
    closing = opening + received + adjusted - lost - issued
    where, what = np.nonzero(np.ones(h.shape, dtype=bool))
    each = (opening, received, issued, lost, adjusted, closing)
    return Cells(place[where], what, h.ravel(), *(e.ravel() for e in each))


def movements(story: Story, place: I64, month: date) -> pl.DataFrame:
    """One row a movement: receipts, ISSUES issues a product, losses, adjustments; nothing where nothing moved."""
    c = cells(story, place, month)
    first, end = month_days(month)
    turns = [(RECEIPT, 0, c.received), (LOSS, 0, c.lost), (ADJUSTMENT, 0, c.adjusted)]
    left = c.issued
    for turn in range(ISSUES):
        part = np.floor(left / (ISSUES - turn))
        turns.append((ISSUE, turn, part))
        left = left - part
    kind = np.concatenate([np.full(len(q), k) for k, _, q in turns])
    turn_of = np.concatenate([np.full(len(q), t) for _, t, q in turns])
    quantity, row = np.concatenate([q for *_, q in turns]), np.tile(np.arange(len(c.place)), len(turns))
    moved = np.nonzero(quantity != 0)[0]
    kind, turn_of, quantity, row = kind[moved], turn_of[moved], quantity[moved], row[moved]
    h = mix(c.hashes[row] ^ ((kind * 8 + turn_of + 1).astype(np.uint64) * np.uint64(0x9E3779B97F4A7C15)))
    share = np.where(kind == RECEIPT, 0.05, np.where(kind == ISSUE, (turn_of + 0.5) / ISSUES, 0.9))
    jitter = (uniform(salted(h, "day")) - 0.5) / ISSUES * (end - first) * 0.8
    day = np.clip(first + np.floor((end - first) * share + jitter), first, end - 1).astype(np.int64)
    lot = pl.Series((salted(c.hashes[row], "lot") % np.uint64(10**6)).astype(np.int64)).cast(pl.String).str.zfill(6)
    expires = first + 120 + (salted(c.hashes[row], "expires") % np.uint64(700)).astype(np.int64)
    typed_wrong = np.where(quantity > 9, quantity * 10, quantity + 1)
    frame = pl.DataFrame(
        {
            "id": "M" + uids(salted(h, "movement")),
            "place": pl.Series(c.place[row], dtype=pl.Int64),
            "day": pl.Series(day.astype(np.int32)).cast(pl.Date),
            "product_code": picked(products()["code"], c.product[row]),
            "product_label": picked(products()["label"], c.product[row]),
            "kind": picked(KINDS, kind),
            "quantity": pl.Series(quantity.astype(np.int64)),
            "unit": picked(products()["unit"], c.product[row]),
            "lot": lot,
            "expires": pl.Series(expires.astype(np.int32)).cast(pl.Date),
            **lived(moments.midnight(day), h, np.full(len(h), NOBODY), edited_share=0.02).columns(),
        }
    )
    return corrected(frame, "quantity", pl.Series(typed_wrong.astype(np.int64)))


def balances(story: Story, place: I64, month: date) -> pl.DataFrame:
    """One row a facility and product: the card of the month, counted on its last day, with the defects of cards."""
    c = cells(story, place, month)
    first, end = month_days(month)
    h = salted(c.hashes, "card")
    wrong = uniform(salted(h, "opening")) < WRONG_OPENING
    negative = uniform(salted(h, "negative")) < NEGATIVE
    opening = c.opening + np.where(wrong, 10.0, 0.0)
    closing = np.where(negative, -np.floor(c.issued * 0.2) - 1, c.closing)
    out = np.floor(1 + uniform(salted(h, "days")) * 20) * (closing <= 0)
    out = np.where((closing <= 0) & (uniform(salted(h, "too long")) < TOO_LONG), end - first + 4, out)
    quantities = {
        "opening": opening, "received": c.received, "issued": c.issued, "lost": c.lost, "adjusted": c.adjusted,
        "closing": closing, "days_out": out,
    }  # fmt: skip
    day = np.full(len(h), end - 1, dtype=np.int64)
    frame = pl.DataFrame(
        {
            "id": "B" + uids(salted(h, "balance")),
            "place": pl.Series(c.place, dtype=pl.Int64),
            "day": pl.Series(day.astype(np.int32)).cast(pl.Date),
            "product_code": picked(products()["code"], c.product),
            "product_label": picked(products()["label"], c.product),
            "unit": picked(products()["unit"], c.product),
            **{name: pl.Series(q.astype(np.int64)) for name, q in quantities.items()},
            **lived(moments.midnight(day), h, np.full(len(h), NOBODY), edited_share=0.03).columns(),
        }
    )
    return corrected(frame, "closing", frame["closing"] + 5)
