select
    {{ clean_key_text('visit_id') }} as visit_id,
    {{ clean_key_text('facility_code') }} as facility_code,
    {{ clean_text('facility_name') }} as facility_name,
    parsed.visit_date,
    {{ clean_key_text('visit_type') }} as visit_type,
    {{ clean_key_text('file_number') }} as file_number,
    {{ clean_key_text('upi') }} as upi,
    {{ clean_key_text('temporary_id') }} as temporary_id,
    {{ clean_key_text('national_id') }} as national_id,
    {{ clean_text('family_name') }} as family_name,
    {{ clean_text('given_name') }} as given_name,
    parsed.date_of_birth,
    {{ clean_key_text('phone') }} as phone,
    {{ clean_key_text('insurance_number') }} as insurance_number,
    {{ clean_key_text('sex') }} as sex,
    {{ clean_key_integer('age_years') }} as age_years,
    {{ clean_text('district') }} as district,
    {{ clean_text('sector') }} as sector,
    {{ clean_text('village') }} as village,
    {{ clean_key_text('insurance_scheme') }} as insurance_scheme,
    {{ clean_key_text('insurance_category') }} as insurance_category,
    {{ clean_number('temperature_c') }} as temperature_c,
    {{ clean_number('weight_kg') }} as weight_kg,
    {{ clean_key_text('outcome') }} as outcome,
    {{ clean_key_text('referred_to_facility_code') }} as referred_to_facility_code,
    {{ clean_key_integer('amount_paid_rwf') }} as amount_paid_rwf,
    {{ clean_slashed_time('created_at') }} as created_at,
    records._partition as partition_start,
    {{ provenance() }}
from {{ standing_rows(source('raw', 'efiche_visits'), 'visit_id') }} as records
-- Apart, and `offset 0`: PostgreSQL would parse a date again wherever its name stands in what reads this view.
cross join lateral (
    select
        {{ clean_slashed_date('records.visit_date') }} as visit_date,
        {{ clean_slashed_date('records.date_of_birth') }} as date_of_birth
    offset 0
) as parsed
