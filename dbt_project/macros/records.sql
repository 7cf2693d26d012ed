{# What the staging models of the REST systems are made of. #}

{# The raw rows of a table that stand: each key once, as it was last changed, without tombstones.

   A record whose day was moved may stand in its old partition until that is loaded again: the newest row is the record,
   and a tombstone may be it. Looked for by the key, not by a window over all rows, so that a filter on the partition
   still reaches the table's index. #}
{% macro standing_rows(relation, key) -%}
  (
    select landed.*
    from {{ relation }} as landed
    where landed.deleted is distinct from 'true'
        and not exists (
            select 1 from {{ relation }} as newer
            where newer.{{ key }} = landed.{{ key }}
                and (coalesce(newer._source_updated_at, '-infinity'), newer._load_id)
                > (coalesce(landed._source_updated_at, '-infinity'), landed._load_id)
        )
)
{%- endmacro %}

{# The items of a list held as JSON text: `item.value` (jsonb) and `item.position` from 1. Text that is no list is a list
   of one, so that nothing is lost; NULL has none. #}
{% macro json_items(text) -%}
  jsonb_path_query_array({{ as_jsonb(text) }}, '$[*]')
{%- endmacro %}
