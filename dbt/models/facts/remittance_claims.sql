-- Remittance claims by the day on which their file was received. The records of remittances fill it.
select tenant_id, cast(null as uuid) as clinician_id, claim_id as row_id, submitted_on as received_on, false as matched_by_rule
from {{ ref('stg_claims') }}
where false
