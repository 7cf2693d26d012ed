{{ config(tags=['monthly', 'clinical'], meta={'dagster': {'group': 'clinical', 'owners': ['team:data-engineering']}}) }}

-- The card before is looked for when this is read: landed again, it changes what is said of a month that is not built again.
select
    cards.period_start as month,
    facilities.fosa_code,
    facilities.name as facility_name,
    facilities.district_name as district,
    facilities.province_name as province,
    cards.facility_uid,
    cards.source_facility_code,
    cards.source_code,
    cards.product_code,
    products.name as product_name,
    cards.unit,
    cards.opening_quantity,
    cards.received_quantity,
    cards.issued_quantity,
    cards.lost_quantity,
    cards.adjusted_quantity,
    cards.closing_quantity,
    cards.days_out_of_stock,
    before.closing_quantity as previous_closing_quantity,
    cards.opening_quantity <> before.closing_quantity as is_opening_other,
    cards.is_negative_closing,
    cards.is_stockout_too_long,
    cards.is_unbalanced,
    cards.differs_from_movements,
    cards.is_duplicate
from {{ ref('fct_stock_balance') }} as cards
-- Of several cards of a month, the one that was counted last.
left join lateral (
    select earlier.closing_quantity
    from {{ ref('fct_stock_balance') }} as earlier
    where earlier.period_start = (cards.period_start - interval '1 month')::date
        and earlier.source_facility_code = cards.source_facility_code
        and earlier.source_code = cards.source_code
    order by earlier.counted_on desc nulls last, earlier.source_updated_at desc nulls last, earlier.stock_card_key
    limit 1
) as before on true
left join {{ ref('dim_facility') }} as facilities on cards.facility_uid = facilities.facility_uid and facilities.is_current
left join {{ ref('dim_product') }} as products on cards.product_code = products.product_code
