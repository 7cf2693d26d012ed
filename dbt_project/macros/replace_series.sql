{# Replaces the series, a unit and an indicator each, that were computed anew, all their months in one transaction; others are
   not touched. What a run costs is then what has changed, however long the history is.

   A model with this strategy names in its `changed` the series to compute; one that is gone altogether has no rows to tell of
   it, and is taken away by delete_gone_series, run before, in the same transaction. #}
{% macro get_incremental_replace_series_sql(arg_dict) %}
  {%- set columns = get_quoted_csv(arg_dict["dest_columns"] | map(attribute="name")) -%}
  delete from {{ arg_dict["target_relation"] }} as held
  using (select distinct org_unit_uid, indicator_id from {{ arg_dict["temp_relation"] }}) as built
  where held.org_unit_uid = built.org_unit_uid and held.indicator_id = built.indicator_id;
  insert into {{ arg_dict["target_relation"] }} ({{ columns }})
  select {{ columns }} from {{ arg_dict["temp_relation"] }}
{% endmacro %}

{# `source`: a relation, or a select in brackets, with the series that there are. #}
{% macro delete_gone_series(source) -%}
  {%- if is_incremental() -%}
    -- The strongest lock first: the second of two builds at once waits here, before it looks at what has changed.
    lock table {{ this }} in share row exclusive mode;
    -- A table of before it was kept by what a series was judged.
    alter table {{ this }} add column if not exists judged_by integer;
    delete from {{ this }} as held
    using (
      select org_unit_uid, indicator_id from {{ this }}
      except
      select org_unit_uid, indicator_id from {{ source }} as there
    ) as gone
    where held.org_unit_uid = gone.org_unit_uid and held.indicator_id = gone.indicator_id
  {%- endif -%}
{%- endmacro %}
