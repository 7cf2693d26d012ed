-- Counts of sensitive programmes are not told.
with rules as materialized (
    select
        rule_code,
        description,
        {{ counts_sensitive("lesser_codes || '|' || greater_codes") }} as is_sensitive
    from {{ ref('consistency_rule') }}
)

select
    breaches.rule_code,
    rules.description as rule_description,
    breaches.org_unit_uid,
    facilities.name as org_unit_name,
    facilities.fosa_code,
    facilities.district_name as district,
    breaches.period_start as month,
    case when not rules.is_sensitive then breaches.lesser_value end as lesser_value,
    case when not rules.is_sensitive then breaches.greater_value end as greater_value
from {{ ref('int_consistency_breach') }} as breaches
inner join rules on breaches.rule_code = rules.rule_code
left join {{ ref('dim_facility') }} as facilities
    on breaches.org_unit_uid = facilities.facility_uid and facilities.is_current
