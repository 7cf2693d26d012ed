{{ config(tags=['weekly']) }}

-- First doses less last ones of the same period: not the same children. Both add up first.
with months as (
    select level, org_unit_uid, period_start, item, sum(value) as doses, max(data_as_of) as data_as_of
    from {{ ref('fct_event_count') }}
    where measure_code = 'DOSES'
    group by level, org_unit_uid, period_start, item
),

pairs as (
    select * from (
        values ('PENTA1_PENTA3', 'PENTA1', 'PENTA3'), ('BCG_MR1', 'BCG', 'MR1'), ('MR1_MR2', 'MR1', 'MR2')
    ) as told (dropout, first_dose, last_dose)
),

summed as (
    select
        months.level,
        months.org_unit_uid,
        names.period_type,
        names.period,
        pairs.dropout,
        pairs.first_dose,
        pairs.last_dose,
        coalesce(sum(months.doses) filter (where months.item = pairs.first_dose), 0)::bigint as first_doses,
        coalesce(sum(months.doses) filter (where months.item = pairs.last_dose), 0)::bigint as last_doses,
        max(months.data_as_of) as data_as_of
    from months
    inner join {{ ref('dim_period') }} as periods on months.period_start = periods.period_start
    cross join lateral {{ periods_of('periods') }}
    cross join pairs
    group by
        months.level, months.org_unit_uid, names.period_type, names.period, pairs.dropout, pairs.first_dose, pairs.last_dose
),

loaded as (
    {{ months_loaded('immunization') }}
)

select
    {{ place_columns('summed') }},
    summed.period_type,
    summed.period,
    summed.dropout,
    summed.first_dose,
    summed.last_dose,
    summed.first_doses,
    summed.last_doses,
    summed.first_doses - summed.last_doses as numerator,
    summed.first_doses as denominator,
    (100.0 * (summed.first_doses - summed.last_doses) / nullif(summed.first_doses, 0))::double precision as dropout_rate,
    summed.last_doses > summed.first_doses as is_negative,
    summed.data_as_of,
    coalesce(loaded.months_loaded, 0) as months_loaded,
    coalesce(loaded.is_complete, false) as is_complete
from summed
left join loaded on summed.period_type = loaded.period_type and summed.period = loaded.period
{{ place_joins('summed') }}
