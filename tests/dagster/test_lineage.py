"""Where columns come from is the same whether a model is looked at once or once a column."""

from __future__ import annotations

import pytest
from dagster_dbt.core import dbt_cli_event
from sqlglot import exp
from sqlglot.errors import SqlglotError
from sqlglot.lineage import Node, lineage
from sqlglot.schema import MappingSchema

from hic_assets.assets.lineage import lineage_of, share_lineage

SQL = """
with of_month as (select "f"."unit" as "unit", "f"."value" * 2 as "value" from "staging"."facts" as "f"),
named as (select "u"."uid" as "uid", "u"."name" as "name" from "staging"."units" as "u")
select "named"."name" as "Name", sum("of_month"."value") as "value", count(*) as "many"
from of_month join named on "named"."uid" = "of_month"."unit" group by "named"."name"
union all select "x"."name", "x"."value", 1 from "dwh"."extra" as "x"
"""
SCHEMA = MappingSchema(
    {
        "staging": {"facts": {"unit": "text", "value": "int"}, "units": {"uid": "text", "name": "text"}},
        "dwh": {"extra": {"name": "text", "value": "int"}},
    },
    dialect="postgres",
)


def leaves(node: Node) -> set[tuple[str, str]]:
    found = [n for n in node.walk() if not n.downstream]
    return {(n.name, str(n.expression.find(exp.Table))) for n in found}


@pytest.mark.parametrize("column", ['"Name"', "value", "many"])
def test_each_column_as_if_it_were_asked_for_alone(column: str) -> None:
    alone = lineage(column, SQL, SCHEMA, dialect="postgres")
    assert leaves(lineage_of(column, SQL, SCHEMA, "postgres")) == leaves(alone)


def test_a_column_that_is_not_there_is_refused_as_before() -> None:
    with pytest.raises(SqlglotError, match="other"):
        lineage_of("other", SQL, SCHEMA, "postgres")


def test_dagster_dbt_asks_us(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(dbt_cli_event, "lineage", lineage)
    share_lineage()
    assert dbt_cli_event.lineage is lineage_of
