"""What the sandbox tests ask for: one month and districts by code."""

from __future__ import annotations

from hic_assets.sandbox.world import geography

MONTH = "202605"


def district(code: str) -> str:
    """The uid of a district given its three-digit code."""
    return next(u.uid for u in geography.tree() if u.level == 3 and u.code == "0" + code)
