-- The rules of the WHO and DHIS2 packages that fit on one line: what is counted on the left is part of what is counted
-- on the right. Only months in which the unit reported the left side; a right side never reported counts as 0. Counts of sensitive
-- programmes are not told.
with sides as (
    select rules.rule_code, rules.description, 'lesser' as side, code.code
    from {{ ref('consistency_rule') }} as rules
    cross join lateral unnest(string_to_array(rules.lesser_codes, '|')) as code (code)
    union all
    select rules.rule_code, rules.description, 'greater' as side, code.code
    from {{ ref('consistency_rule') }} as rules
    cross join lateral unnest(string_to_array(rules.greater_codes, '|')) as code (code)
),

-- Each data element is summed over its disaggregations once, then compared in every rule it appears in.
totals as (
    select facts.period_start, facts.org_unit_uid, elements.code, sum(facts.value) as value
    from {{ ref('fct_data_value') }} as facts
    inner join {{ ref('dim_data_element') }} as elements on facts.data_element_uid = elements.data_element_uid
    where elements.code in (select sides.code from sides) and facts.value is not null
    group by facts.period_start, facts.org_unit_uid, elements.code
),

compared as (
    select
        sides.rule_code,
        sides.description,
        totals.period_start,
        totals.org_unit_uid,
        sum(totals.value) filter (where sides.side = 'lesser') as lesser_value,
        coalesce(sum(totals.value) filter (where sides.side = 'greater'), 0) as greater_value
    from totals
    inner join sides on totals.code = sides.code
    group by sides.rule_code, sides.description, totals.period_start, totals.org_unit_uid
),

sensitive as (
    select rule_code from {{ ref('consistency_rule') }}
    where {{ counts_sensitive("lesser_codes || '|' || greater_codes") }}
)

select
    compared.rule_code,
    compared.description as rule_description,
    compared.org_unit_uid,
    facilities.name as org_unit_name,
    facilities.fosa_code,
    facilities.district_name as district,
    compared.period_start as month,
    case when sensitive.rule_code is null then compared.lesser_value end as lesser_value,
    case when sensitive.rule_code is null then compared.greater_value end as greater_value
from compared
left join {{ ref('dim_facility') }} as facilities
    on compared.org_unit_uid = facilities.facility_uid and facilities.is_current
left join sensitive on compared.rule_code = sensitive.rule_code
where compared.lesser_value > compared.greater_value
