"""Which indicator and which place are meant; what may have been meant where none is, or several are."""

from __future__ import annotations

import difflib
import re
from collections.abc import Iterable, Sequence
from typing import Any

from psycopg import Connection

from hic_assets.explain.model import Indicator, Unit

REPORTED = ("facility", "district", "province", "country")
"""Levels that have values."""
SHOWN = 12

_INDICATORS = """
select 'catalogue', indicator_code, indicator_code, name from dwh.dim_core_indicator
union all
select 'dhis2', indicator_uid, coalesce(code, indicator_uid), name from dwh.dim_indicator
order by 1, 2
"""
_UNITS = """
select facility_uid, name, 'facility', array_remove(array[fosa_code, source_code], null), district_name, fosa_code
from dwh.dim_facility where is_current
union all
select geography_uid, name, level,
    array_remove(array[case level when 'district' then district_code when 'province' then province_code end], null),
    district_name, null
from dwh.dim_geography
order by 2, 1
"""


class Unknown(Exception):
    """Nothing is called so, or several are; the message names what may have been meant."""


def indicators(connection: Connection[Any]) -> list[Indicator]:
    """All indicators, those of the catalogue first."""
    return [Indicator(*row) for row in connection.execute(_INDICATORS).fetchall()]


def units(connection: Connection[Any]) -> list[Unit]:
    """All places that the asker may see."""
    rows = connection.execute(_UNITS).fetchall()
    return [Unit(uid, name or uid, level, tuple(codes), of, fosa) for uid, name, level, codes, of, fosa in rows]


def indicator_of(given: str, known: Sequence[Indicator]) -> tuple[Indicator, str | None]:
    """The indicator of a code or uid, and a note where the other kind has one of the same code: the catalogue's comes first.

    Raises:
        Unknown: with near matches.
    """
    text = given.strip()
    meant = [one for one in known if one.key == text] or [one for one in known if one.code.upper() == text.upper()]
    if not meant:
        raise Unknown(f"there is no indicator {given!r}: {_near(text, ((one.code, one.name) for one in known))}")
    first = next((one for one in meant if one.kind == "catalogue"), meant[0])
    others = [one for one in known if one.kind != first.kind and one.code.upper() == first.code.upper()]
    kinds = {"catalogue": "the catalogue", "dhis2": "DHIS2"}
    if first.kind == "catalogue" and others:
        return first, f"This is {kinds[first.kind]}'s; ask for {others[0].key} to have DHIS2's own of the same code."
    if len(meant) > 1:
        raise Unknown(f"{given!r} is the code of several: {', '.join(one.key for one in meant)}. Name one by its uid.")
    return first, None


def unit_of(given: str, known: Sequence[Unit]) -> Unit:
    """The place of a uid, a code (FOSA code, district code) or a name; levels that have values come first.

    Raises:
        Unknown: with the candidates, or near matches.
    """
    text = given.strip()
    padded = text.zfill(4) if text.isdigit() else text
    found = (
        [one for one in known if one.uid == text]
        or [one for one in known if text in one.codes]
        or [one for one in known if padded in one.codes]
        or [one for one in known if _bare(one.name) == _bare(text)]
    )
    meant = [one for one in found if one.level in REPORTED] or found
    if len(meant) > 1:
        meant = [one for one in meant if _plain(one.name) == _plain(text)] or meant
    if len(meant) == 1:
        return meant[0]
    if meant:
        raise Unknown(f"{given!r} is the name or code of {len(meant)} places; name one by its uid: {_listed(meant)}")
    raise Unknown(f"there is no place {given!r}: {_near(text, ((one.name, '') for one in known))}")


def _plain(name: str) -> str:
    """A name whatever its case and white space."""
    return " ".join(name.casefold().split())


def _bare(name: str) -> str:
    """A name without its level too: 'Gasabo District' and 'gasabo' are one."""
    return re.sub(r"\s+(district|province)$", "", _plain(name))


def _listed(found: Sequence[Unit]) -> str:
    words = "; ".join(str(one) for one in found[:SHOWN])
    return f"{words}; and {len(found) - SHOWN} more" if len(found) > SHOWN else words


def _near(text: str, names: Iterable[tuple[str, str]]) -> str:
    """What may have been meant: by code or name, then by a part of either."""
    pairs = list(dict.fromkeys(names))
    by_key = {word.upper(): code for code, name in pairs for word in (name, code) if word}
    close = [by_key[one] for one in difflib.get_close_matches(text.upper(), list(by_key), n=5, cutoff=0.5)]
    if len(text) > 2:
        close += [code for word, code in by_key.items() if text.upper() in word]
    found = list(dict.fromkeys(close))[:5]
    return f"did you mean {', '.join(found)}?" if found else "nothing is called like it."
