{{ config(
    tags=['monthly'],
    meta={'dagster': {'group': 'data_quality', 'owners': ['team:data-engineering']}},
    indexes=[{'columns': ['org_unit_uid', 'indicator_id', 'period_start'], 'unique': true}]
) }}

{% call set_sql_header(config) %}{{ month_settings() }}{% endcall %}

-- FASTR module 1: each series of a facility and indicator is judged as a whole, so all months are computed anew. What that
-- costs grows with the months there are; the variable quality_from leaves out the oldest (docs/data-quality.md).
with reported as (
    select period_start, org_unit_uid, indicator_id, value
    from {{ ref('int_quality_value') }}
    where period_start >= date '{{ quality_setting('quality_from') | trim }}'
),

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

spans as (
    select indicator_id, min(first_reported) as first_month, max(last_reported) as last_month
    from series
    group by indicator_id
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
    end as is_outlier_published
from judged
-- In the order of the index, which is then written from end to end.
order by org_unit_uid, indicator_id, period_start
