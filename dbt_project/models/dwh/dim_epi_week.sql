{{ config(tags=['reference'], indexes=[{'columns': ['week_start'], 'unique': true}]) }}

with weeks as (
    select week::date as week_start
    from generate_series(timestamp '2014-12-29', timestamp '2035-12-24', interval '1 week') as series (week)
)

select
    week_start,
    week_start + 6 as week_end,
    to_char(week_start, 'IYYY"W"IW') as epi_week,
    extract(isoyear from week_start)::integer as epi_year,
    extract(week from week_start)::integer as epi_week_number,
    -- The Thursday of a week lies in the year and month that it belongs to.
    date_trunc('month', week_start + 3)::date as period_start
from weeks
