{{ config(
    materialized='incremental',
    incremental_strategy='replace_months',
    event_time='period_start',
    on_schema_change='append_new_columns',
    tags=['monthly', 'tracker'],
    meta={'dagster': {'group': 'programmes', 'owners': ['team:data-engineering']}},
    indexes=[{'columns': ['suppression_group', 'org_unit_uid', 'period_start'], 'unique': true}]
) }}

{% call set_sql_header(config) %}{{ month_settings() }}{% endcall %}

-- A group is a stage of a programme.
with facts as (
    select * from {{ ref('fct_programme_month') }} where {{ months_of_run('period_start') }}
),

cells as (
    select
        facts.stage_key as suppression_group,
        facts.period_start as atom_start,
        facts.org_unit_uid,
        series.name as series,
        series.value
    from facts
    cross join lateral (
        values
        ('records', facts.records),
        ('took_place', facts.took_place),
        ('did not take place', facts.records - facts.took_place),
        ('people', facts.people),
        ('active', facts.active),
        ('completed', facts.completed),
        ('visited', facts.visited),
        ('scheduled', facts.scheduled),
        ('overdue', facts.overdue),
        ('skipped', facts.skipped),
        ('cancelled', facts.cancelled)
    ) as series (name, value)
    where {{ is_sensitive_programme('facts.programme') }}
),

{{ shown_places('cells') }}
