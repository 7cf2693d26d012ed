{{ config(
    materialized='incremental',
    incremental_strategy='microbatch',
    event_time='counted_month',
    batch_size='month',
    begin='2020-01-01',
    lookback=0,
    on_schema_change='append_new_columns',
    tags=['monthly', 'clinical'],
    meta={'dagster': {'group': 'clinical', 'owners': ['team:data-engineering']}},
    indexes=[
        {'columns': ['counted_month', 'stock_card_key'], 'unique': true},
        {'columns': ['period_start', 'source_facility_code', 'source_code']}
    ]
) }}

{% call set_sql_header(config) %}{{ month_settings() }}{% endcall %}

-- dbt puts the batch's window, and an alias of its own, around a ref that has an event_time: hence the imports. The window is
-- that of the month of the count, the partition a card lands in: nearly always the month it is of.
with balances as (
    select * from {{ ref('stg_efiche__stock_balances') }}
),

movements as (
    select * from {{ ref('stg_efiche__stock_movements') }}
),

cards as (
    select
        balances.*,
        {{ facility_of_record('facility_code', 'facility_name') }} as source_facility_code,
        coalesce(month, partition_start) as period_start,
        count(*) over (
            partition by
                {{ facility_of_record('facility_code', 'facility_name') }},
                coalesce(product_code, product_label),
                coalesce(month, partition_start),
                partition_start
        ) > 1 as is_duplicate
    from balances
),

moved as (
    select
        {{ facility_of_record('facility_code', 'facility_name') }} as source_facility_code,
        product_code,
        partition_start,
        {%- for kind, name in [('RECEIPT', 'received'), ('ISSUE', 'issued'), ('LOSS', 'lost'), ('ADJUSTMENT', 'adjusted')] %}
        coalesce(sum(quantity) filter (where movement_type = '{{ kind }}'), 0)::bigint as {{ name }}{{ ',' if not loop.last }}
        {%- endfor %}
    from movements
    group by {{ facility_of_record('facility_code', 'facility_name') }}, product_code, partition_start
),

-- A month none of whose movements is landed says nothing about cards.
compared as (
    select cards.stock_balance_id, moved.received, moved.issued, moved.lost, moved.adjusted
    from cards
    left join moved
        on cards.source_facility_code = moved.source_facility_code
        and cards.product_code = moved.product_code
        and cards.partition_start = moved.partition_start
    where cards.period_start = cards.partition_start
        and cards.product_code is not null
        and cards.partition_start in (select partition_start from moved)
)

select
    {{ clinical_record_key('efiche_stock_balance', 'cards.stock_balance_id') }} as stock_card_key,
    'efiche' as system,
    facilities.facility_uid,
    cards.source_facility_code,
    cards.period_start,
    cards.counted_on,
    cards.partition_start as counted_month,
    cards.product_code as source_code,
    products.target_code as product_code,
    coalesce(products.relation, 'unmapped') as mapping_status,
    cards.unit,
    products.quantity_factor,
    cards.opening_quantity,
    cards.received_quantity,
    cards.issued_quantity,
    cards.lost_quantity,
    cards.adjusted_quantity,
    cards.closing_quantity,
    cards.days_out_of_stock,
    case when compared.stock_balance_id is not null then coalesce(compared.received, 0) end as moved_received_quantity,
    case when compared.stock_balance_id is not null then coalesce(compared.issued, 0) end as moved_issued_quantity,
    case when compared.stock_balance_id is not null then coalesce(compared.lost, 0) end as moved_lost_quantity,
    case when compared.stock_balance_id is not null then coalesce(compared.adjusted, 0) end as moved_adjusted_quantity,
    cards.closing_quantity < 0 as is_negative_closing,
    cards.days_out_of_stock > (cards.period_start + interval '1 month')::date - cards.period_start as is_stockout_too_long,
    cards.opening_quantity + cards.received_quantity + cards.adjusted_quantity - cards.issued_quantity - cards.lost_quantity
    <> cards.closing_quantity as is_unbalanced,
    case
        when compared.stock_balance_id is not null then
            (cards.received_quantity, cards.issued_quantity, cards.lost_quantity, cards.adjusted_quantity)
            <> (
                coalesce(compared.received, 0), coalesce(compared.issued, 0),
                coalesce(compared.lost, 0), coalesce(compared.adjusted, 0)
            )
    end as differs_from_movements,
    cards.is_duplicate,
    cards.load_id,
    cards.source_updated_at
from cards
left join compared on cards.stock_balance_id = compared.stock_balance_id
left join {{ ref('int_facility_crosswalk') }} as facilities
    on facilities.system = 'efiche' and cards.source_facility_code = facilities.source_key
left join {{ ref('xwalk_product') }} as products on products.system = 'efiche' and cards.product_code = products.source_code
