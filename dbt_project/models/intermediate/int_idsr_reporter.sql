{{ config(tags=['reference'], meta={'dagster': {'group': 'idsr', 'owners': ['team:data-engineering']}}) }}

-- The forms are found by what they ask for: a country may have several.
with forms as (
    select distinct
        data_sets.data_set_uid,
        data_sets.timely_days
    from {{ ref('stg_hmis__data_sets') }} as data_sets
    inner join {{ ref('stg_hmis__data_set_elements') }} as asked on data_sets.data_set_uid = asked.data_set_uid
    inner join {{ ref('int_idsr_element') }} as elements on asked.data_element_uid = elements.data_element_uid
    where data_sets.period_type = 'Weekly'
)

select
    assigned.org_unit_uid as facility_uid,
    -- Of several forms, the one that may come last.
    coalesce(ceil(max(forms.timely_days))::integer, 3) as timely_days,
    units.opening_date,
    units.closed_date
from forms
inner join {{ ref('stg_hmis__data_set_org_units') }} as assigned on forms.data_set_uid = assigned.data_set_uid
inner join {{ ref('stg_hmis__organisation_units') }} as units on assigned.org_unit_uid = units.org_unit_uid
group by assigned.org_unit_uid, units.opening_date, units.closed_date
