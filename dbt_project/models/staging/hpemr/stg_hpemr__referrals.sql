select
    {{ clean_key_text('referral_id') }} as referral_id,
    {{ clean_key_text('encounter_id') }} as encounter_id,
    {{ clean_key_text('facility_code') }} as facility_code,
    {{ clean_text('facility_name') }} as facility_name,
    {{ clean_epoch_ms('sent_at') }} as sent_at,
    {{ clean_text('referred_to_facility_name') }} as referred_to_facility_name,
    {{ clean_key_text('file_number') }} as file_number,
    {{ clean_key_text('upi') }} as upi,
    {{ clean_text('full_name') }} as full_name,
    {{ clean_key_text('sex') }} as sex,
    {{ clean_key_text('reason_code') }} as reason_code,
    {{ clean_text('reason_label') }} as reason_label,
    {{ clean_key_text('urgency') }} as urgency,
    {{ clean_key_text('status') }} as status,
    {{ clean_epoch_ms('created_at') }} as created_at,
    records._partition as partition_start,
    {{ provenance() }}
from {{ standing_rows(source('raw', 'hpemr_referrals'), 'referral_id') }} as records
