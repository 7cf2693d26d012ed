"""Names of columns: from codes and names of any language to identifiers that stay.

Belongs here: the rule. Does not: where the names of before are kept (``files``).
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Collection, Iterable, Mapping

from hic_assets.staging.form import Field

LONGEST = 63
"""PostgreSQL cuts longer identifiers off, silently."""

_CAMEL = re.compile(r"(?<=[a-z0-9])(?=[A-Z])")
_OTHER = re.compile(r"[^a-z0-9]+")
_WORD = re.compile(r"[a-z]{3}")

# Words of PostgreSQL (and of SQL tools) that cannot be a column's name without quotes.
_WORDS = """
    all analyse analyze and any array as asc asymmetric authorization binary both case cast check collate collation
    column concurrently constraint create cross current_catalog current_date current_role current_schema current_time
    current_timestamp current_user default deferrable desc distinct do else end except false fetch for foreign freeze
    from full grant group having ilike in initially inner intersect into is isnull join lateral leading left like limit
    localtime localtimestamp natural not notnull null offset on only or order outer overlaps placing primary references
    returning right select session_user similar some symmetric system_user table tablesample then to trailing true
    union unique user using variadic verbose when where window with
"""
RESERVED = frozenset(_WORDS.split())


def snake_case(text: str) -> str:
    """``Date de décès (jour)`` to ``date_de_deces_jour``; empty when nothing of the text is Latin."""
    plain = unicodedata.normalize("NFKD", _CAMEL.sub("_", text)).encode("ascii", "ignore").decode().lower()
    return _OTHER.sub("_", plain).strip("_")


def base_name(field: Field) -> str:
    """The name a field would have if it were alone: its code where that has a word in it, else its name on the form."""
    code, *names = (snake_case(text or "") for text in (field.code, field.form_name, field.name))
    candidates = [code] if _WORD.search(code) else []
    base = next((name for name in [*candidates, *names, code] if name), f"field_{field.uid.lower()}")
    return (base if base[0].isalpha() else f"f_{base}")[:LONGEST].strip("_")


def column_names(
    fields: Iterable[Field], kept: Mapping[str, str] | None = None, taken: Collection[str] = RESERVED
) -> dict[str, str]:
    """Column by uid, of every field, each its own: first those in ``kept`` in their order, then the others in theirs.

    ``kept`` are the names of before: they stay whatever is added or renamed at the source. Of new fields that would be
    called the same, or as something ``taken``, every one gets the end of its uid: which comes first does not matter.
    """
    present = {field.uid: field for field in fields}
    names = {uid: name for uid, name in (kept or {}).items() if uid in present and name not in taken}
    new = {uid: base_name(field) for uid, field in present.items() if uid not in names}
    wanted = list(new.values())
    used = set(names.values()) | set(taken)
    for uid, base in new.items():
        alone = wanted.count(base) == 1 and base not in used
        names[uid] = base if alone else _with_uid(base, uid, used | set(wanted))
        used.add(names[uid])
    return names


def _with_uid(base: str, uid: str, used: Collection[str]) -> str:
    for ending in (uid[-4:].lower(), uid.lower()):
        name = f"{base[: LONGEST - 1 - len(ending)].strip('_')}_{ending}"
        if name not in used:
            return name
    raise ValueError(f"no name is left for the field {uid}")
