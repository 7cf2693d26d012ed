"""Stock cards of tracer drugs: opening, received, dispensed, lost, closing and days of stock-out.

Belongs here: quantities that must balance within a month and carry over to the next. Source: domain trap 17.
"""

from __future__ import annotations

from datetime import date

import numpy as np

from hic_assets.sandbox.world.hashing import F64, cross, key, salted, uniform
from hic_assets.sandbox.world.roster import I64, Roster, add_months, next_month
from hic_assets.sandbox.world.sheets import Sheet


def _closing(roster: Roster, need: F64, drug: str, month: date) -> F64:
    """Stock at the end of a month, from the month alone; one in sixteen is empty."""
    u = uniform(cross(salted(roster.keys, "closing", month), np.array([key("drug", drug)], dtype=np.uint64)))[:, 0]
    return np.where(u < 0.06, 0.0, np.floor(need * (0.1 + 2.2 * u)))


def fill(numbers: I64, roster: Roster, cells: Sheet, month: date) -> None:
    """Write the stock cells of ``numbers`` (facilities x cells) in place."""
    drugs = sorted({code[4:] for code, _ in cells.position if code.startswith(("STK_", "SOD_"))})
    days = (next_month(month) - month).days
    for drug in drugs:
        level = 0.3 + 1.7 * float(uniform(np.array([key("use", drug)], dtype=np.uint64))[0])
        need = 1 + 200 * level * roster.weight
        h = salted(roster.keys, "stock", drug, month)
        opening, closing = _closing(roster, need, drug, add_months(month, -1)), _closing(roster, need, drug, month)
        used = np.floor(need * (0.7 + 0.6 * uniform(salted(h, "used"))))
        lost = np.floor(need * 0.03 * uniform(salted(h, "lost")))
        received = np.maximum(0, closing + used + lost - opening)
        used = opening + received - lost - closing
        opening = opening + np.where(uniform(salted(h, "open")) < 0.02, 10, 0)
        closing = np.where(uniform(salted(h, "negative")) < 0.003, -np.floor(need * 0.2) - 1, closing)
        out = np.floor(1 + uniform(salted(h, "days")) * 20) * (closing <= 0)
        out = np.where((closing <= 0) & (uniform(salted(h, "toolong")) < 0.03), days + 4, out)
        movement = {"OPENING": opening, "RECEIVED": received, "DISPENSED": used, "LOST": lost, "CLOSING": closing}
        for name, quantity in movement.items():
            _put(numbers, cells, (f"STK_{drug}", name), quantity)
        _put(numbers, cells, (f"SOD_{drug}", "default"), out)


def _put(numbers: I64, cells: Sheet, cell: tuple[str, str], quantity: F64) -> None:
    column = cells.position.get(cell)
    if column is not None:
        numbers[:, column] = quantity.astype(np.int64)
