{{ config(
    tags=['reference'],
    indexes=[{'columns': ['period_start'], 'unique': true}, {'columns': ['year']}]
) }}

with months as (
    select month::date as period_start
    from generate_series(timestamp '2015-01-01', timestamp '2035-12-01', interval '1 month') as series (month)
),

parts as (
    select
        period_start,
        (period_start + interval '1 month' - interval '1 day')::date as period_end,
        extract(year from period_start)::integer as year,
        extract(quarter from period_start)::integer as quarter,
        extract(month from period_start)::integer as month,
        -- The fiscal year runs July to June: six months on, it is the calendar year it ends in.
        extract(year from period_start + interval '6 months')::integer as fiscal_year_end
    from months
)

select
    period_start,
    period_end,
    to_char(period_start, 'YYYYMM') as period_id,
    year || 'Q' || quarter as quarter_id,
    year,
    quarter,
    month,
    to_char(period_start, 'FMMonth') as month_name,
    'fy_' || (fiscal_year_end - 1) || '_' || lpad((fiscal_year_end % 100)::text, 2, '0') as fiscal_year,
    ((month + 5) % 12 / 3 + 1)::integer as fiscal_quarter,
    (period_end - period_start + 1)::integer as days_in_month
from parts
