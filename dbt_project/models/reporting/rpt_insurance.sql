{{ config(tags=['monthly', 'clinical']) }}

{%- set asking = {'efiche': 'efiche', 'hpemr': 'hpemr'} %}

-- Visits of the systems that ask for the insurance. They add up over months and systems; of a place and period all schemes are the
-- denominator, with what is not told or not known.
with summed as (
    select
        months.level,
        months.org_unit_uid,
        names.period_type,
        names.period,
        months.insurance_scheme,
        sum(months.visits)::bigint as visits
    from {{ ref('fct_visit_month') }} as months
    inner join {{ ref('dim_period') }} as periods on months.period_start = periods.period_start
    cross join lateral {{ periods_of('periods') }}
    where months.system in ('{{ asking | join("', '") }}')
    group by 1, 2, 3, 4, 5
),

told as (
    select
        *,
        (sum(visits) over (partition by level, org_unit_uid, period_type, period))::bigint as all_visits
    from summed
),

loaded as (
    {{ months_loaded_by_system(asking) }}
)

select
    {{ place_columns('told') }},
    told.period_type,
    told.period,
    told.insurance_scheme as scheme,
    told.visits,
    told.all_visits,
    (100.0 * told.visits / nullif(told.all_visits, 0))::double precision as share,
    coalesce(loaded.months_loaded, 0) as months_loaded,
    coalesce(loaded.is_complete, false) as is_complete,
    loaded.data_as_of
from told
left join loaded on told.period_type = loaded.period_type and told.period = loaded.period and loaded.system = 'all'
{{ place_joins('told') }}
