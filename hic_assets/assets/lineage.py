"""Where columns come from, found for all columns of a model at once.

dagster-dbt asks sqlglot column by column, and for each the whole model is parsed and qualified anew: of a demo's runs, that
took ten seconds. Belongs here: only that. What becomes of the answers is dagster-dbt's.
"""

from functools import lru_cache

from dagster_dbt.core import dbt_cli_event
from sqlglot.errors import SqlglotError
from sqlglot.lineage import Node, lineage
from sqlglot.optimizer.normalize_identifiers import normalize_identifiers
from sqlglot.schema import MappingSchema


def share_lineage() -> None:
    """Let dagster-dbt ask ``lineage_of`` in this process."""
    dbt_cli_event.lineage = lineage_of  # type: ignore[assignment]


def lineage_of(column: str, sql: str, schema: MappingSchema, dialect: str) -> Node:
    """As ``sqlglot.lineage.lineage``."""
    try:
        return _lineages(sql, schema, dialect)[normalize_identifiers(column, dialect=dialect).name]
    except (SqlglotError, KeyError):
        return lineage(column, sql, schema, dialect=dialect)


@lru_cache(maxsize=4)
def _lineages(sql: str, schema: MappingSchema, dialect: str) -> dict[str, Node]:
    """Of every column. A schema is its own key: dagster-dbt makes one a model, and changes it no more."""
    found: dict[str, Node] = lineage(None, sql, schema, dialect=dialect)
    return found
