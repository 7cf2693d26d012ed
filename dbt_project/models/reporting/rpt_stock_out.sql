{{ config(tags=['monthly']) }}

-- Of several cards of a month the one counted last. Days and facilities add up over months, what is in stock is of the last month that is
-- loaded; stock and consumption add up over facilities before one is divided by the other.
with cards as (
    select distinct on (coalesce(facility_uid, source_facility_code), source_code, period_start)
        coalesce(facility_uid, source_facility_code) as unit,
        source_code,
        product_code,
        period_start,
        closing_quantity,
        issued_quantity,
        days_out_of_stock
    from {{ ref('fct_stock_balance') }}
    where source_code is not null
    order by
        coalesce(facility_uid, source_facility_code), source_code, period_start, counted_on desc nulls last,
        source_updated_at desc nulls last, stock_card_key
),

-- Consumption is what was issued in this month and the two before, of those that have a card.
months as (
    select
        cards.*,
        periods.days_in_month,
        -- No month has more days than it has.
        case when cards.days_out_of_stock >= 0 then least(cards.days_out_of_stock, periods.days_in_month) end as days_out,
        case when cards.closing_quantity >= 0 then cards.closing_quantity end as in_stock,
        avg(case when cards.issued_quantity >= 0 then cards.issued_quantity end) over (
            partition by cards.unit, cards.source_code
            order by cards.period_start
            range between interval '2 months' preceding and current row
        ) as consumption
    from cards
    inner join {{ ref('dim_period') }} as periods on cards.period_start = periods.period_start
),

calendar as (
    select
        periods.period_start,
        names.period_type,
        names.period,
        max(periods.period_start) over (partition by names.period_type, names.period) as last_month
    from {{ ref('dim_period') }} as periods
    cross join lateral {{ periods_of('periods') }}
    where periods.period_start in (select period_start from cards)
),

summed as (
    select
        coalesce(closure.ancestor_uid, months.unit) as org_unit_uid,
        coalesce(closure.ancestor_role, 'unmapped') as level,
        calendar.period_type,
        calendar.period,
        calendar.last_month,
        months.source_code,
        max(months.product_code) as product_code,
        count(months.days_out) as facility_months,
        count(*) filter (where months.days_out > 0) as facility_months_out,
        count(distinct months.unit) filter (where months.days_out is not null) as facilities,
        count(distinct months.unit) filter (where months.days_out > 0) as facilities_out,
        sum(months.days_out)::bigint as days_out,
        sum(months.days_in_month) filter (where months.days_out is not null) as days,
        sum(months.in_stock) filter (where months.period_start = calendar.last_month and months.consumption is not null)
            as in_stock,
        sum(months.consumption) filter (where months.period_start = calendar.last_month and months.in_stock is not null)
            as consumption
    from months
    inner join calendar on months.period_start = calendar.period_start
    left join {{ ref('int_org_unit_closure') }} as closure
        on months.unit = closure.descendant_uid and closure.is_reporting_level
    group by 1, 2, 3, 4, 5, 6
)

select
    {{ place_columns('summed') }},
    summed.period_type,
    summed.period,
    summed.source_code,
    summed.product_code,
    products.name as product_name,
    coalesce(products.is_medicine, false) as is_medicine,
    summed.facilities,
    summed.facilities_out,
    (100.0 * summed.facilities_out / nullif(summed.facilities, 0))::double precision as facilities_out_share,
    summed.facility_months,
    summed.facility_months_out,
    summed.days_out,
    summed.days,
    (100.0 * summed.days_out / nullif(summed.days, 0))::double precision as days_out_share,
    summed.last_month as in_stock_at_end_of,
    summed.in_stock::double precision as in_stock,
    summed.consumption::double precision as monthly_consumption,
    (summed.in_stock / nullif(summed.consumption, 0))::double precision as months_of_stock
from summed
left join {{ ref('dim_product') }} as products on summed.product_code = products.product_code
{{ place_joins('summed') }}
