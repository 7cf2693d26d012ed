{{ config(
    materialized='incremental',
    incremental_strategy='replace_months',
    event_time='period_start',
    on_schema_change='append_new_columns',
    tags=['monthly'],
    meta={'dagster': {'group': 'data_quality', 'owners': ['team:data-engineering']}},
    indexes=[{'columns': ['org_unit_uid', 'indicator_id', 'period_start'], 'unique': true}, {'columns': ['period_start']}]
) }}

{% call set_sql_header(config) %}{{ month_settings() }}{% endcall %}

-- What the data-quality marts read of a month, kept so that whole series can be read without the millions of other values.
with entries as (
    select * from {{ ref('fct_data_value') }} where {{ months_of_run('period_start') }}
),

members as (
    {{ quality_members() }}
)

select
    entries.period_start,
    entries.org_unit_uid,
    members.indicator_id,
    sum(entries.value) as value
from members
inner join entries on members.data_element_uid = entries.data_element_uid
where entries.value is not null
group by entries.period_start, entries.org_unit_uid, members.indicator_id
