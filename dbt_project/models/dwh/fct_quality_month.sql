{{ config(
    incremental_strategy='replace_series',
    pre_hook="{{ delete_gone_series('(' ~ quality_reported() ~ ')') }}",
    tags=['monthly'],
    meta={'dagster': {'group': 'data_quality', 'owners': ['team:data-engineering']}},
    indexes=[{'columns': ['org_unit_uid', 'indicator_id', 'period_start'], 'unique': true}]
) }}

{% call set_sql_header(config) %}{{ month_settings() }}{% endcall %}

-- FASTR module 1: each series of a facility and indicator is judged as a whole. Judged anew are those of which a count is new,
-- gone or another than it was judged by; and all of an indicator whose first or last month anywhere is another, which ends
-- everybody's series. The variable quality_from leaves out the oldest months (docs/data-quality.md).
with counts as (
    {{ quality_reported() }}
),

spans as (
    select indicator_id, min(period_start) as first_month, max(period_start) as last_month
    from counts
    group by indicator_id
),

{% if is_incremental() -%}
held as (
    select period_start, org_unit_uid, indicator_id, value, judged_by from {{ this }}
),

held_spans as (
    select indicator_id, min(period_start) as first_month, max(period_start) as last_month
    from held
    group by indicator_id
),

changed as (
    select
        coalesce(counts.org_unit_uid, held.org_unit_uid) as org_unit_uid,
        coalesce(counts.indicator_id, held.indicator_id) as indicator_id
    from counts
    full outer join held
        on counts.org_unit_uid = held.org_unit_uid
        and counts.indicator_id = held.indicator_id
        and counts.period_start = held.period_start
    where counts.value is distinct from held.value or held.judged_by is distinct from {{ quality_judged_by() }}
    union
    select counts.org_unit_uid, counts.indicator_id
    from counts
    inner join spans on counts.indicator_id = spans.indicator_id
    left join held_spans on counts.indicator_id = held_spans.indicator_id
    where (spans.first_month, spans.last_month) is distinct from (held_spans.first_month, held_spans.last_month)
),

reported as (
    select counts.*
    from counts
    inner join changed on counts.org_unit_uid = changed.org_unit_uid and counts.indicator_id = changed.indicator_id
),
{%- else -%}
reported as (
    select * from counts
),
{%- endif %}

series as (
    select
        org_unit_uid,
        indicator_id,
        min(period_start) as first_reported,
        max(period_start) as last_reported,
        percentile_cont(0.5) within group (order by value) as median_value
    from reported
    group by org_unit_uid, indicator_id
),

-- The spread is that of the upper half, around the upper half's own median.
upper_half as (
    select
        reported.org_unit_uid,
        reported.indicator_id,
        array_agg(reported.value) as counts,
        percentile_cont(0.5) within group (order by reported.value) as upper_median
    from reported
    inner join series
        on reported.org_unit_uid = series.org_unit_uid and reported.indicator_id = series.indicator_id
    where reported.value >= series.median_value
    group by reported.org_unit_uid, reported.indicator_id
),

spreads as (
    select
        upper_half.org_unit_uid,
        upper_half.indicator_id,
        1.4826 * spread.deviation as mad
    from upper_half
    cross join lateral (
        select percentile_cont(0.5) within group (order by abs(member.value - upper_half.upper_median)) as deviation
        from unnest(upper_half.counts) as member (value)
    ) as spread
),

grid as (
    select
        months.period_start,
        series.org_unit_uid,
        series.indicator_id,
        series.median_value,
        spreads.mad,
        months.period_start < series.first_reported
        and age(series.first_reported, spans.first_month)
        >= make_interval(months => {{ quality_setting('quality_inactive_months') }}) as is_before,
        months.period_start > series.last_reported
        and age(spans.last_month, series.last_reported)
        >= make_interval(months => {{ quality_setting('quality_inactive_months') }}) as is_after
    from series
    inner join spans on series.indicator_id = spans.indicator_id
    inner join spreads
        on series.org_unit_uid = spreads.org_unit_uid and series.indicator_id = spreads.indicator_id
    inner join {{ ref('dim_period') }} as months
        on months.period_start between spans.first_month and spans.last_month
),

-- The grid has no gaps, so that twelve rows are twelve months.
filled as (
    select
        grid.*,
        reported.value,
        sum(reported.value) over trailing_year as trailing_total,
        count(reported.value) over trailing_year as trailing_months
    from grid
    left join reported
        on grid.org_unit_uid = reported.org_unit_uid
        and grid.indicator_id = reported.indicator_id
        and grid.period_start = reported.period_start
    window trailing_year as (
        partition by grid.org_unit_uid, grid.indicator_id
        order by grid.period_start
        rows between 11 preceding and current row
    )
),

measured as (
    select
        *,
        abs(value - median_value) / nullif(mad, 0) as mad_residual,
        value / nullif(trailing_total, 0) as trailing_share
    from filled
),

judged as (
    select
        *,
        coalesce(mad_residual > {{ quality_setting('quality_mads') }}, false) as is_outlier_by_mad,
        coalesce(trailing_share > {{ quality_setting('quality_share') }}, false) as is_most_of_the_year
    from measured
)

select
    period_start,
    org_unit_uid,
    indicator_id,
    value,
    case when value is not null then 1 when is_before or is_after then 2 else 0 end as completeness_flag,
    median_value,
    mad,
    mad_residual,
    trailing_share,
    trailing_months::integer as trailing_months,
    case when value is not null then is_outlier_by_mad end as is_outlier_by_mad,
    case
        when value is not null
            then is_most_of_the_year and trailing_months >= {{ quality_setting('quality_share_months') }}
    end as is_outlier_by_share,
    case
        when value is not null
            then value > {{ quality_setting('quality_minimum_count') }}
                and (
                    is_outlier_by_mad
                    or (is_most_of_the_year and trailing_months >= {{ quality_setting('quality_share_months') }})
                )
    end as is_outlier,
    case
        when value is not null
            then value > {{ quality_setting('quality_minimum_count') }} and (is_outlier_by_mad or is_most_of_the_year)
    end as is_outlier_published,
    {{ quality_judged_by() }} as judged_by
from judged
-- In the order of the index, which is then written from end to end.
order by org_unit_uid, indicator_id, period_start
