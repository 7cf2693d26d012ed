{{ config(materialized='view', event_time='period_start', tags=['monthly']) }}

-- Values are first combined per unit, then per ancestor. Sum, count, minimum and maximum can be combined twice; the
-- average is divided at the end from sum and count.
with element_values as (
    select
        period_start, org_unit_uid, data_element_uid, category_option_combo_uid, attribute_option_combo_uid, value
    from {{ ref('fct_data_value') }}
    where value is not null
    union all
    -- A yearly value holds in every month of its year, as DHIS2 does when it asks a month of yearly data.
    select
        periods.period_start,
        yearly.org_unit_uid,
        yearly.data_element_uid,
        yearly.category_option_combo_uid,
        yearly.attribute_option_combo_uid,
        yearly.value_number
    from {{ ref('stg_hmis__yearly_values') }} as yearly
    inner join {{ ref('dim_period') }} as periods on yearly.year = periods.year
    where yearly.value_number is not null
),

per_unit as (
    select
        element_values.period_start,
        element_values.org_unit_uid,
        operands.operand_key,
        operands.combine,
        sum(element_values.value) as total,
        count(*) as n,
        min(element_values.value) as lowest,
        max(element_values.value) as highest
    from element_values
    inner join {{ ref('int_operand') }} as operands
        on operands.operand_kind = 'de'
        and operands.item_uid = element_values.data_element_uid
        and (operands.item_part is null or operands.item_part = element_values.category_option_combo_uid)
        and (
            operands.attribute_option_combo_uid is null
            or operands.attribute_option_combo_uid = element_values.attribute_option_combo_uid
        )
    group by element_values.period_start, element_values.org_unit_uid, operands.operand_key, operands.combine
),

element_operands as (
    select
        per_unit.period_start,
        closure.ancestor_uid as org_unit_uid,
        closure.ancestor_role as level,
        per_unit.operand_key,
        case per_unit.combine
            when 'sum' then sum(per_unit.total)
            when 'none' then sum(per_unit.total)
            when 'average' then sum(per_unit.total) / sum(per_unit.n)
            when 'min' then min(per_unit.lowest)
            when 'max' then max(per_unit.highest)
            when 'count' then sum(per_unit.n)
        end::double precision as value
    from per_unit
    inner join {{ ref('int_org_unit_closure') }} as closure
        on per_unit.org_unit_uid = closure.descendant_uid and closure.is_reporting_level
    where per_unit.combine <> 'none' or closure.ancestor_uid = per_unit.org_unit_uid
    group by
        per_unit.period_start, closure.ancestor_uid, closure.ancestor_role, per_unit.operand_key, per_unit.combine
),

report_operands as (
    select
        rollup.period_start,
        rollup.org_unit_uid,
        rollup.level,
        operands.operand_key,
        case operands.item_part
            when 'EXPECTED_REPORTS' then rollup.expected
            when 'ACTUAL_REPORTS' then rollup.received
            when 'ACTUAL_REPORTS_ON_TIME' then rollup.received_on_time
            when 'REPORTING_RATE' then 100.0 * rollup.received / nullif(rollup.expected, 0)
            when 'REPORTING_RATE_ON_TIME' then 100.0 * rollup.received_on_time / nullif(rollup.expected, 0)
        end::double precision as value
    from {{ ref('int_reporting_rollup') }} as rollup
    inner join {{ ref('int_operand') }} as operands
        on operands.operand_kind = 'ds' and operands.item_uid = rollup.data_set_uid
),

group_operands as (
    select
        periods.period_start,
        groups.org_unit_uid,
        groups.level,
        operands.operand_key,
        groups.units::double precision as value
    from {{ ref('int_org_unit_group_count') }} as groups
    inner join {{ ref('int_operand') }} as operands
        on operands.operand_kind = 'oug' and operands.item_uid = groups.group_uid
    cross join {{ ref('dim_period') }} as periods
)

select period_start, org_unit_uid, level, operand_key, value from element_operands where value is not null
union all
select period_start, org_unit_uid, level, operand_key, value from report_operands where value is not null
union all
select period_start, org_unit_uid, level, operand_key, value from group_operands
