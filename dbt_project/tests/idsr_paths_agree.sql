{{ config(severity='warn', tags=['weekly'], meta={'dagster': {'ref': {'name': 'rpt_idsr_paths'}}}) }}

-- Weeks in which the two paths of IDSR say other numbers for more facilities and diseases than var idsr_paths_tolerance
-- (a choice to be confirmed) allows, of those that both have reported: a row a week, how many there are of each verdict, and the first differences.
-- The newest quarter of a year only. Who reports by one path alone is counted beside it, and is no difference.
with recent as (
    select *
    from {{ ref('rpt_idsr_paths') }}
    where week_start > (select max(week_start) from {{ ref('rpt_idsr_paths') }}) - 91
),

counted as (
    select
        week_start,
        count(*) filter (where verdict = 'agrees') as agree,
        count(*) filter (where verdict = 'differs') as differ,
        count(*) filter (where verdict = 'only direct') as only_direct,
        count(*) filter (where verdict = 'only dhis2') as only_dhis2
    from recent
    group by week_start
),

differences as (
    select
        week_start,
        coalesce(facility, place_key) || ' ' || disease_code || ': ' || direct_cases || ' cases, ' || direct_deaths
        || ' deaths direct; ' || dhis2_cases || ', ' || dhis2_deaths || ' DHIS2' as words,
        row_number() over (
            partition by week_start order by abs(direct_cases - dhis2_cases) desc, disease_code, place_key
        ) as place
    from recent
    where verdict = 'differs'
)

select
    counted.week_start,
    counted.agree,
    counted.differ,
    counted.only_direct,
    counted.only_dhis2,
    round(counted.differ::numeric / (counted.agree + counted.differ), 3) as share,
    string_agg(differences.words, '; ' order by differences.place) as first_differences
from counted
left join differences on counted.week_start = differences.week_start and differences.place <= 5
where counted.differ > {{ var('idsr_paths_tolerance') }} * (counted.agree + counted.differ)
group by counted.week_start, counted.agree, counted.differ, counted.only_direct, counted.only_dhis2
