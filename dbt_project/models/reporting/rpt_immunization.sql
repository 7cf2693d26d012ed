{{ config(
    tags=['weekly'],
    pre_hook="{{ ensure_table('fct_measure_month') }}"
) }}

-- Doses, and whom they are for, add up over the months of a period; division comes last. Targets are built by month:
-- macros/other_calls.sql says why they are no ref.
with events as (
    select period_start, level, org_unit_uid, measure_code, item, sum(value) as value, max(data_as_of) as data_as_of
    from {{ ref('fct_event_count') }}
    where measure_code like 'DOSES%' or (measure_code = 'LIVE_BIRTHS' and item = 'crvs')
    group by period_start, level, org_unit_uid, measure_code, item
),

-- Places that gave any dose in a month; of a dose that they did not give, none.
visited as (
    select period_start, level, org_unit_uid, max(data_as_of) as data_as_of
    from events
    where measure_code = 'DOSES'
    group by period_start, level, org_unit_uid
),

asked as (
    select distinct
        periods.period_start,
        schedule.dose_code,
        schedule.vaccine_code,
        schedule.due_weeks = 0 and schedule.due_months = 0 as is_at_birth,
        schedule.due_months < 12 as is_of_first_year
    from {{ ref('dim_vaccine_schedule') }} as schedule
    inner join {{ ref('dim_period') }} as periods
        on coalesce(schedule.valid_from <= periods.period_end, true)
        and coalesce(schedule.valid_to >= periods.period_start, true)
    where schedule.given_to = 'infants' and schedule.due_weeks is not null
),

given as (
    select
        period_start,
        org_unit_uid,
        item as dose_code,
        sum(value) filter (where measure_code = 'DOSES') as doses,
        sum(value) filter (where measure_code = 'DOSES_OF_KNOWN_AGE') as doses_of_known_age,
        sum(value) filter (where measure_code = 'DOSES_UNDER_1') as doses_under_1,
        sum(value) filter (where measure_code = 'DOSES_JUDGED') as doses_judged,
        sum(value) filter (where measure_code = 'DOSES_VALID') as doses_valid,
        sum(value) filter (where measure_code = 'DOSES_IN_WINDOW') as doses_in_window
    from events
    where measure_code like 'DOSES%'
    group by period_start, org_unit_uid, item
),

targets as (
    select
        period_start,
        org_unit_uid,
        max(value) filter (where measure_code = 'POP_BIRTHS') / 12 as births,
        max(value) filter (where measure_code = 'POP_INFANTS') / 12 as infants
    from {{ table_of('fct_measure_month') }}
    where measure_code in ('POP_BIRTHS', 'POP_INFANTS')
    group by period_start, org_unit_uid
),

summed as (
    select
        visited.level,
        visited.org_unit_uid,
        names.period_type,
        names.period,
        asked.dose_code,
        asked.vaccine_code,
        asked.is_at_birth,
        asked.is_of_first_year,
        count(*) as months,
        sum(coalesce(given.doses, 0))::bigint as doses,
        sum(coalesce(given.doses_of_known_age, 0))::bigint as doses_of_known_age,
        sum(coalesce(given.doses_under_1, 0))::bigint as doses_under_1,
        case
            when count(*) = count(case when asked.is_at_birth then targets.births else targets.infants end)
                then sum(case when asked.is_at_birth then targets.births else targets.infants end)
        end as target,
        sum(registered.value)::bigint as registered_births,
        sum(coalesce(given.doses_judged, 0))::bigint as doses_judged,
        sum(coalesce(given.doses_valid, 0))::bigint as doses_valid,
        sum(coalesce(given.doses_in_window, 0))::bigint as doses_in_window,
        max(visited.data_as_of) as data_as_of
    from visited
    inner join asked on visited.period_start = asked.period_start
    inner join {{ ref('dim_period') }} as periods on visited.period_start = periods.period_start
    cross join lateral {{ periods_of('periods') }}
    left join given
        on visited.period_start = given.period_start
        and visited.org_unit_uid = given.org_unit_uid
        and asked.dose_code = given.dose_code
    left join targets
        on visited.period_start = targets.period_start and visited.org_unit_uid = targets.org_unit_uid
    left join events as registered
        on registered.measure_code = 'LIVE_BIRTHS'
        and visited.period_start = registered.period_start
        and visited.org_unit_uid = registered.org_unit_uid
    group by
        visited.level, visited.org_unit_uid, names.period_type, names.period, asked.dose_code, asked.vaccine_code,
        asked.is_at_birth, asked.is_of_first_year
),

loaded as (
    {{ months_loaded('immunization') }}
),

-- Of doses of which none is of known age, nobody knows whether they count: that is not 0.
told as (
    select
        *,
        case
            when not is_of_first_year then doses
            when doses = 0 or doses_of_known_age > 0 then doses_under_1
        end as numerator,
        doses > 0 and doses_judged = 0 as is_unjudged
    from summed
)

select
    {{ place_columns('told') }},
    told.period_type,
    told.period,
    told.months,
    told.dose_code,
    told.vaccine_code,
    told.doses,
    told.numerator,
    case when told.is_at_birth then 'live births' else 'surviving infants' end as target_group,
    told.target,
    100 * told.numerator / nullif(told.target, 0) as coverage,
    told.registered_births,
    (100.0 * told.numerator / nullif(told.registered_births, 0))::double precision as coverage_of_registered,
    told.doses_judged,
    case when not told.is_unjudged then told.doses_valid end as doses_valid,
    case when not told.is_unjudged then told.doses_in_window end as doses_in_window,
    (100.0 * told.doses_valid / nullif(told.doses_judged, 0))::double precision as valid_share,
    (100.0 * told.doses_in_window / nullif(told.doses_judged, 0))::double precision as in_window_share,
    told.data_as_of,
    told.doses - told.doses_of_known_age as doses_of_unknown_age,
    coalesce(loaded.months_loaded, 0) as months_loaded,
    coalesce(loaded.is_complete, false) as is_complete
from told
left join loaded on told.period_type = loaded.period_type and told.period = loaded.period
{{ place_joins('told') }}
