-- Claims, each with the clinician of its first charge
with firsts as (
    select f.tenant_id, f.claim_id, c.clinician_id
    from {{ source('records', 'claim_charges') }} as f
    join {{ source('records', 'charges') }} as c on c.tenant_id = f.tenant_id and c.id = f.charge_id
    where f.position = 1
)

select
    c.tenant_id, c.claim_id as row_id, f.clinician_id, c.submitted_on, c.adjudicated_on, c.first_response, c.outcome
from {{ ref('stg_claims') }} as c
join firsts as f on f.tenant_id = c.tenant_id and f.claim_id = c.claim_id
