{{ config(tags=['monthly']) }}

-- Numerator and denominator are added up over the months of a period, or taken from its last month where they are what is
-- there at a time; division comes last. What docs/indicators.md calls small is kept back with what would give it away.
with months as (
    select
        facts.*,
        indicators.is_sensitive,
        indicators.numerator_takes_last,
        indicators.denominator_takes_last,
        indicators.periodicity,
        coalesce(disclosure.is_shown, not indicators.is_sensitive) as is_shown
    from {{ ref('fct_core_indicator') }} as facts
    inner join {{ ref('dim_core_indicator') }} as indicators on facts.indicator_code = indicators.indicator_code
    left join {{ ref('int_disclosure') }} as disclosure
        on indicators.suppression_group = disclosure.suppression_group
        and facts.org_unit_uid = disclosure.org_unit_uid
        and date_trunc(
            case when indicators.periodicity = 'monthly' then 'month' else 'quarter' end, facts.period_start
        )::date = disclosure.period_start
),

-- Months that are loaded, in every period they belong to, with the last loaded month of it: the same for all indicators
-- and places.
calendar as (
    select
        periods.period_start,
        names.period_type,
        names.period,
        names.months_expected,
        max(periods.period_start) over (partition by names.period_type, names.period) as last_month
    from {{ ref('dim_period') }} as periods
    cross join lateral (
        values
        ('month', to_char(periods.period_start, 'YYYY-MM'), 1),
        ('quarter', periods.quarter_id, 3),
        ('year', periods.year::text, 12),
        ('fiscal_year', periods.fiscal_year, 12)
    ) as names (period_type, period, months_expected)
    where periods.period_start in (select period_start from {{ ref('fct_core_indicator') }} where level = 'country')
),

timed as (
    select months.*, calendar.period_type, calendar.period, calendar.months_expected, calendar.last_month
    from months
    inner join calendar on months.period_start = calendar.period_start
    -- Quarters of a sensitive indicator beside its months would be two margins of one table.
    where calendar.period_type <> 'month' or not months.is_sensitive or months.periodicity = 'monthly'
),

summed as (
    select
        indicator_code,
        level,
        org_unit_uid,
        period_type,
        period,
        months_expected,
        min(period_start) as first_month,
        count(*) as months,
        -- In order: sums of fractions depend on it in their last digit.
        sum(numerator order by period_start)
            filter (where not numerator_takes_last or period_start = last_month) as numerator,
        sum(denominator order by period_start)
            filter (where not denominator_takes_last or period_start = last_month) as denominator,
        bool_or(has_missing_term) as has_missing_term,
        bool_or(has_estimated_target) as has_estimated_target,
        sum(expected_reports)::bigint as expected_reports,
        sum(received_reports)::bigint as received_reports,
        max(data_as_of) as data_as_of,
        bool_and(is_shown) as is_shown
    from timed
    group by indicator_code, level, org_unit_uid, period_type, period, months_expected
),

shown as (
    select
        summed.*,
        case when is_shown then numerator end as shown_numerator,
        case when is_shown then denominator end as shown_denominator,
        round(100.0 * received_reports / nullif(expected_reports, 0), 1)::double precision as completeness
    from summed
)

select
    shown.indicator_code,
    indicators.name as indicator_name,
    indicators.domain,
    shown.level,
    shown.org_unit_uid,
    coalesce(facilities.name, geographies.name) as org_unit_name,
    facilities.fosa_code,
    coalesce(facilities.district_name, geographies.district_name) as district,
    coalesce(facilities.province_name, geographies.province_name) as province,
    shown.period_type,
    shown.period,
    shown.first_month,
    shown.months,
    shown.shown_numerator as numerator,
    shown.shown_denominator as denominator,
    indicators.factor,
    result.value,
    not shown.is_shown as is_suppressed,
    shown.completeness as reporting_completeness,
    array_remove(array[
        case when not shown.is_shown then 'suppressed' end,
        case when shown.is_shown and shown.numerator is null then 'no_numerator' end,
        case when shown.is_shown and shown.denominator is null then 'no_denominator' end,
        case when shown.shown_denominator = 0 then 'denominator_zero' end,
        case when indicators.result_kind in ('coverage', 'share', 'occupancy') and result.value > 100 then 'over_100' end,
        case when result.ratio < 0 and indicators.result_kind = 'dropout' then 'negative_dropout' end,
        case when result.ratio < 0 and indicators.value_floor is not null then 'below_zero' end,
        case when shown.is_shown and shown.has_missing_term then 'missing_term' end,
        case when shown.has_estimated_target then 'estimated_target' end,
        case when shown.completeness < {{ completeness_threshold() }} then 'incomplete' end,
        case when shown.completeness is null then 'completeness_unknown' end,
        case when shown.months < shown.months_expected then 'months_missing' end
    ], null) as quality_flags,
    shown.data_as_of
from shown
inner join {{ ref('dim_core_indicator') }} as indicators on shown.indicator_code = indicators.indicator_code
cross join lateral (
    select shown.shown_numerator * indicators.factor / nullif(shown.shown_denominator, 0) as ratio
) as divided
cross join lateral (
    select
        divided.ratio,
        case when divided.ratio is not null then greatest(divided.ratio, indicators.value_floor) end as value
) as result
left join {{ ref('dim_facility') }} as facilities
    on shown.level = 'facility' and shown.org_unit_uid = facilities.facility_uid and facilities.is_current
left join {{ ref('dim_geography') }} as geographies
    on shown.level <> 'facility' and shown.org_unit_uid = geographies.geography_uid
