{{ config(
    tags=['weekly'],
    meta={'leaves_nothing_out': true},
    pre_hook="{{ ensure_table('fct_measure_month') }}"
) }}

-- What two pathways say of the same thing. Both are added up over places and weeks first; the ratio comes last. What is
-- aggregate is built by month: macros/other_calls.sql says why it is no ref. A comparison at a time: a question asks for few, and
-- only those are added up.
with names as (
    select
        comparison,
        max(name) as name,
        max(source) filter (where side = 'first') as first_source,
        max(source) filter (where side = 'second') as second_source,
        max(loaded_by) filter (where side = 'first') as first_loaded_by,
        max(loaded_by) filter (where side = 'second') as second_loaded_by
    from (
        select
            *,
            case
                when kind = 'events' then item
                when kind = 'doses' then 'immunization'
                when kind = 'measure' then 'hmis'
                when measure_code = 'IDSR_CASES_DIRECT' then 'idsr'
                when measure_code = 'IDSR_CASES_DHIS2' then 'idsr_dhis2'
            end as loaded_by
        from {{ ref('reconciliation') }}
    ) as lines
    group by comparison
)

select
    names.comparison,
    names.name as comparison_name,
    compared.item,
    compared.level,
    compared.org_unit_uid,
    coalesce(dim_facility.name, geographies.name) as org_unit_name,
    dim_facility.fosa_code,
    coalesce(dim_facility.district_name, geographies.district_name) as district,
    coalesce(dim_facility.province_name, geographies.province_name) as province,
    compared.period_start as month,
    periods.fiscal_year,
    names.first_source,
    compared.first_value::double precision as first_value,
    names.second_source,
    compared.second_value::double precision as second_value,
    (compared.first_value / nullif(compared.second_value, 0))::double precision as ratio,
    (compared.first_value - compared.second_value)::double precision as difference,
    coalesce(compared.facilities_first, 0) as facilities_first,
    coalesce(compared.facilities_second, 0) as facilities_second,
    coalesce(compared.facilities_both, 0) as facilities_both,
    compared.first_value_both::double precision as first_value_both,
    compared.second_value_both::double precision as second_value_both,
    (compared.first_value_both / nullif(compared.second_value_both, 0))::double precision as ratio_both,
    compared.data_as_of,
    coalesce(first_month.is_complete, false) as first_is_complete,
    coalesce(second_month.is_complete, false) as second_is_complete
from names
cross join lateral (
    with sides as (
        select '' as item, lines.side, events.period_start, events.level, events.org_unit_uid, events.value, events.data_as_of
        from {{ ref('reconciliation') }} as lines
        inner join {{ ref('fct_event_count') }} as events
            on lines.measure_code = events.measure_code and lines.item = events.item
        where lines.comparison = names.comparison and lines.kind in ('events', 'doses')
        union all
        -- A place that recorded other doses in a month, and none of this one, gave none. Of births and cases, who recorded none
        -- is not known to have had none.
        select '', lines.side, visited.period_start, visited.level, visited.org_unit_uid, 0, visited.data_as_of
        from {{ ref('reconciliation') }} as lines
        cross join (
            select period_start, level, org_unit_uid, max(data_as_of) as data_as_of
            from {{ ref('fct_event_count') }}
            where measure_code = 'DOSES'
            group by period_start, level, org_unit_uid
        ) as visited
        where lines.comparison = names.comparison and lines.kind = 'doses'
        union all
        select events.item, lines.side, events.period_start, events.level, events.org_unit_uid, events.value, events.data_as_of
        from {{ ref('reconciliation') }} as lines
        inner join {{ ref('fct_event_count') }} as events on lines.measure_code = events.measure_code
        where lines.comparison = names.comparison and lines.kind = 'each'
        union all
        select '', lines.side, measured.period_start, measured.level, measured.org_unit_uid, measured.value::numeric, null
        from {{ ref('reconciliation') }} as lines
        inner join {{ table_of('fct_measure_month') }} as measured on lines.measure_code = measured.measure_code
        where lines.comparison = names.comparison and lines.kind = 'measure'
    ),

    places as (
        select
            item,
            period_start,
            level,
            org_unit_uid,
            sum(value) filter (where side = 'first') as first_value,
            sum(value) filter (where side = 'second') as second_value,
            max(data_as_of) as data_as_of
        from sides
        group by item, period_start, level, org_unit_uid
    ),

    facilities as (
        select
            places.item,
            places.period_start,
            closure.ancestor_uid as org_unit_uid,
            count(places.first_value) as facilities_first,
            count(places.second_value) as facilities_second,
            count(*) filter (where places.first_value is not null and places.second_value is not null) as facilities_both,
            sum(places.first_value) filter (where places.second_value is not null) as first_value_both,
            sum(places.second_value) filter (where places.first_value is not null) as second_value_both
        from places
        inner join {{ ref('int_org_unit_closure') }} as closure
            on places.org_unit_uid = closure.descendant_uid and closure.is_reporting_level
        where places.level = 'facility'
        group by places.item, places.period_start, closure.ancestor_uid
    )

    select
        places.*,
        facilities.facilities_first,
        facilities.facilities_second,
        facilities.facilities_both,
        facilities.first_value_both,
        facilities.second_value_both
    from places
    left join facilities
        on places.item = facilities.item
        and places.period_start = facilities.period_start
        and places.org_unit_uid = facilities.org_unit_uid
) as compared
left join {{ ref('int_source_month') }} as first_month
    on names.first_loaded_by = first_month.source and compared.period_start = first_month.period_start
left join {{ ref('int_source_month') }} as second_month
    on names.second_loaded_by = second_month.source and compared.period_start = second_month.period_start
left join {{ ref('dim_period') }} as periods on compared.period_start = periods.period_start
left join {{ ref('dim_facility') }} as dim_facility
    on compared.level = 'facility' and compared.org_unit_uid = dim_facility.facility_uid and dim_facility.is_current
left join {{ ref('dim_geography') }} as geographies
    on compared.level not in ('facility', 'unmapped') and compared.org_unit_uid = geographies.geography_uid
