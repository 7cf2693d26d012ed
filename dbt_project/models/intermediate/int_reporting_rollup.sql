{{ config(materialized='view', event_time='period_start', tags=['monthly'], meta={'runs_as': 'reader'}) }}

-- A view: a month is a few thousand rows, and a filter on period_start reaches the fact below the grouping.
select
    reports.period_start,
    reports.data_set_uid,
    closure.ancestor_uid as org_unit_uid,
    closure.ancestor_role as level,
    count(*) filter (where reports.is_expected) as expected,
    count(*) filter (where reports.is_expected and reports.is_received) as received,
    count(*) filter (where reports.is_expected and reports.is_received_on_time) as received_on_time,
    count(*) filter (where not reports.is_expected and reports.is_received) as received_unexpected
from {{ ref('fct_reporting') }} as reports
inner join {{ ref('int_org_unit_closure') }} as closure
    on reports.org_unit_uid = closure.descendant_uid and closure.is_reporting_level
group by reports.period_start, reports.data_set_uid, closure.ancestor_uid, closure.ancestor_role
