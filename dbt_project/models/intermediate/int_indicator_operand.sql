{{ config(tags=['reference'], indexes=[{'columns': ['operand_key']}]) }}

-- Only indicators both sides of which compiled are evaluated.
with compiled as (
    select indicator_uid
    from {{ ref('stg_ops__indicator_sql') }}
    where sql is not null and side in ('numerator', 'denominator')
    group by indicator_uid
    having count(distinct side) = 2
),

own as (
    select
        sides.indicator_uid,
        sides.side,
        operand.operand_key,
        operand.ordinal::integer as ordinal
    from {{ ref('stg_ops__indicator_sql') }} as sides
    inner join compiled on sides.indicator_uid = compiled.indicator_uid
    cross join lateral unnest(sides.operands) with ordinality as operand (operand_key, ordinal)
),

-- Both sides carry the operands of both: where a unit has a value on either side, both sides are evaluated there,
-- also a denominator that is a plain constant and has no operand of its own.
every as (
    select distinct own.indicator_uid, side.side, own.operand_key
    from own
    cross join (values ('numerator'), ('denominator')) as side (side)
)

select
    every.indicator_uid,
    every.side,
    every.operand_key,
    own.ordinal,
    split_part(every.operand_key, ':', 1) as operand_kind,
    split_part(split_part(every.operand_key, ':', 2), '.', 1) as item_uid,
    nullif(nullif(split_part(split_part(every.operand_key, ':', 2), '.', 2), ''), '*') as item_part,
    nullif(nullif(split_part(split_part(every.operand_key, ':', 2), '.', 3), ''), '*') as attribute_option_combo_uid
from every
left join own
    on every.indicator_uid = own.indicator_uid
    and every.side = own.side
    and every.operand_key = own.operand_key
