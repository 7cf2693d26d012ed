{{ config(
    incremental_strategy='replace_series',
    pre_hook="{{ delete_gone_series(quality_judged()) }}",
    tags=['monthly'],
    meta={'dagster': {'group': 'data_quality', 'owners': ['team:data-engineering']}},
    indexes=[{'columns': ['org_unit_uid', 'indicator_id', 'period_start'], 'unique': true}]
) }}
{%- set for_missing = ['steps.centred', 'steps.forward', 'steps.backward', 'steps.overall'] %}
{%- set for_outliers = ['steps.centred', 'steps.forward', 'steps.backward', 'steps.last_year', 'steps.overall'] %}
{%- set refilled_by = ['again.centred', 'again.forward', 'again.backward', 'again.overall'] %}

{% call set_sql_header(config) %}{{ month_settings() }}{% endcall %}

-- FASTR module 2: outliers replaced, missing months filled, both, or neither. Months of inactivity are left out. Means are
-- made for the months that need one only: windows over all rows cost several times as much.
-- Deaths are never adjusted, nor what is nowhere counted in hundreds. Adjusted anew are the series that are judged otherwise.
with adjustable as (
    select
        reported.indicator_id,
        indicators.is_adjusted and max(reported.value) >= {{ quality_setting('quality_minimum_count') }} as is_adjustable
    from ({{ quality_reported() }}) as reported
    inner join {{ ref('quality_indicator') }} as indicators on reported.indicator_id = indicators.indicator_id
    group by reported.indicator_id, indicators.is_adjusted
),

every_series as (
    select
        months.period_start,
        (extract(year from months.period_start) * 12 + extract(month from months.period_start))::integer as month,
        months.org_unit_uid,
        months.indicator_id,
        months.value,
        months.completeness_flag,
        coalesce({{ 'months.is_outlier_published' if quality_as_published() else 'months.is_outlier' }}, false) as is_outlier,
        adjustable.is_adjustable
    from {{ ref('fct_quality_month') }} as months
    inner join adjustable on months.indicator_id = adjustable.indicator_id
    where months.completeness_flag in (0, 1)
),

{% if is_incremental() -%}
changed as (
    select distinct
        coalesce(every_series.org_unit_uid, held.org_unit_uid) as org_unit_uid,
        coalesce(every_series.indicator_id, held.indicator_id) as indicator_id
    from every_series
    full outer join {{ this }} as held
        on every_series.org_unit_uid = held.org_unit_uid
        and every_series.indicator_id = held.indicator_id
        and every_series.period_start = held.period_start
    where (every_series.value, every_series.completeness_flag, every_series.is_outlier, every_series.is_adjustable)
        is distinct from (held.value_none, held.completeness_flag, held.is_outlier, held.is_adjustable)
        or held.judged_by is distinct from {{ quality_judged_by() }}
),

judged as (
    select every_series.*
    from every_series
    inner join changed
        on every_series.org_unit_uid = changed.org_unit_uid and every_series.indicator_id = changed.indicator_id
),
{%- else -%}
judged as (
    select * from every_series
),
{%- endif %}

spans as (
    select
        org_unit_uid,
        indicator_id,
        min(month) as first_month,
        max(month) as last_month,
        bool_or(is_outlier) as has_outlier
    from judged
    where is_adjustable
    group by org_unit_uid, indicator_id
),

gaps as (
    select judged.org_unit_uid, judged.indicator_id, judged.month, spans.first_month, spans.last_month, spans.has_outlier
    from judged
    inner join spans on judged.org_unit_uid = spans.org_unit_uid and judged.indicator_id = spans.indicator_id
    where judged.value is null or judged.is_outlier
),

valid_values as (
    select org_unit_uid, indicator_id, month, value from judged where value is not null and not is_outlier
),

steps as (
    {{ quality_replacements('gaps', 'valid_values', 'value') }}
),

replaced as (
    select
        judged.*,
        case
            when judged.is_outlier and judged.is_adjustable then coalesce({{ for_outliers | join(', ') }})
            else judged.value
        end as value_outliers,
        case
            when judged.value is null and judged.is_adjustable then coalesce({{ for_missing | join(', ') }})
            else judged.value
        end as value_completeness,
        case when judged.is_outlier and judged.is_adjustable then {{ quality_step(for_outliers) }} end
            as outlier_replaced_by,
        case when judged.value is null and judged.is_adjustable then {{ quality_step(for_missing) }} end
            as missing_filled_by
    from judged
    left join steps
        on judged.org_unit_uid = steps.org_unit_uid
        and judged.indicator_id = steps.indicator_id
        and judged.month = steps.month
),

-- In the fourth scenario missing months are filled from the series whose outliers are replaced already: it differs from
-- the third where there are some.
missing_again as (
    select gaps.*
    from gaps
    inner join replaced
        on gaps.org_unit_uid = replaced.org_unit_uid
        and gaps.indicator_id = replaced.indicator_id
        and gaps.month = replaced.month
        and replaced.value is null
    where gaps.has_outlier
),

without_outliers as (
    select replaced.org_unit_uid, replaced.indicator_id, replaced.month, replaced.value_outliers
    from replaced
    inner join spans
        on replaced.org_unit_uid = spans.org_unit_uid
        and replaced.indicator_id = spans.indicator_id
        and spans.has_outlier
    where replaced.value_outliers is not null
),

again as (
    {{ quality_replacements('missing_again', 'without_outliers', 'value_outliers') }}
)

select
    replaced.period_start,
    replaced.org_unit_uid,
    replaced.indicator_id,
    replaced.completeness_flag,
    replaced.is_outlier,
    replaced.is_adjustable,
    replaced.value as value_none,
    replaced.value_outliers,
    replaced.value_completeness,
    case
        when replaced.value is not null then replaced.value_outliers
        else coalesce({{ refilled_by | join(', ') }}, replaced.value_completeness)
    end as value_both,
    replaced.outlier_replaced_by,
    replaced.missing_filled_by,
    {{ quality_judged_by() }} as judged_by
from replaced
left join again
    on replaced.org_unit_uid = again.org_unit_uid
    and replaced.indicator_id = again.indicator_id
    and replaced.month = again.month
-- In the order of the index, which is then written from end to end.
order by replaced.org_unit_uid, replaced.indicator_id, replaced.period_start
