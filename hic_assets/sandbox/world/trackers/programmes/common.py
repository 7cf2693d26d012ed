"""Attributes that several programmes of the HMIS tracker ask for, and small helpers of the programmes."""

from __future__ import annotations

import numpy as np

from hic_assets.sandbox.world.hashing import U64, salted, uniform
from hic_assets.sandbox.world.trackers.catalogue import ElementSpec, ProgrammeSpec
from hic_assets.sandbox.world.trackers.draft import Draft
from hic_assets.sandbox.world.trackers.packing import I64, Answer, Bools, chosen


def hmis_attributes(draft: Draft, upi_created: I64 | None = None) -> dict[str, Answer]:
    """The person as the HMIS tracker asks for it: whatever of it the programme has."""
    w = draft.writing
    surname, given = w.name_fields()
    asked = {a.code for a in draft.spec.attributes}
    made = {
        "UPI": lambda: w.upi(w.days if upi_created is None else upi_created),
        "NID": w.nid,
        "SURNAME": lambda: surname,
        "GIVEN_NAME": lambda: given,
        "SEX": lambda: w.sex("M", "F"),
        "BIRTH_DATE": w.birth_date,
        "MOTHER_NAME": lambda: w.mothers().full_name(),
        "MOTHER_NID": lambda: w.mothers().nid(),
        "FATHER_NAME": lambda: w.fathers().full_name(),
        "PHONE": w.phone,
        "RESIDENCE_SECTOR": w.sector,
        "VILLAGE": w.village,
    }
    return {code: write() for code, write in made.items() if code in asked}


def option(spec: ProgrammeSpec, stage: str, code: str, index: np.ndarray) -> Answer:  # type: ignore[type-arg]
    """The n-th option of an element's option set in every row."""
    element = _element(spec, stage, code)
    assert element.option_set is not None, code  # noqa: S101
    return chosen([c for c, _ in element.option_set.options], index)


def drawn(spec: ProgrammeSpec, stage: str, code: str, hashes: U64) -> np.ndarray:  # type: ignore[type-arg]
    """Positions in an element's option set by its weights."""
    element = _element(spec, stage, code)
    assert element.option_set is not None, code  # noqa: S101
    edges = np.cumsum(element.option_set.weights) / sum(element.option_set.weights)
    found = np.searchsorted(edges, uniform(salted(hashes, code)), side="right")
    return np.minimum(found, len(edges) - 1)


def _element(spec: ProgrammeSpec, stage: str, code: str) -> ElementSpec:
    return next(e for e in spec.stage(stage).data_elements if e.code == code)


def hiv_status(positive: Bools) -> Answer:
    """HIV status: POS or NEG."""
    return chosen(["NEG", "POS"], positive)


def years(later: I64, earlier: I64) -> I64:
    """Whole years between days."""
    return np.floor((later - earlier) / 365.25).astype(np.int64)


def drawn_from(patterns: list[str], hashes: U64, salt: str) -> Answer:
    """One of a few texts by hash."""
    return chosen(patterns, (salted(hashes, salt) % np.uint64(len(patterns))).astype(np.int32))
