"""What differences have in common, when it is recognisable: one hour off, rounded, cut, a page lost. Pure functions.

Belongs here: recognising, and saying it in a sentence without a value of any record. Does not: reading the warehouse.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime, timedelta

from hic_assets.systems.declare import Pipeline

Pair = tuple[str | None, str | None]
"""A field's value in legacy and in unified."""

LIMITS = (50_000,)
"""Where DHIS2 cuts a list off in silence (contract 1.7: KeyTrackedEntityMaxLimit)."""
PAGE = 50
"""DHIS2's own page size, of which the usual other ones are multiples."""

FEW = 3
"""Below this many missing rows their places say nothing."""


@dataclass(frozen=True)
class Missing:
    """What is known of the records that one side lacks.

    ``rows``: how many. ``kept``: rows the side has. ``rows_read``: rows its load was served. ``between``: rows it has of
    those that were made between the first and the last missing one, and ``between_changes`` the same by change time.
    ``units``, ``kept_units``: organisation units with missing rows, and with rows it has. ``below``: name of the lowest
    unit that all missing rows are of or below, when that is not the root; ``kept_below``: rows it has there.
    ``deepest_kept``, ``highest_missing``: levels of the hierarchy. None where the hierarchy is not known.
    """

    side: Pipeline
    rows: int
    kept: int
    rows_read: int
    between: int
    between_changes: int
    units: int
    kept_units: int
    below: str | None = None
    kept_below: int = 0
    deepest_kept: int | None = None
    highest_missing: int | None = None


def sentences(fields: Mapping[str, Sequence[Pair]], missing: Sequence[Missing]) -> tuple[str, ...]:
    """What is recognised, most telling first. ``fields``: pairs of values that differ, by field."""
    said = [sentence for one in missing if one.rows for sentence in missing_sentences(one)]
    by_words: dict[str, list[str]] = {}
    for field, pairs in fields.items():
        words = value_words(pairs)
        if words:
            by_words.setdefault(words, []).append(field)
    for words, names in by_words.items():
        more = f" and {len(names) - 3} more fields" if len(names) > 3 else ""
        said.append(f"{', '.join(names[:3])}{more}: {words}.")
    return tuple(said)


def missing_sentences(missing: Missing) -> list[str]:
    """What the missing records of one side have in common."""
    side, said = missing.side.value, []
    deepest, highest = missing.deepest_kept, missing.highest_missing
    if missing.kept == 0:
        said.append(f"{side} holds no row at all.")
    elif missing.rows >= FEW and deepest is not None and highest is not None and deepest < highest:
        said.append(
            f"{side} holds rows of units down to level {deepest} only, all missing ones are below: the units below were "
            f"not asked for (ouMode)."
        )
    elif missing.units >= FEW and deepest is None and missing.kept_units == 1:
        said.append(f"{side} holds rows of one organisation unit only: the units below were not asked for (ouMode).")
    elif missing.rows >= FEW and missing.below and missing.kept_below == 0 and missing.units > 1:
        said.append(f"{side} lacks all rows of {missing.below} and below: a part of the country was not read.")
    if missing.rows_read in LIMITS:
        said.append(
            f"{side} was served exactly {missing.rows_read:,} rows: the list was cut off at the server's limit."
        )
    elif missing.rows_read and missing.rows_read % PAGE == 0:
        said.append(f"{side} was served exactly {missing.rows_read:,} rows, full pages: reading may have ended early.")
    if missing.kept and missing.rows >= FEW:
        orders = [o for o, n in (("creation", missing.between), ("change", missing.between_changes)) if n == 0]
        if orders:
            said.append(
                f"The {missing.rows:,} rows that {side} lacks follow on each other by {orders[0]}: a page was lost, or the "
                f"end of the list."
            )
        elif missing.rows % PAGE == 0:
            said.append(f"{side} lacks exactly {missing.rows:,} rows, full pages: some were lost.")
    return said


def value_words(pairs: Sequence[Pair]) -> str | None:
    """What all pairs of a field have in common; None when nothing is recognised."""
    if not pairs:
        return None
    for index, side in ((0, Pipeline.LEGACY), (1, Pipeline.UNIFIED)):
        if all(pair[index] is None for pair in pairs):
            return f"no value in {side.value}"
    both = [(old, new) for old, new in pairs if old is not None and new is not None]
    if len(both) < len(pairs):
        return None
    constant = _shift(both)
    if constant:
        return constant
    for recognises, words in _ONE_SIDED:
        for side, one in ((Pipeline.UNIFIED, both), (Pipeline.LEGACY, [(new, old) for old, new in both])):
            if recognises(one):
                return f"{words} in {side.value}"
    return next((words for recognises, words in _EITHER if recognises(both)), None)


Texts = Sequence[tuple[str, str]]
_NUMBER = re.compile(r"-?\d{1,15}(\.\d{1,15})?")
_DAY = re.compile(r"(\d{4})-(\d\d)-(\d\d)(.*)", re.DOTALL)


def _moment(text: str) -> datetime | None:
    try:
        return datetime.fromisoformat(text) if _DAY.fullmatch(text) else None
    except ValueError:
        return None


def _shift(pairs: Texts) -> str | None:
    """All times moved by the same; a whole number of days only where several pairs agree on it."""
    moments = [(_moment(old), _moment(new)) for old, new in pairs]
    if any(old is None or new is None or (old.tzinfo is None) != (new.tzinfo is None) for old, new in moments):
        return None
    (by, *others) = {new - old for old, new in moments if old and new}
    if others or not by or _time_lost(pairs) or _time_lost([(new, old) for old, new in pairs]):
        return None
    if by % timedelta(days=1) == timedelta() and (len(pairs) < 3 or _swapped_day(pairs)):
        return None
    if by % timedelta(minutes=15):
        return None
    hours = abs(by) / timedelta(hours=1)
    amount = f"{hours / 24:g} day(s)" if hours % 24 == 0 else f"{hours:g} hour(s)"
    return f"always {amount} {'later' if by > timedelta() else 'earlier'} in unified"


def _time_lost(pairs: Texts) -> bool:
    """The second keeps the day and has midnight, or nothing, for a time."""
    return all(
        "T" in old and new.partition("T")[0] == old.partition("T")[0] and not new.partition("T")[2].strip("0:.")
        for old, new in pairs
    )


def _swapped_day(pairs: Texts) -> bool:
    found = [(_DAY.fullmatch(old), _DAY.fullmatch(new)) for old, new in pairs]
    return all(o and n and o.group(1, 2, 3, 4) == n.group(1, 3, 2, 4) for o, n in found)


def _rounded(pairs: Texts) -> bool:
    """The second is the first with fewer decimals."""
    return all(_NUMBER.fullmatch(o) and _NUMBER.fullmatch(n) and _is_rounding(o, n) for o, n in pairs)


def _is_rounding(old: str, new: str) -> bool:
    decimals, kept = (len(text.partition(".")[2]) for text in (old, new))
    if decimals or kept:
        return kept < decimals and abs(float(old) - float(new)) < 10.0**-kept
    unit = int(f"1{'0' * (len(new) - len(new.rstrip('0')))}")
    return unit > 1 and int(old) % unit != 0 and abs(int(old) - int(new)) <= unit // 2


def _lost_zeros(pairs: Texts) -> bool:
    return all(old.startswith("0") and new == (old.lstrip("0") or "0") for old, new in pairs)


def _cut(pairs: Texts) -> bool:
    """The second is the beginning of the first, always of one length."""
    lengths = {len(new) for _, new in pairs}
    return (
        len(pairs) > 1
        and len(lengths) == 1
        and all(len(old) > len(new) > 0 and old.startswith(new) for old, new in pairs)
    )


def _cut_somewhere(pairs: Texts) -> bool:
    return all(len(old) > len(new) > 0 and old.startswith(new) for old, new in pairs)


def _mangled(pairs: Texts) -> bool:
    return all(_mangles(old, new) for old, new in pairs)


def _mangles(old: str, new: str) -> bool:
    """The second is the first as UTF-8 read in a western encoding, or with its letters replaced."""
    for encoding in ("cp1252", "latin-1"):
        with suppress(UnicodeError):
            mended = new.encode(encoding).decode()
            if mended != new and _plain(mended) == _plain(old):
                return True
    replaced = re.sub("[?\ufffd]", "", new)
    return not old.isascii() and replaced == re.sub(r"[^\x00-\x7f]|\?", "", old)


def _plain(text: str) -> str:
    """Without accents."""
    return "".join(letter for letter in unicodedata.normalize("NFD", text) if not unicodedata.combining(letter))


def _case(pairs: Texts) -> bool:
    return all(old.casefold() == new.casefold() for old, new in pairs)


def _spaces(pairs: Texts) -> bool:
    return all("".join(old.split()) == "".join(new.split()) for old, new in pairs)


def _one_pair(pairs: Texts) -> bool:
    return len(pairs) > 2 and len(set(pairs)) == 1


_ONE_SIDED: tuple[tuple[Callable[[Texts], bool], str], ...] = (
    (_time_lost, "the time of day is lost"),
    (_lost_zeros, "leading zeros are lost"),
    (_rounded, "numbers are rounded"),
    (_mangled, "the encoding is mangled"),
    (_cut, "the text is cut at one length"),
    (_cut_somewhere, "the text is cut"),
)
_EITHER: tuple[tuple[Callable[[Texts], bool], str], ...] = (
    (_swapped_day, "day and month are swapped"),
    (_case, "only capitals and small letters differ"),
    (_spaces, "only spaces differ"),
    (_one_pair, "always the same one value for the same other"),
)
