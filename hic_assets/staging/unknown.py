"""What raw records of a programme hold that its staging models have no column for: new fields, new stages.

Such values are not lost: they are in the JSON object beside the columns, and get one when `hic staging` has run. Belongs
here: counting them. Only uids and names of metadata are handed on, never a value.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any

from psycopg import Connection, sql
from psycopg.rows import class_row

from hic_assets.extract.dhis2.tracker.fields import Kind
from hic_assets.staging.columns import DOCUMENTS
from hic_assets.staging.files import MODELS, fields_in, stages_in
from hic_assets.staging.generate import programme_paths
from hic_assets.systems.declare import Pipeline, Programme
from hic_assets.warehouse import Warehouse


@dataclass(frozen=True)
class Unknown:
    """A field or stage in the data that no column (no stage name) stands for. ``records`` hold it, in ``partitions``."""

    kind: Kind
    what: str
    """``attribute``, ``data element`` or ``stage``."""
    uid: str
    records: int
    partitions: int


_FIELDS = """
select key as uid, count(*) as records, count(distinct r._partition) as partitions
from {relation} as r cross join lateral json_object_keys(r.{document}::json) as key
where r.deleted is distinct from 'true' and key <> all(%(known)s) {of_partitions}
group by 1 order by 2 desc, 1
"""
_STAGES = """
select program_stage as uid, count(*) as records, count(distinct r._partition) as partitions
from {relation} as r
where r.deleted is distinct from 'true' and program_stage <> all(%(known)s) {of_partitions}
group by 1 order by 2 desc, 1
"""
_WHAT = {Kind.TRACKED_ENTITIES: "attribute", Kind.EVENTS: "data element"}


def unknown_fields(
    warehouse: Warehouse,
    programme: Programme,
    partitions: Sequence[date] | None = None,
    *,
    kind: Kind | None = None,
    pipeline: Pipeline = Pipeline.UNIFIED,
    models: Path = MODELS,
) -> list[Unknown]:
    """Fields and stages in a programme's raw records that its written staging models do not know.

    ``partitions``: only these (their first days); ``kind``: only its table. An empty list means every value has a column.
    """
    texts = _models(programme, models)
    found = []
    with warehouse.connect() as connection:
        for asked in DOCUMENTS if kind is None else {kind} & set(DOCUMENTS):
            known = set(fields_in(texts[asked]))
            found += _ask(connection, programme, asked, pipeline, partitions, _FIELDS, _WHAT[asked], known)
            if asked is Kind.EVENTS:
                known = stages_in(texts[asked])
                found += _ask(connection, programme, asked, pipeline, partitions, _STAGES, "stage", known)
    return found


def _models(programme: Programme, models: Path) -> Mapping[Kind, str]:
    paths = zip(Kind, programme_paths(programme), strict=False)
    return {kind: (models / path).read_text(encoding="utf-8") for kind, path in paths}


def _ask(
    connection: Connection[Any],
    programme: Programme,
    kind: Kind,
    pipeline: Pipeline,
    partitions: Sequence[date] | None,
    query: str,
    what: str,
    known: set[str],
) -> list[Unknown]:
    prefix = "u_" if pipeline is Pipeline.UNIFIED else ""
    # Named one by one, so that PostgreSQL reads these partitions by the index.
    limits = sql.SQL("and r._partition in ({})").format(sql.SQL(", ").join(map(sql.Literal, partitions or ())))
    statement = sql.SQL(query).format(  # type: ignore[arg-type]
        relation=sql.Identifier("raw", f"{prefix}{programme.tables}_{kind.value}"),
        document=sql.Identifier(DOCUMENTS[kind]),
        of_partitions=limits if partitions else sql.SQL(""),
    )
    rows = connection.cursor(row_factory=class_row(_Counted)).execute(statement, {"known": sorted(known)}).fetchall()
    return [Unknown(kind, what, row.uid, row.records, row.partitions) for row in rows]


@dataclass(frozen=True)
class _Counted:
    uid: str
    records: int
    partitions: int
